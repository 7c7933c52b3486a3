/**
 * `keepapart`: the partitioner and the conflict rules as pure functions, without a server, Temporal or any dependency.
 * See `docs/RULES.md`.
 *
 * ```ts
 * import { explainRecord, parseConflictRules, partition } from 'keepapart';
 *
 * const { rules, problems } = parseConflictRules([{ distinct: '/sku' }]);
 * if (problems.length > 0) throw new Error(JSON.stringify(problems));
 *
 * const rows = [{ value: { sku: 'a', stock: 2 } }, { value: { sku: 'a', stock: 1 } }, { value: { sku: 'b', stock: 7 } }];
 * const { batches, lowerBound, isProved } = partition(rows, { rules, maxBatchSize: 100 });
 * // batches: [[a 2, b 7], [a 1]]; lowerBound: 2; isProved: true: no partition has fewer batches
 * explainRecord(batches, rows[1], { rules, maxBatchSize: 100 });
 * // [{ batch: 0, why: 'rules', apartFrom: { record: a 2, rules: [0] } }]
 * ```
 *
 * A record is any object with a `value`, the JSON value that the rules look at; its other members are returned untouched.
 * One example of each kind of rule:
 *
 * ```ts
 * const rules: ConflictRule[] = [
 *   { pair: [1, 2] }, // 1 and 2 never share a batch
 *   { group: ['acme', 'globex', 'initech'], at: '/tenant' }, // no two of these tenants share a batch
 *   { distinct: '/sku' }, // each sku at most once per batch
 *   { alike: '/warehouse' }, // one warehouse per batch
 *   { never: { left: { at: '/type', equals: 'debit' }, right: { at: '/type', equals: 'credit' } }, same: '/account' },
 * ];
 * ```
 *
 * It also runs in browsers: it imports nothing that needs Node.
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
export type { FieldProblem } from './field-problems';
export { explainPartition, explainRecord, WHY_NO_LARGER } from './explain';
export type { CutSummary, ExplainedBatch, Explanation, PassedBatch, RuleCount, WhyNoLarger } from './explain';
export type { JsonValue } from './json';
export { partition } from './partition';
export type { PartitionOptions, PartitionResult } from './partition';
