import fc from 'fast-check';
import { portions } from '../../src/domain/portions';

const sizes = fc.array(fc.nat(20), { maxLength: 30 });
const bounds = fc.record({ items: fc.integer({ min: 1, max: 8 }), bytes: fc.nat(40) });

test('Portions keep every item in its order and stay within their bounds, except for a single large item.', () => {
  fc.assert(
    fc.property(sizes, bounds, (items, { items: maxItems, bytes: maxBytes }) => {
      const divided = portions(items, { items: maxItems, bytes: maxBytes }, (size) => size);
      expect(divided.flat()).toEqual(items);
      for (const portion of divided) {
        const bytes = portion.reduce((sum, size) => sum + size, 0);
        expect(portion.length).toBeGreaterThan(0);
        expect(portion.length <= maxItems && (portion.length === 1 || bytes <= maxBytes)).toBe(true);
      }
    }),
  );
});

test('A portion ends only when the next item does not fit into it.', () => {
  fc.assert(
    fc.property(sizes, bounds, (items, { items: maxItems, bytes: maxBytes }) => {
      const divided = portions(items, { items: maxItems, bytes: maxBytes }, (size) => size);
      for (const [i, next] of divided.slice(1).entries()) {
        const portion = divided[i] ?? [];
        const bytes = portion.reduce((sum, size) => sum + size, 0);
        expect(portion.length === maxItems || bytes + (next[0] ?? 0) > maxBytes).toBe(true);
      }
    }),
  );
});

test('Without bounds there is one portion, and none of an empty list.', () => {
  expect(portions([3, 1, 2], {})).toEqual([[3, 1, 2]]);
  expect(portions([], { items: 2 })).toEqual([]);
});
