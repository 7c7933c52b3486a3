import type { ConflictRule } from '../rules';
import type { JsonValue } from '../json';
import { classify } from './graph/classes';
import { cutClasses } from './cut-classes';

export interface PartitionOptions {
  /** As `parseConflictRules` accepts them. */
  rules: readonly ConflictRule[];
  /** The most records of one batch: an integer from 1. */
  maxBatchSize: number;
  /**
   * Elementary steps for searches where no rule of thumb is proved to be the best, of which 100,000 take about a
   * millisecond. Default: 200,000, and 150,000 for each record, up to 12 million. Fewer cost less time, and maybe more batches.
   */
  searchSteps?: number;
}

export interface PartitionResult<T> {
  /** Every record exactly once; no batch over `maxBatchSize` (G1), none with a conflict (G2); oldest batch first. */
  batches: T[][];
  /** No partition of these records under these rules has fewer batches than this. */
  lowerBound: number;
  /** Whether it is proved that no partition has fewer batches: `lowerBound` is their number. */
  isProved: boolean;
}

/**
 * Cuts records, given oldest first, into conflict-free batches. A batch holds its records by age, and batches are
 * ordered by their oldest record: each holds the oldest record that the earlier ones left (G7). The same records give
 * the same batches, on every host and in every replay: no clock, no randomness.
 *
 * This is mutual exclusion scheduling of unit jobs, or bin packing with conflicts where all items have one size: colour
 * a graph with colours that are used at most `maxBatchSize` times. It is NP-hard for every fixed size from 3 (Baker and
 * Coffman, Mutual exclusion scheduling, 1996), and from 4 for graphs as tame as interval graphs (Bodlaender and Jansen,
 * Restrictions of graph partition problems I, 1995). But the conflicts of a buffer are seldom arbitrary:
 *
 * | conflicts among these records | come from | batches |
 * | --- | --- | --- |
 * | none | | fewest |
 * | complete multipartite, and free records | one `pair`, `group`, `never` or `alike`, or several that come to one | fewest |
 * | disjoint cliques | one `distinct`; several, when no record repeats values of two | fewest |
 * | parts of which no two records share a batch | `alike` with other rules | as good as each part by itself |
 * | components of no more records than there are batches | rules with `same`, disjoint rules | fewest |
 * | bipartite | disjoint pairs, `never` with `same` | ⌈records / maxBatchSize⌉, or one more |
 * | any, among up to nine records that conflict | | fewest |
 * | any other | a mix of rules | few, by a search of bounded steps |
 *
 * In the first three cases, each batch in turn is the oldest that can be had without a batch more: of two candidates, the
 * older is the one with the oldest record that is not in both. `docs/PACKING.md` explains each case, and says how close
 * the search comes to the best known.
 *
 * Every search is bounded in elementary steps, whatever the rules and the batch size.
 * Throws RangeError when `maxBatchSize` isn't a positive integer, which is a mistake of the caller.
 *
 * @example
 * const records = [{ value: 1 }, { value: 2 }, { value: 3 }];
 * partition(records, { rules: [{ pair: [1, 2] }], maxBatchSize: 5 });
 * // { batches: [[{ value: 1 }, { value: 3 }], [{ value: 2 }]], lowerBound: 2, isProved: true }
 */
export function partition<T extends { value: JsonValue }>(
  records: readonly T[],
  { rules, maxBatchSize, searchSteps }: PartitionOptions,
): PartitionResult<T> {
  if (!Number.isSafeInteger(maxBatchSize) || maxBatchSize < 1) {
    throw new RangeError(`maxBatchSize has to be a positive integer, not ${maxBatchSize}`);
  }
  const { batches, lowerBound } = cutClasses(classify(records, rules), maxBatchSize, searchSteps);
  return {
    batches: batches.map((batch) => batch.map((index) => records[index] as T)),
    lowerBound,
    isProved: batches.length === lowerBound,
  };
}
