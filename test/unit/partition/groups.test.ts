import fc from 'fast-check';
import type { ConflictRule } from '../../../src/domain/rules';
import { partition } from '../../../src/domain/partition';
import { recordsOf } from '../../helpers/arbitraries';
import { exactPartition } from '../../helpers/exact-partition';

/** Rules of which the conflicts among the values 1 to 6 are complete multipartite, whichever of them are there. */
const rules = fc.constantFrom<ConflictRule[][]>(
  [],
  [{ pair: [1, 2] }],
  [{ group: [1, 2, 3] }],
  [{ group: [1, 2, 3, 4, 5] }],
  [{ pair: [1, 2] }, { pair: [1, 3] }],
  [{ pair: [1, 2] }, { pair: [2, 3] }, { pair: [3, 1] }],
  [{ pair: [1, 2] }, { pair: [2, 3] }, { pair: [3, 4] }, { pair: [4, 1] }],
  [{ pair: [1, 2] }, { pair: [8, 9] }],
);

describe('partition of groups that are kept apart', () => {
  test('finds the fewest batches, each in turn the oldest possible, as an exhaustive search does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 8 }),
        rules,
        fc.integer({ min: 1, max: 4 }),
        (values, conflictRules, maxBatchSize) => {
          const buffer = recordsOf(values);
          const { batches, lowerBound } = partition(buffer, { rules: conflictRules, maxBatchSize });
          const exact = exactPartition(values, conflictRules, maxBatchSize);
          expect(batches.map((batch) => batch.map((record) => buffer.indexOf(record)))).toEqual(exact.oldest);
          expect(lowerBound).toBe(exact.fewest);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('needs the larger of what all records and what the members need, in a buffer of any size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 400 }),
        fc.integer({ min: 2, max: 5 }),
        fc.integer({ min: 1, max: 12 }),
        (values, members, maxBatchSize) => {
          const group = Array.from({ length: members }, (_, index) => index + 1);
          const { batches } = partition(recordsOf(values), { rules: [{ group }], maxBatchSize });
          const needed = group.map(
            (member) => values.filter((value) => value === member).length / maxBatchSize,
          );
          const ofMembers = needed.reduce((sum, part) => sum + Math.ceil(part), 0);
          expect(batches).toHaveLength(Math.max(Math.ceil(values.length / maxBatchSize), ofMembers));
        },
      ),
    );
  });

  test('does not take a path of pairs for groups, which would cost a batch', () => {
    const path: ConflictRule[] = [{ pair: [1, 2] }, { pair: [2, 3] }, { pair: [3, 4] }];
    const { batches, lowerBound } = partition(recordsOf([2, 3, 1, 1, 4, 4]), {
      rules: path,
      maxBatchSize: 2,
    });
    expect(lowerBound).toBe(3);
    expect(batches.map((batch) => batch.map(({ value }) => value))).toEqual([
      [2, 4],
      [3, 1],
      [1, 4],
    ]);
  });

  test('takes a group with as many members as records', () => {
    const group = Array.from({ length: 5000 }, (_, index) => index);
    const { batches } = partition(recordsOf([...group, ...group.map(() => 'free')]), {
      rules: [{ group }],
      maxBatchSize: 3,
    });
    expect(batches).toHaveLength(5000);
    expect(batches.map(({ length }) => length).indexOf(1)).toBe(2500);
  });
});
