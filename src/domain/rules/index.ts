export { conflictingRules, conflicts } from './conflicts';
export { parseConflictRules } from './parse';
export type { AlikeRule, ConflictRule, DistinctRule, GroupRule, NeverRule, PairRule, Selector } from './rule';
