/**
 * `keepapart`: the partitioner and the conflict rules by themselves, as pure functions. Nothing but them comes with the
 * import: no server, no Temporal, no dependency. See `docs/RULES.md`.
 *
 * ```ts
 * import { parseConflictRules, partition } from 'keepapart';
 *
 * const { rules, problems } = parseConflictRules([{ distinct: '/sku' }]);
 * if (problems.length > 0) throw new Error(JSON.stringify(problems));
 *
 * const rows = [{ value: { sku: 'a', stock: 2 } }, { value: { sku: 'a', stock: 1 } }, { value: { sku: 'b', stock: 7 } }];
 * const { batches, lowerBound } = partition(rows, { rules, maxBatchSize: 100 });
 * // batches: [[a 2, b 7], [a 1]]; lowerBound: 2, so that no cut has fewer
 * ```
 *
 * A record is anything with a `value`, a JSON value, which the rules look at; what else it has is given back untouched.
 */
export { conflictingRules, conflicts, parseConflictRules } from './conflict-rules';
export type {
  AlikeRule,
  ConflictRule,
  DistinctRule,
  GroupRule,
  NeverRule,
  PairRule,
  Selector,
} from './conflict-rules';
export type { FieldProblem } from './errors';
export { explainPartition, WHY_NO_LARGER } from './explain';
export type { CutSummary, ExplainedBatch, Explanation, RuleCount, WhyNoLarger } from './explain';
export type { JsonValue } from './json';
export { partition } from './partition';
export type { PartitionOptions, PartitionResult } from './partition';
