import type { JsonValue } from '../json';
import { howItEnded, tallyOutcomes, type OutcomeTally, type RecordOutcome } from './outcome';
import { indexOf, recordIdOf, requestIdOf, type KeptRecord } from './record';

/*
 * The short forms in which batches and their outcomes travel through Temporal: what a child starts with stands in two
 * histories, and so does what it ends with.
 */

/** The records of a batch in order, each run of consecutive records of a request as [requestId, first index, values]. */
export type PackedBatch = [requestId: string, firstIndex: number, values: JsonValue[]][];

interface RequestedRecord {
  requestId: string;
  index: number;
  value: JsonValue;
}

/** @param onRun told where each run begins */
export function packBatch(
  records: readonly RequestedRecord[],
  onRun: (first: number) => void = () => undefined,
): PackedBatch {
  const packed: PackedBatch = [];
  for (const [i, { requestId, index, value }] of records.entries()) {
    const last = packed.at(-1);
    if (last?.[0] === requestId && last[1] + last[2].length === index) last[2].push(value);
    else {
      packed.push([requestId, index, [value]]);
      onRun(i);
    }
  }
  return packed;
}

/** Records of a batch that are known by their ids. */
export function packKept(records: readonly KeptRecord[]): PackedBatch {
  return packBatch(
    records.map(({ recordId, value }) => ({
      requestId: requestIdOf(recordId),
      index: indexOf(recordId),
      value,
    })),
  );
}

export function unpackBatch(packed: PackedBatch): KeptRecord[] {
  return packed.flatMap(([requestId, first, values]) =>
    values.map((value, offset) => ({ recordId: recordIdOf(requestId, first + offset), value })),
  );
}

/** How a record ended, without its id. */
export type HowItEnded = Omit<RecordOutcome, 'recordId'>;

/**
 * The outcomes of several batches. Most records end alike, so each distinct way of ending is written once, and a record
 * refers to it by its index.
 */
export interface PackedOutcomes {
  kinds: HowItEnded[];
  /** Per batch, per record in batch order: an index into `kinds`. */
  of: number[][];
}

export function packOutcomes(batches: readonly (readonly RecordOutcome[])[]): PackedOutcomes {
  const kinds: HowItEnded[] = [];
  const indexes = new Map<string, number>();
  const indexOf = (outcome: RecordOutcome): number => {
    const how = howItEnded(outcome);
    const text = JSON.stringify(how);
    const known = indexes.get(text);
    if (known !== undefined) return known;
    indexes.set(text, kinds.length);
    return kinds.push(how) - 1;
  };
  return { of: batches.map((outcomes) => outcomes.map(indexOf)), kinds };
}

/**
 * @param batch index of the batch in `of`
 * @param records those of the batch, in its order
 */
export function unpackOutcomes<T extends { recordId: string }>(
  { kinds, of }: PackedOutcomes,
  batch: number,
  records: readonly T[],
): (T & RecordOutcome)[] {
  return records.map((record, i) => {
    const outcome = kinds[of[batch]?.[i] ?? -1];
    if (outcome === undefined) throw new TypeError(`there is no outcome of ${record.recordId}`);
    return { ...record, ...outcome };
  });
}

/** The outcomes of all batches, counted. */
export function tallyPacked({ kinds, of }: PackedOutcomes): OutcomeTally {
  const counts = kinds.map(() => 0);
  for (const batch of of) for (const index of batch) counts[index] = (counts[index] ?? 0) + 1;
  const tally = { saved: 0, rolledBack: 0, retries: 0 };
  for (const [index, kind] of kinds.entries()) {
    const one = tallyOutcomes([kind]);
    const count = counts[index] ?? 0;
    tally.saved += count * one.saved;
    tally.rolledBack += count * one.rolledBack;
    tally.retries += count * one.retries;
  }
  return tally;
}
