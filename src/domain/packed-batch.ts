import type { JsonValue } from './json';
import { howItEnded, tallyOutcomes, type OutcomeTally, type RecordOutcome } from './outcome';
import { recordIdOf, type KeptRecord } from './record';

/*
 * Batches that share a workflow are said as briefly as may be: what they are started with stands in two histories, and
 * so does what they end with.
 */

/** Consecutive records of one request: [requestId, index of the first, values]. */
type PackedRecords = [requestId: string, firstIndex: number, values: JsonValue[]][];

/** The records of a batch in order, ids said once per request where they follow one another. */
export type PackedBatch = PackedRecords;

interface RequestedRecord {
  requestId: string;
  index: number;
  value: JsonValue;
}

export function packBatch(records: readonly RequestedRecord[]): PackedBatch {
  const packed: PackedBatch = [];
  for (const { requestId, index, value } of records) {
    const last = packed.at(-1);
    if (last?.[0] === requestId && last[1] + last[2].length === index) last[2].push(value);
    else packed.push([requestId, index, [value]]);
  }
  return packed;
}

export function unpackBatch(packed: PackedBatch): KeptRecord[] {
  return packed.flatMap(([requestId, first, values]) =>
    values.map((value, offset) => ({ recordId: recordIdOf(requestId, first + offset), value })),
  );
}

/** Outcomes in batch order, said once for consecutive records that ended alike: [how many, how]. */
export type PackedOutcomes = [count: number, outcome: Omit<RecordOutcome, 'recordId'>][];

export function packOutcomes(outcomes: readonly RecordOutcome[]): PackedOutcomes {
  const packed: PackedOutcomes = [];
  let lastText: string | undefined;
  for (const outcome of outcomes) {
    const how = howItEnded(outcome);
    const text = JSON.stringify(how);
    const last = packed.at(-1);
    if (last !== undefined && text === lastText) last[0]++;
    else packed.push([1, how]);
    lastText = text;
  }
  return packed;
}

/** @param records those of the batch, in its order */
export function unpackOutcomes<T extends { recordId: string }>(
  packed: PackedOutcomes,
  records: readonly T[],
): (T & RecordOutcome)[] {
  const outcomes = packed.flatMap(([count, outcome]) => Array.from({ length: count }, () => outcome));
  return records.map((record, i) => {
    const outcome = outcomes[i];
    if (outcome === undefined) throw new TypeError(`there is no outcome of ${record.recordId}`);
    return { ...record, ...outcome };
  });
}

export function tallyPacked(packed: PackedOutcomes): OutcomeTally {
  const tally = { saved: 0, rolledBack: 0, retries: 0 };
  for (const [count, outcome] of packed) {
    const one = tallyOutcomes([outcome]);
    tally.saved += count * one.saved;
    tally.rolledBack += count * one.rolledBack;
    tally.retries += count * one.retries;
  }
  return tally;
}
