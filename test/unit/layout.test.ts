import fc from 'fast-check';
import { MINUTE } from '../../src/domain/duration';
import {
  NO_LAYOUT,
  adoptLayout,
  isSameLayout,
  mergeLayouts,
  nextLayout,
  shardsWithKeys,
  type Layout,
} from '../../src/domain/windows/layout';

const WINDOW_MS = 10 * MINUTE;

const anyLayout: fc.Arbitrary<Layout> = fc
  .record({
    version: fc.nat(4),
    shards: fc.integer({ min: 1, max: 5 }),
    before: fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.nat(9)), {
      selector: ([count]) => count,
    }),
  })
  .map((layout) => mergeLayouts(layout, NO_LAYOUT));

test("The layout in force, with its earlier numbers of shards, doesn't depend on the order in which batchers receive layouts.", () => {
  fc.assert(
    fc.property(anyLayout, anyLayout, anyLayout, (a, b, c) => {
      expect(mergeLayouts(a, b)).toEqual(mergeLayouts(b, a));
      expect(mergeLayouts(a, a)).toEqual(a);
      const told = (...layouts: Layout[]) =>
        layouts.reduce((known, layout) => adoptLayout(known, layout, WINDOW_MS, 0), NO_LAYOUT);
      expect(isSameLayout(told(a, b, c), told(c, b, a))).toBe(true);
    }),
  );
});

test('A process that starts with a different number of shards puts it in force; one with the same number changes nothing.', () => {
  const two = nextLayout(NO_LAYOUT, 2, 0);
  expect(two).toEqual({ version: 1, shards: 2, before: [] });
  expect(nextLayout(two, 2, 0)).toBe(two);
  const three = nextLayout(two, 3, 90 * MINUTE);
  expect(three).toEqual({ version: 2, shards: 3, before: [[2, 90]] });
  // Whether a batcher knew of the earlier number or is new.
  for (const known of [two, NO_LAYOUT])
    expect(adoptLayout(known, three, WINDOW_MS, 90 * MINUTE)).toEqual(three);
});

test('An earlier number of shards is known until its keys are forgotten, and no longer.', () => {
  const known = adoptLayout(nextLayout(NO_LAYOUT, 4, 0), { version: 2, shards: 1, before: [] }, WINDOW_MS, 0);
  expect([shardsWithKeys(known), shardsWithKeys({ ...known, before: [] })]).toEqual([4, 1]);
  expect(adoptLayout(known, known, WINDOW_MS, WINDOW_MS).before).toEqual([[4, 0]]);
  expect(adoptLayout(known, known, WINDOW_MS, WINDOW_MS + MINUTE).before).toEqual([]);
});

test('When an earlier number of shards is in force again, the one in between is listed as earlier.', () => {
  const layouts = [2, 3, 2].reduce(
    (known, shards) => adoptLayout(known, nextLayout(known, shards, 5 * MINUTE), WINDOW_MS, 5 * MINUTE),
    NO_LAYOUT,
  );
  expect(layouts).toEqual({ version: 3, shards: 2, before: [[3, 5]] });
});
