import fc from 'fast-check';
import { conflicts, type ConflictRule, type Selector } from '../../../src/domain/rules';
import { meaningOf } from '../../../src/domain/rules/meaning';
import { conflictRule, recordValue } from '../../helpers/arbitraries';

/** The same in other words. */
function reworded(rule: ConflictRule): ConflictRule {
  const { same } = rule;
  const scope = same === undefined ? {} : { same: typeof same === 'string' ? [same] : same.toReversed() };
  if ('pair' in rule) return { at: '', ...rule, ...scope, pair: [rule.pair[1], rule.pair[0]] };
  if ('group' in rule) return { at: '', ...rule, ...scope, group: rule.group.toReversed() };
  if ('distinct' in rule || 'alike' in rule) return { ...rule, ...scope };
  const { left, right } = rule.never;
  return { ...scope, never: { left: rewordedSelector(right), right: rewordedSelector(left) } };
}

function rewordedSelector(selector: Selector): Selector {
  const { equals, ...rest } = { at: '', ...selector };
  if (equals !== undefined) return { ...rest, in: [equals] };
  return rest.in ? { ...rest, in: rest.in.toReversed() } : rest;
}

test('Rules in different notation have the same meaning.', () => {
  fc.assert(
    fc.property(conflictRule, (rule) => {
      expect(meaningOf(reworded(rule))).toBe(meaningOf(rule));
    }),
    { numRuns: 500 },
  );
});

test('Rules with the same meaning keep the same records apart.', () => {
  const some = fc.sample(conflictRule, { seed: 1, numRuns: 3000 });
  const byMeaning = new Map<string, Map<string, ConflictRule>>();
  for (const rule of some) {
    const alike = byMeaning.get(meaningOf(rule)) ?? new Map<string, ConflictRule>();
    byMeaning.set(meaningOf(rule), alike.set(JSON.stringify(rule), rule));
  }
  const alike = [...byMeaning.values()].filter(({ size }) => size > 1).map((rules) => [...rules.values()]);
  expect(alike.length).toBeGreaterThan(50);
  fc.assert(
    fc.property(fc.constantFrom(...alike), recordValue, recordValue, (rules, a, b) => {
      expect(new Set(rules.map((rule) => conflicts(a, b, [rule]))).size).toBe(1);
    }),
    { numRuns: 2000 },
  );
});
