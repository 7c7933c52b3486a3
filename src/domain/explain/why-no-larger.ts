import type { ConflictRule } from '../rules';
import type { JsonValue } from '../json';
import { totalBytes } from '../records/record';
import { keptOutCounter } from './kept-out';
import type { ClassifiedRecords } from './record-classes';
import type { RuleCount } from './rule-counts';

/** Why a batch has no more records. The first that applies, in this order. */
export const WHY_NO_LARGER = {
  /** It has the maximum number of records. */
  full: 'full',
  /** No records remained. */
  nothingLeft: 'nothing_left',
  /** All remaining records conflict with records of the batch. */
  rules: 'rules',
  /** All remaining records that no rule keeps out would exceed the batch's maximum size in bytes. */
  bytes: 'bytes',
  /** Some remaining records would have fitted, but are in later batches, which doesn't increase the number of batches. */
  spread: 'spread',
} as const;
export type WhyNoLarger = (typeof WHY_NO_LARGER)[keyof typeof WHY_NO_LARGER];

/** A batch, and why it has no more records. */
export interface ExplainedBatch<T> {
  records: readonly T[];
  why: WhyNoLarger;
  /** Number of remaining records: those of later batches. The following three count these; 0 and empty if `why` is `full`. */
  left: number;
  /** Records that rules kept out, by rule, in the order of the rules. A record that several rules kept out counts for each. */
  keptOut: readonly RuleCount[];
  /** Records that no rule kept out, but that would exceed the maximum size in bytes. */
  tooLarge: number;
  /** Records that could have been added. */
  fitting: number;
}

/** A record of a batch to explain. */
export interface CutRecord {
  value: JsonValue;
  /** Order of acceptance: smaller is older. */
  seq: number;
  /** Size of its value; required if batches are limited in bytes. */
  bytes?: number;
}

/** Limits of a batch. */
export interface CutBounds {
  rules: readonly ConflictRule[];
  maxBatchSize: number;
  /** Default: no limit. */
  maxBatchBytes?: number;
}

/**
 * Returns a function to be called with each batch in turn, which explains why it has no more records. `records` are
 * those of the batches, in order, then those in no batch; the records after a batch are those that remained for it.
 */
export function explainInTurn<T extends CutRecord>(
  records: readonly T[],
  classified: ClassifiedRecords,
  { maxBatchSize, maxBatchBytes = Infinity }: Omit<CutBounds, 'rules'>,
): (batch: readonly T[]) => ExplainedBatch<T> {
  const keptOut = keptOutCounter(classified);
  const largest = records.reduce((most, { bytes = 0 }) => Math.max(most, bytes), 0);
  /** How many of the records from index `next` on are kept out of a batch by its size in bytes only. */
  const countTooLarge = (batch: readonly T[], next: number, isKeptOut: (record: number) => boolean) => {
    const room = maxBatchBytes - totalBytes(batch);
    // Only few batches are close to their maximum size, so checking the remaining records one by one is affordable.
    if (room >= largest) return 0;
    let count = 0;
    for (let index = next; index < records.length; index++)
      if ((records[index]?.bytes ?? 0) > room && !isKeptOut(index)) count++;
    return count;
  };

  let next = 0;
  return (batch) => {
    const indices = Array.from(batch, () => next++);
    const left = records.length - next;
    keptOut.take(indices);
    if (batch.length >= maxBatchSize)
      return { records: batch, why: WHY_NO_LARGER.full, left, keptOut: [], tooLarge: 0, fitting: 0 };
    const { byRule, count, isKeptOut } = keptOut.of(indices);
    const tooLarge = countTooLarge(batch, next, isKeptOut);
    const fitting = left - count - tooLarge;
    return { records: batch, why: whyOf(left, fitting, tooLarge), left, keptOut: byRule, tooLarge, fitting };
  };
}

function whyOf(left: number, fitting: number, tooLarge: number): WhyNoLarger {
  if (left === 0) return WHY_NO_LARGER.nothingLeft;
  if (fitting > 0) return WHY_NO_LARGER.spread;
  return tooLarge > 0 ? WHY_NO_LARGER.bytes : WHY_NO_LARGER.rules;
}
