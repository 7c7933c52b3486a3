import type { ConflictRule } from '../rules';
import type { JsonValue } from '../json';
import { keepOut } from './keep-out';
import type { Spotted } from './spots';

/** Why a batch holds no more records. The first that applies, in this order. */
export const WHY_NO_LARGER = {
  /** It has as many as a batch may have. */
  full: 'full',
  /** No later batch has a record that it could have. */
  nothingLeft: 'nothing_left',
  /** Every record that was left conflicts with something in it. */
  rules: 'rules',
  /** What no rule keeps out of it would make it larger than a batch may be in bytes. */
  bytes: 'bytes',
  /** Some that were left would have fitted, and are in later batches: the cut has no batch more for that. */
  spread: 'spread',
} as const;
export type WhyNoLarger = (typeof WHY_NO_LARGER)[keyof typeof WHY_NO_LARGER];

/** How many records a rule kept out, or deferred. */
export interface RuleCount {
  /** Index of the rule. */
  rule: number;
  records: number;
}

export interface ExplainedBatch<T> {
  records: readonly T[];
  why: WhyNoLarger;
  /** Records of later batches; what the next three count is among them. Those are 0 and empty when `why` is `full`. */
  left: number;
  /** By each rule that kept any out, in the order of the rules. A record that several kept out counts for each. */
  keptOut: readonly RuleCount[];
  /** Kept out by no rule, but too large. */
  tooLarge: number;
  /** Kept out by nothing. */
  fitting: number;
}

/** A record of a batch that is to be explained. */
export interface CutRecord {
  value: JsonValue;
  /** Its age among all of them: smaller is older. */
  seq: number;
  /** Size of its value; needed where batches are limited by bytes. */
  bytes?: number;
}

/** What a batch may be at most. */
export interface CutBounds {
  rules: readonly ConflictRule[];
  maxBatchSize: number;
  /** Default: no limit. */
  maxBatchBytes?: number;
}

/**
 * Says of one batch after the other why it is no larger. The batches are the first of these records, in their order; the
 * records behind a batch are what was left for it.
 */
export function explainInTurn<T extends CutRecord>(
  records: readonly T[],
  spotted: Spotted,
  { maxBatchSize, maxBatchBytes = Infinity }: Omit<CutBounds, 'rules'>,
): (batch: readonly T[]) => ExplainedBatch<T> {
  const keptOut = keepOut(spotted);
  const largest = records.reduce((most, { bytes = 0 }) => Math.max(most, bytes), 0);
  /** How many of the records behind some are kept out of a batch by its bytes alone. */
  const countTooLarge = (batch: readonly T[], next: number, isKeptOut: (record: number) => boolean) => {
    const room = maxBatchBytes - bytesOf(batch);
    // Batches that are nearly as large as they may be are few: those behind them are then looked at one by one.
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

function bytesOf(batch: readonly CutRecord[]): number {
  return batch.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
}
