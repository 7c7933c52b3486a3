import type { JsonValue } from '../json';
import { howItEnded, tallyOutcomes, type HowItEnded, type OutcomeTally, type RecordOutcome } from './outcome';
import { indexOf, recordIdOf, requestIdOf, type KeptRecord } from './record';

/*
 * Compact forms of batches and outcomes for Temporal's payloads: the input of a child is written to two histories (the
 * batcher's and its own), and so is its result.
 */

/** The records of a batch, in order: each run of consecutive records of a request as [requestId, first index, values]. */
export type PackedBatch = [requestId: string, firstIndex: number, values: JsonValue[]][];

interface RequestedRecord {
  requestId: string;
  index: number;
  value: JsonValue;
}

/**
 * Packs records.
 * @param onRun called with the index in `records` at which each run begins
 */
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

/** Packs records that are identified by `recordId`. */
export function packKept(records: readonly KeptRecord[]): PackedBatch {
  return packBatch(
    records.map(({ recordId, value }) => ({
      requestId: requestIdOf(recordId),
      index: indexOf(recordId),
      value,
    })),
  );
}

/** The inverse of {@link packKept}. */
export function unpackBatch(packed: PackedBatch): KeptRecord[] {
  return packed.flatMap(([requestId, first, values]) =>
    values.map((value, offset) => ({ recordId: recordIdOf(requestId, first + offset), value })),
  );
}

/**
 * The outcomes of several batches. Most records have the same outcome, so each distinct outcome is written once, and
 * records refer to it by its index.
 */
export interface PackedOutcomes {
  kinds: HowItEnded[];
  /** Per batch, per record in batch order: an index into `kinds`. */
  of: number[][];
}

/** Packs the outcomes of several batches, each in batch order. */
export function packOutcomes(batches: readonly (readonly RecordOutcome[])[]): PackedOutcomes {
  const kinds: HowItEnded[] = [];
  const indexes = new Map<string, number>();
  const kindOf = (outcome: RecordOutcome): number => {
    const how = howItEnded(outcome);
    const text = JSON.stringify(how);
    const known = indexes.get(text);
    if (known !== undefined) return known;
    indexes.set(text, kinds.length);
    return kinds.push(how) - 1;
  };
  return { of: batches.map((outcomes) => outcomes.map(kindOf)), kinds };
}

/**
 * The records of one batch with their outcomes. Throws TypeError if an outcome is missing.
 * @param batch index of the batch in `of`
 * @param records the records of that batch, in batch order
 */
export function unpackOutcomes<T extends { recordId: string }>(
  { kinds, of }: PackedOutcomes,
  batch: number,
  records: readonly T[],
): (T & RecordOutcome)[] {
  return records.map((record, i) => {
    const outcome = kinds[of[batch]?.[i] ?? -1];
    if (outcome === undefined) throw new TypeError(`${record.recordId} has no outcome`);
    return { ...record, ...outcome };
  });
}

/** Counts the outcomes of all batches. */
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
