import { conflictingRules, type ConflictRule } from '../rules';
import { ALONE, placesUnder, type Place } from '../rules/places';
import type { CutBy } from '../rules/cut-by';
import type { JsonValue } from '../json';

/** A rule that a file violates, and the line numbers, from 1, of two records that conflict. */
export interface BrokenRule {
  rule: ConflictRule;
  records: [number, number];
}

/** Whether a file has too many records, and which rules it violates. */
export interface CutVerdict {
  overSize: boolean;
  broken: BrokenRule[];
}

/** Returns a check of files against what their batches were cut by (G1, G2). Caches the prepared rules of each list. */
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

/**
 * Returns a check of files against rules (G2): which rules do these values violate together in one file? Lists each rule
 * once, in order. One pass per rule finds a pair of values to suspect, because comparing all pairs of a file with a
 * thousand records takes minutes; the definition of a conflict then decides which rules the pair violates.
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

/** Returns a search for the first value that a rule keeps apart from an earlier one; gives the indices of both. */
function suspicionOf(rule: ConflictRule): (values: readonly JsonValue[]) => [number, number] | undefined {
  const placeOf = placesUnder(rule);
  return (values) => {
    // The first value at each place is enough: until a pair is found, all values at a place are on the same side.
    const first = new Map<string, { side: Place['side']; index: number }>();
    for (const [index, value] of values.entries()) {
      const found = placeOf(value);
      if (found === undefined) continue;
      const earlier = first.get(found.place);
      if (earlier === undefined) first.set(found.place, { side: found.side, index });
      else if (earlier.side !== found.side || found.side === ALONE) return [earlier.index, index];
    }
    return undefined;
  };
}
