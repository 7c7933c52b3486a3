/** How many records a rule kept out, or deferred. */
export interface RuleCount {
  /** Index of the rule. */
  rule: number;
  records: number;
}

/** Counts by index of a rule as a list, in the order of the rules. */
export function inOrderOfRules(counts: ReadonlyMap<number, number>): RuleCount[] {
  return [...counts].map(([rule, records]): RuleCount => ({ rule, records })).sort((a, b) => a.rule - b.rule);
}
