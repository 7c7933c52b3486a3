import fc from 'fast-check';
import { conflicts, type ConflictRule } from '../../../src/domain/rules';
import { partition } from '../../../src/domain/partition';
import { splitBetween } from '../../../src/domain/partition/split-between';
import { recordsOf } from '../../helpers/arbitraries';

const PAIRS: ConflictRule[] = [0, 2, 4, 6, 8, 10].map((each) => ({ pair: [each, each + 1] }));

describe('splitBetween', () => {
  const pairs = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })), {
    maxLength: 8,
  });

  test('finds a split exactly if there is one, as trying all of them does', () => {
    fc.assert(
      fc.property(pairs, fc.nat(10), fc.nat(10), (given, first, second) => {
        const isSplit = (inFirst: (index: number) => boolean) =>
          given.reduce((sum, [one], i) => sum + (inFirst(i) ? one : 0), 0) >= first &&
          given.reduce((sum, [, other], i) => sum + (inFirst(i) ? 0 : other), 0) >= second;
        const ways = [...Array(2 ** given.length).keys()];
        const found = splitBetween(given, first, second);
        expect(found !== undefined).toBe(ways.some((way) => isSplit((index) => (way & (1 << index)) !== 0)));
        if (found) expect(isSplit((index) => found[index] === true)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('partition of pairs without common values', () => {
  test('needs a batch more than all records together at most', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 13 }), { maxLength: 120 }),
        fc.integer({ min: 2, max: 9 }),
        (values, maxBatchSize) => {
          const { batches } = partition(recordsOf(values), { rules: PAIRS, maxBatchSize });
          const least = Math.ceil(values.length / maxBatchSize);
          expect(batches.length).toBeGreaterThanOrEqual(least);
          expect(batches.length).toBeLessThanOrEqual(least + 1);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('needs no batch more with as many pairs as a batch holds records', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 13 }), { maxLength: 120 }),
        fc.integer({ min: 2, max: 6 }),
        (more, maxBatchSize) => {
          const values = [...Array(12).keys(), ...more];
          const { batches } = partition(recordsOf(values), { rules: PAIRS, maxBatchSize });
          expect(batches).toHaveLength(Math.ceil(values.length / maxBatchSize));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('makes no batch too large (G1), and none with both values of a pair (G2)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 60 }),
        fc.integer({ min: 2, max: 9 }),
        (values, maxBatchSize) => {
          const { batches } = partition(recordsOf(values), { rules: PAIRS, maxBatchSize });
          for (const batch of batches) {
            expect(batch.length).toBeLessThanOrEqual(maxBatchSize);
            const isApart = (a: number, b: number) => conflicts(a, b, PAIRS);
            expect(
              batch.filter((a) => batch.some((b) => isApart(a.value as number, b.value as number))),
            ).toEqual([]);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
