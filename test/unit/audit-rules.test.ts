import fc from 'fast-check';
import { createRuleCheck } from '../../src/domain/audit/rules';
import { conflictingRules } from '../../src/domain/rules';
import { conflictRules, fewRecordValues } from '../helpers/arbitraries';

test('A file violates exactly the rules that keep two of its records apart, and a pair is listed for each (G2).', () => {
  fc.assert(
    fc.property(conflictRules, fewRecordValues, (rules, values) => {
      const expected = new Set(
        values.flatMap((a, i) => values.slice(i + 1).flatMap((b) => conflictingRules(a, b, rules))),
      );
      const broken = createRuleCheck(rules)(values);
      expect(broken.map(({ rule }) => rules.indexOf(rule))).toEqual([...expected].sort((a, b) => a - b));
      for (const {
        rule,
        records: [a, b],
      } of broken) {
        expect(a).toBeLessThan(b);
        expect(conflictingRules(values[a - 1]!, values[b - 1]!, [rule])).toEqual([0]);
      }
    }),
    { numRuns: 500 },
  );
});

test('Each violated rule is listed once, with the first records that violate it.', () => {
  const check = createRuleCheck([{ pair: [1, 2] }, { distinct: '' }]);
  expect(check([3, 2, 1, 1, 2])).toEqual([
    { rule: { pair: [1, 2] }, records: [2, 3] },
    { rule: { distinct: '' }, records: [3, 4] },
  ]);
});
