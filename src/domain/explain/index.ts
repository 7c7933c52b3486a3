import { deferrals, type DeferralCounts } from './deferrals';
import { classifyRecords } from './record-classes';
import { explainInTurn, type CutBounds, type CutRecord, type ExplainedBatch } from './why-no-larger';
import type { JsonValue } from '../json';
import { partition, type PartitionOptions } from '../partition';

export { explainRecord, type PassedBatch } from './explain-record';
export { WHY_NO_LARGER } from './why-no-larger';
export type { RuleCount } from './rule-counts';
export type { CutRecord, ExplainedBatch, WhyNoLarger } from './why-no-larger';

/** Summary of a partition. */
export interface CutSummary extends DeferralCounts {
  records: number;
  batches: number;
  /** No partition of these records under these rules has fewer batches. */
  lowerBound: number;
  /** Records divided by the total capacity of the batches, 0 to 1; 1 if there is no batch. */
  fillRatio: number;
}

/** Explains each batch of a partition, in order, and summarises it. */
export interface Explanation<T> {
  batches: ExplainedBatch<T>[];
  summary: CutSummary;
}

export interface CutBy extends CutBounds {
  /** From `partition`. */
  lowerBound: number;
}

/**
 * Explains why each batch has no more records, and what the rules cost. Batches are given in the order in which they
 * leave.
 *
 * Records are counted by place, never compared in pairs. The time is linear in the records and the rules that apply to
 * them, unless several rules together keep many records of different classes out of a batch.
 */
export function explainBatches<T extends CutRecord>(
  batches: readonly (readonly T[])[],
  { rules, lowerBound, ...bounds }: CutBy,
): Explanation<T> {
  const { maxBatchSize } = bounds;
  const records = batches.flat();
  const classified = classifyRecords(records, rules);
  const explain = explainInTurn(records, classified, bounds);
  const deferred = deferrals(classified, maxBatchSize);
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
 * Partitions records, given oldest first, as `partition` does, and explains the result.
 * Throws RangeError if `maxBatchSize` isn't a positive integer.
 *
 * @example
 * const records = [{ value: 1 }, { value: 2 }, { value: 3 }];
 * const { batches, summary } = explainPartition(records, { rules: [{ pair: [1, 2] }], maxBatchSize: 5 });
 * // batches[0]: records 1 and 3, why: 'rules', keptOut: [{ rule: 0, records: 1 }]; batches[1]: record 2, why: 'nothing_left'
 * // summary.lowerBound: 2, so no cut has fewer batches
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
