import { conflictingRules, membersOf, pointerOf, type ConflictRule } from './conflict-rules';
import { canonicalJson, type JsonValue } from './json';
import { parseJsonPointer, valueAt } from './json-pointer';

/** A rule that a file breaks, and the first two of its records that show it, counted from 1. */
export interface BrokenRule {
  rule: ConflictRule;
  records: [number, number];
}

/**
 * Makes a check for files (G2): which rules do these values, together in one file, break? Every rule that is broken is
 * told once. One pass per rule looks for two values to suspect, as comparing every pair would take minutes for files of a
 * thousand records; what a suspected pair breaks is then decided by the definition.
 */
export function createRuleCheck(
  rules: readonly ConflictRule[],
): (values: readonly JsonValue[]) => BrokenRule[] {
  const suspicions = rules.map(suspicionOf);
  return (values) => {
    const broken = new Map<number, BrokenRule>();
    for (const suspect of suspicions) {
      const [first, second] = suspect(values) ?? [];
      if (first === undefined || second === undefined) continue;
      for (const index of conflictingRules(values[first] ?? null, values[second] ?? null, rules)) {
        const rule = rules[index];
        if (rule === undefined || broken.has(index)) continue;
        broken.set(index, { rule, records: [first + 1, second + 1] });
      }
    }
    return [...broken.entries()].sort(([a], [b]) => a - b).map(([, rule]) => rule);
  };
}

/** Finds the first two values that one rule keeps apart, as indices. */
function suspicionOf(rule: ConflictRule): (values: readonly JsonValue[]) => [number, number] | undefined {
  const tokens = parseJsonPointer(pointerOf(rule));
  const members = membersOf(rule)?.map(canonicalJson);
  const isMember = new Set(members);
  return (values) => {
    const firstWith = new Map<string, number>();
    for (const [index, value] of values.entries()) {
      const part = valueAt(value, tokens);
      if (part === undefined) continue;
      const text = canonicalJson(part);
      if (members !== undefined && !isMember.has(text)) continue;
      const same = firstWith.get(text);
      const other =
        members === undefined ? same : same === undefined ? [...firstWith.values()][0] : undefined;
      if (other !== undefined) return [other, index];
      if (same === undefined) firstWith.set(text, index);
    }
    return undefined;
  };
}
