import { conflictingRules, type ConflictRule } from '../rules';
import { ALONE, placesUnder, type Place } from '../rules/places';
import type { JsonValue } from '../json';

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

/** Finds the first value that one rule keeps apart from an earlier one, as indices. */
function suspicionOf(rule: ConflictRule): (values: readonly JsonValue[]) => [number, number] | undefined {
  const placeOf = placesUnder(rule);
  return (values) => {
    // One for each place is enough: as long as nothing is suspect, all there are on one side.
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
