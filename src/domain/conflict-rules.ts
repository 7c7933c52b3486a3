export { conflictingRules, conflicts } from './conflict-rules/conflicts';
export { parseConflictRules } from './conflict-rules/parse';
export type {
  AlikeRule,
  ConflictRule,
  DistinctRule,
  GroupRule,
  NeverRule,
  PairRule,
  Selector,
} from './conflict-rules/rule';
