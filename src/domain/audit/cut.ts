import { createRuleCheck, type BrokenRule } from './rules';
import type { ConflictRule } from '../rules';
import type { CutBy } from '../rules/cut-by';
import type { JsonValue } from '../json';

/** Whether a file holds too many records, and which rules it breaks. */
export interface CutVerdict {
  overSize: boolean;
  broken: BrokenRule[];
}

/** Holds files against what they were cut by (G1, G2). What a list of rules has to have made ready is kept. */
export function createCutCheck(): (values: readonly JsonValue[], cutBy: CutBy) => CutVerdict {
  const checks = new Map<string, ReturnType<typeof createRuleCheck>>();
  const checkOf = (rules: readonly ConflictRule[]) => {
    const text = JSON.stringify(rules);
    const known = checks.get(text) ?? createRuleCheck(rules);
    checks.set(text, known);
    return known;
  };
  return (values, { maxBatchSize, rules }) => ({
    overSize: values.length > maxBatchSize,
    broken: checkOf(rules)(values),
  });
}
