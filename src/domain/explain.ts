import type { ConflictRule } from './conflict-rules';
import { deferrals } from './explain/deferrals';
import { keepOut } from './explain/keep-out';
import { spotRecords } from './explain/spots';
import type { JsonValue } from './json';
import { partition, type PartitionOptions } from './partition';

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

export interface CutSummary {
  records: number;
  batches: number;
  /** No cut of these records under these rules has fewer batches than this. */
  lowerBound: number;
  /** Records per place in a batch, 0 to 1; 1 when there is no batch. */
  fillRatio: number;
  /**
   * Records that a rule made later than age alone would have: an earlier batch has room left, or has a younger record, and
   * has something that the rule keeps them apart from.
   */
  deferred: number;
  /** The same by rule, those that deferred any. A record that several deferred counts for each. */
  deferredBy: readonly RuleCount[];
}

/** What a cut looks like, batch by batch in its order, and as a whole. */
export interface Explanation<T> {
  batches: ExplainedBatch<T>[];
  summary: CutSummary;
}

/** A record of a batch that is to be explained. */
export interface CutRecord {
  value: JsonValue;
  /** Its age among all of them: smaller is older. */
  seq: number;
  /** Size of its value; needed where batches are limited by bytes. */
  bytes?: number;
}

export interface CutBy {
  rules: readonly ConflictRule[];
  maxBatchSize: number;
  /** As `partition` gives it. */
  lowerBound: number;
  /** Default: no limit. */
  maxBatchBytes?: number;
}

/**
 * Says of batches, given in the order in which they go, why each is no larger, and what the rules cost.
 *
 * Records are counted where rules put them, never compared in pairs: linear in the records and the rules that apply to
 * them, as long as no batch is kept from many differently ruled records by several rules at once.
 */
export function explainBatches<T extends CutRecord>(
  batches: readonly (readonly T[])[],
  { rules, maxBatchSize, lowerBound, maxBatchBytes = Infinity }: CutBy,
): Explanation<T> {
  const records = batches.flat();
  const spotted = spotRecords(records, rules);
  const keptOut = keepOut(spotted);
  const deferred = deferrals(spotted, maxBatchSize);
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
  const explained = batches.map((batch): ExplainedBatch<T> => {
    const indices = Array.from(batch, () => next++);
    const left = records.length - next;
    deferred.follow(batch, indices);
    keptOut.take(indices);
    if (batch.length >= maxBatchSize)
      return { records: batch, why: WHY_NO_LARGER.full, left, keptOut: [], tooLarge: 0, fitting: 0 };
    const { byRule, count, isKeptOut } = keptOut.of(indices);
    const tooLarge = countTooLarge(batch, next, isKeptOut);
    const fitting = left - count - tooLarge;
    return { records: batch, why: whyOf(left, fitting, tooLarge), left, keptOut: byRule, tooLarge, fitting };
  });

  return {
    batches: explained,
    summary: {
      records: records.length,
      batches: batches.length,
      lowerBound,
      fillRatio: batches.length === 0 ? 1 : records.length / (batches.length * maxBatchSize),
      ...deferred.counts(),
    },
  };
}

function whyOf(left: number, fitting: number, tooLarge: number): WhyNoLarger {
  if (left === 0) return WHY_NO_LARGER.nothingLeft;
  if (fitting > 0) return WHY_NO_LARGER.spread;
  return tooLarge > 0 ? WHY_NO_LARGER.bytes : WHY_NO_LARGER.rules;
}

/**
 * Cuts records, given oldest first, as `partition` does, and explains the cut.
 * Throws RangeError when `maxBatchSize` isn't a positive integer.
 */
export function explainPartition<T extends { value: JsonValue }>(
  records: readonly T[],
  options: PartitionOptions,
): Explanation<T> {
  const aged = records.map(({ value }, seq) => ({ value, seq }));
  const { batches, lowerBound } = partition(aged, options);
  const { rules, maxBatchSize } = options;
  const explained = explainBatches(batches, { rules, maxBatchSize, lowerBound });
  return {
    ...explained,
    batches: explained.batches.map((batch) => ({
      ...batch,
      records: batch.records.map(({ seq }) => records[seq] as T),
    })),
  };
}

function bytesOf(batch: readonly CutRecord[]): number {
  return batch.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
}
