/**
 * `keepapart`: the partitioner and the conflict rules by themselves, as pure functions. Nothing but them comes with the
 * import: no server, no Temporal, no dependency. See `docs/RULES.md`.
 *
 * ```ts
 * import { explainRecord, parseConflictRules, partition } from 'keepapart';
 *
 * const { rules, problems } = parseConflictRules([{ distinct: '/sku' }]);
 * if (problems.length > 0) throw new Error(JSON.stringify(problems));
 *
 * const rows = [{ value: { sku: 'a', stock: 2 } }, { value: { sku: 'a', stock: 1 } }, { value: { sku: 'b', stock: 7 } }];
 * const { batches, lowerBound, isProved } = partition(rows, { rules, maxBatchSize: 100 });
 * // batches: [[a 2, b 7], [a 1]]; lowerBound: 2; isProved: true, so that no cut has fewer
 * explainRecord(batches, rows[1], { rules, maxBatchSize: 100 });
 * // [{ batch: 0, why: 'rules', apartFrom: { record: a 2, rules: [0] } }]
 * ```
 *
 * A record is anything with a `value`, a JSON value, which the rules look at; what else it has is given back untouched.
 * One example for each kind of rule:
 *
 * ```ts
 * const rules: ConflictRule[] = [
 *   { pair: [1, 2] }, // 1 and 2 never share a batch
 *   { group: ['acme', 'globex', 'initech'], at: '/tenant' }, // no two of these tenants do
 *   { distinct: '/sku' }, // each sku at most once in a batch
 *   { alike: '/warehouse' }, // one warehouse to a batch
 *   { never: { left: { at: '/type', equals: 'debit' }, right: { at: '/type', equals: 'credit' } }, same: '/account' },
 * ];
 * ```
 *
 * It runs in a browser as well: nothing that it imports needs Node.
 */
export { conflictingRules, conflicts, parseConflictRules } from './rules';
export type {
  AlikeRule,
  ConflictRule,
  DistinctRule,
  GroupRule,
  NeverRule,
  PairRule,
  Selector,
} from './rules';
export type { FieldProblem } from './errors';
export { explainPartition, explainRecord, WHY_NO_LARGER } from './explain';
export type { CutSummary, ExplainedBatch, Explanation, PassedBatch, RuleCount, WhyNoLarger } from './explain';
export type { JsonValue } from './json';
export { partition } from './partition';
export type { PartitionOptions, PartitionResult } from './partition';
