import fc from 'fast-check';
import { selects } from '../../../src/domain/rules/selector';
import { areDisjoint, holds, isEmpty, selectedValues } from '../../../src/domain/rules/value-set';
import type { Selector } from '../../../src/domain/rules';
import { fewJson, recordValue, selector } from '../../helpers/arbitraries';

const value = fc.oneof(
  recordValue,
  fewJson,
  fc.integer({ min: -1, max: 5 }),
  fc.constantFrom('a', 'ab', 'b', '\uffff', '\uffffa', '{"a":1}'),
);
/** Of the whole record, so that the value is what the condition is about. */
const ofWhole = selector.map((asked) => ({ ...asked, at: '' }));

test.each<[Selector, unknown[], unknown[]]>([
  [{ at: '/a' }, [{ a: null }, { a: [] }], [{}, 'a', [1]]],
  [{ at: '/a', equals: { x: 1, y: 2 } }, [{ a: { y: 2, x: 1 } }], [{ a: '{"x":1,"y":2}' }, { x: 1, y: 2 }]],
  [{ in: [0, 'a', []] }, [0, -0, 'a', []], ['0', null, false, [0]]],
  [{ prefix: 'ab' }, ['ab', 'abc'], ['a', 'b', ['ab'], 12]],
  [{ atLeast: 1, below: 3 }, [1, 2.5], [0.5, 3, '2', null]],
  [
    { above: '2026-01-01', atMost: '2026-02' },
    ['2026-01-01T00', '2026-02'],
    ['2026-01-01', '2026-02-01', 2026],
  ],
])('The selector %j selects %j and none of %j', (asked, selected, others) => {
  expect(selected.filter((each) => !selects(asked, each as never))).toEqual([]);
  expect(others.filter((each) => selects(asked, each as never))).toEqual([]);
});

test('The value set of a selector contains exactly the values that it selects.', () => {
  fc.assert(
    fc.property(ofWhole, value, (asked, each) => {
      expect(holds(selectedValues(asked), each)).toBe(selects(asked, each));
    }),
    { numRuns: 1000 },
  );
});

test('An empty value set contains no value, and disjoint ones have no value in common.', () => {
  const set = ofWhole.map(selectedValues);
  fc.assert(
    fc.property(set, set, value, (a, b, each) => {
      if (isEmpty(a)) expect(holds(a, each)).toBe(false);
      else if (!isEmpty(b) && areDisjoint(a, b)) expect(holds(a, each) && holds(b, each)).toBe(false);
      expect(areDisjoint(a, b)).toBe(areDisjoint(b, a));
    }),
    { numRuns: 2000 },
  );
});
