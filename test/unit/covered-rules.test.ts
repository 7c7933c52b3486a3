import fc from 'fast-check';
import { conflicts, parseConflictRules, type ConflictRule } from '../../src/domain/rules';
import { coveredRules } from '../../src/domain/rules/covered-rules';
import { conflictRule, conflictRules, recordValue } from '../helpers/arbitraries';

test("A covered rule keeps no records apart that the covering rule doesn't.", () => {
  const values = fc.array(recordValue, { minLength: 2, maxLength: 12 });
  // Of two rules at random, one seldom covers the other: many, and all pairs of some records.
  fc.assert(
    fc.property(fc.array(conflictRule, { minLength: 2, maxLength: 30 }), values, (rules, records) => {
      for (const { rule, by } of coveredRules(rules)) {
        for (const a of records)
          for (const b of records)
            if (conflicts(a, b, [rules[rule]!])) expect(conflicts(a, b, [rules[by]!])).toBe(true);
      }
    }),
  );
});

test('No two valid rules cover each other.', () => {
  fc.assert(
    fc.property(conflictRules, (rules) => {
      const covered = coveredRules(rules);
      for (const { rule, by } of covered) expect(covered).not.toContainEqual({ rule: by, by: rule });
    }),
    { numRuns: 1000 },
  );
});

const never = (left: object, right: object, same?: string) =>
  ({ never: { left, right }, ...(same === undefined ? {} : { same }) }) as ConflictRule;

test.each<[ConflictRule, ConflictRule]>([
  [{ pair: [1, 3] }, { group: [1, 2, 3] }],
  [
    { pair: [1, 2], at: '/b', same: '/a' },
    { pair: [1, 2], at: '/b' },
  ],
  [{ distinct: '/id', same: '/day' }, { distinct: '/id' }],
  [{ alike: '/a/b' }, { alike: '/a' }],
  [{ alike: '/a', same: '/b' }, { alike: '/a' }],
  [{ alike: '/a', same: '/b' }, { distinct: '/b' }],
  [{ group: [1, 2, 3], at: '/a' }, { alike: '/a' }],
  [never({ at: '/a', below: 2 }, { at: '/a', above: 2 }), { alike: '/a' }],
  [{ distinct: '/id', same: '/day' }, { distinct: '/day' }],
  [{ group: [1, 2, 3], at: '/type', same: ['/id', '/day'] }, { distinct: '/id' }],
  [never({ equals: 1 }, { equals: 5 }), never({ atLeast: 4 }, { below: 2 })],
  [
    never({ at: '/a', prefix: 'x' }, { at: '/c', in: [1, 2] }, '/b'),
    never({ at: '/c', in: [1, 2, 3] }, { at: '/a', prefix: 'x' }),
  ],
  [never({ at: '/a', prefix: 'x' }, { equals: 1 }), never({ at: '/a' }, { equals: 1 })],
])('The rule %j is covered by %j, but not vice versa', (narrow, wide) => {
  expect(parseConflictRules([narrow, wide]).problems).toEqual([]);
  expect(coveredRules([narrow, wide])).toEqual([{ rule: 0, by: 1 }]);
  expect(coveredRules([wide, narrow])).toEqual([{ rule: 1, by: 0 }]);
});

test.each<[ConflictRule, ConflictRule]>([
  [{ pair: [1, 4] }, { group: [1, 2, 3] }],
  [{ pair: [1, 2], at: '/a' }, { group: [1, 2, 3] }],
  [
    { pair: [1, 2], same: '/a' },
    { pair: [1, 2], same: '/b' },
  ],
  [{ distinct: '/id' }, { distinct: '/day' }],
  [never({ atLeast: 4 }, { below: 2 }), never({ atLeast: 5 }, { below: 2 })],
  [never({ at: '/a' }, { equals: 1 }), never({ at: '/a', prefix: 'x' }, { equals: 1 })],
])('Neither of the rules %j and %j covers the other', (a, b) => {
  expect(coveredRules([a, b]).filter(({ rule }) => rule === 0)).toEqual([]);
});
