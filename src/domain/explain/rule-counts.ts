import type { RuleCount } from './index';

/** Records counted by the index of a rule, as they are told: in the order of the rules. */
export function inOrderOfRules(counts: ReadonlyMap<number, number>): RuleCount[] {
  return [...counts].map(([rule, records]): RuleCount => ({ rule, records })).sort((a, b) => a.rule - b.rule);
}
