import { deferrals } from './deferrals';
import { spotRecords } from './spots';
import {
  explainInTurn,
  type CutBounds,
  type CutRecord,
  type ExplainedBatch,
  type RuleCount,
} from './why-no-larger';
import type { JsonValue } from '../json';
import { partition, type PartitionOptions } from '../partition';

export { explainRecord, type PassedBatch } from './explain-record';
export { WHY_NO_LARGER } from './why-no-larger';
export type { CutRecord, ExplainedBatch, RuleCount, WhyNoLarger } from './why-no-larger';

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

export interface CutBy extends CutBounds {
  /** As `partition` gives it. */
  lowerBound: number;
}

/**
 * Says of batches, given in the order in which they go, why each is no larger, and what the rules cost.
 *
 * Records are counted where rules put them, never compared in pairs: linear in the records and the rules that apply to
 * them, as long as no batch is kept from many differently ruled records by several rules at once.
 */
export function explainBatches<T extends CutRecord>(
  batches: readonly (readonly T[])[],
  { rules, lowerBound, ...bounds }: CutBy,
): Explanation<T> {
  const { maxBatchSize } = bounds;
  const records = batches.flat();
  const spotted = spotRecords(records, rules);
  const explain = explainInTurn(records, spotted, bounds);
  const deferred = deferrals(spotted, maxBatchSize);
  let next = 0;
  const explained = batches.map((batch) => {
    deferred.follow(
      batch,
      Array.from(batch, () => next++),
    );
    return explain(batch);
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
