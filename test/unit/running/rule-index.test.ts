import fc from 'fast-check';
import { ALONE } from '../../../src/domain/rules/places';
import { RuleIndex, type RulePlace } from '../../../src/domain/running/rule-index';
import { conflictingRules, type ConflictRule } from '../../../src/domain/rules';
import type { JsonValue } from '../../../src/domain/json';
import { conflictRules, recordValue } from '../../helpers/arbitraries';

const collide = (a: RulePlace, b: RulePlace) =>
  a.rule === b.rule && a.place === b.place && (a.side !== b.side || a.side === ALONE);

test('Two records conflict exactly if a rule puts them on different sides of one place, or one of them must be alone there.', () => {
  fc.assert(
    fc.property(conflictRules, recordValue, recordValue, (rules, a, b) => {
      const index = new RuleIndex(rules);
      const [ofA, ofB] = [index.placesOf(a), index.placesOf(b)];
      const broken = ofA
        .filter((place) => ofB.some((other) => collide(place, other)))
        .map(({ rule }) => rule);
      expect(broken).toEqual(conflictingRules(a, b, rules));
    }),
    { numRuns: 500 },
  );
});

test('The rules that apply to records are exactly those by which any of them can conflict.', () => {
  const rules: ConflictRule[] = [
    { pair: [1, 2] },
    { distinct: '/id' },
    { group: ['a', { b: 1 }], at: '/x' },
    { pair: [3, 4] },
  ];
  const applying = (...values: JsonValue[]) =>
    new RuleIndex(rules).applyingTo(values.map((value) => ({ value }))).map((rule) => rules.indexOf(rule));
  expect(applying(1)).toEqual([0]);
  expect(applying(4, 1)).toEqual([0, 3]);
  expect(applying({ id: null, x: { b: 1 } })).toEqual([1, 2]);
  expect(applying('a', 5, {}, [])).toEqual([]);
});
