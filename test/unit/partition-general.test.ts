import fc from 'fast-check';
import { conflicts, type ConflictRule } from '../../src/domain/conflict-rules';
import type { JsonValue } from '../../src/domain/json';
import { partition } from '../../src/domain/partition';
import { conflictRules, records, recordsOf, recordValue } from '../helpers/arbitraries';
import { exactPartition } from '../helpers/exact-partition';

/** Mixes of rules with no structure to exploit, each with values that they apply to. */
const mixes: { name: string; rules: ConflictRule[]; value: fc.Arbitrary<JsonValue> }[] = [
  {
    name: 'three disjoint pairs',
    rules: [{ pair: [0, 1] }, { pair: [2, 3] }, { pair: [4, 5] }],
    value: fc.integer({ min: 0, max: 6 }),
  },
  {
    name: 'a ring of five pairs',
    rules: [{ pair: [0, 1] }, { pair: [1, 2] }, { pair: [2, 3] }, { pair: [3, 4] }, { pair: [4, 0] }],
    value: fc.integer({ min: 0, max: 5 }),
  },
  {
    name: 'a group and a distinct',
    rules: [{ group: ['a', 'b', 'c'], at: '/type' }, { distinct: '/id' }],
    value: fc.record({ type: fc.constantFrom('a', 'b', 'c', 'd'), id: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    name: 'two distincts',
    rules: [{ distinct: '/id' }, { distinct: '/email' }],
    value: fc.record({ id: fc.integer({ min: 1, max: 5 }), email: fc.integer({ min: 1, max: 5 }) }),
  },
];
const mixed = fc.constantFrom(...mixes).chain(({ rules, value }) =>
  fc.record({
    rules: fc.constant(rules),
    values: fc.array(value, { minLength: 4, maxLength: 8 }),
    maxBatchSize: fc.integer({ min: 2, max: 5 }),
  }),
);

describe('partition under a mix of rules', () => {
  test('opens at most a batch for every maxBatchSize records, and one for each conflict of a record', () => {
    fc.assert(
      fc.property(
        records(recordValue, { maxLength: 40 }),
        conflictRules,
        fc.integer({ min: 1, max: 8 }),
        (buffer, rules, maxBatchSize) => {
          const { batches } = partition(buffer, { rules, maxBatchSize });
          const conflictsOf = ({ value }: { value: JsonValue }, index: number) =>
            buffer.filter((other, at) => at !== index && conflicts(value, other.value, rules)).length;
          const most = Math.max(0, ...buffer.map(conflictsOf));
          expect(batches.length).toBeLessThanOrEqual(Math.ceil(buffer.length / maxBatchSize) + most);
        },
      ),
    );
  });

  test('finds the fewest batches in 99 of 100 small cases, and never needs two more', () => {
    const sample = fc.sample(mixed, { seed: 1, numRuns: 1000 });
    const surplus = sample.map(({ values, rules, maxBatchSize }) => {
      const { batches } = partition(recordsOf(values), { rules, maxBatchSize });
      return batches.length - exactPartition(values, rules, maxBatchSize).fewest;
    });
    expect(Math.max(...surplus)).toBeLessThanOrEqual(1);
    expect(surplus.filter((more) => more === 0).length).toBeGreaterThanOrEqual(990);
  });

  test.each(mixes)(
    'stays within 2 % of the lower bound for 2,000 records under $name',
    ({ rules, value }) => {
      for (const seed of [1, 2, 3]) {
        const buffer = recordsOf(fc.sample(value, { seed, numRuns: 2000 }));
        const { batches, lowerBound } = partition(buffer, { rules, maxBatchSize: 5 });
        expect(batches.length).toBeLessThanOrEqual(1.02 * lowerBound);
      }
    },
  );

  test('puts the values together that are kept apart from the most others', () => {
    const rules: ConflictRule[] = [{ pair: [1, 2] }, { pair: [3, 4] }];
    const { batches } = partition(recordsOf([2, 1, 1, 4, 4, 3]), { rules, maxBatchSize: 2 });
    expect(batches.map((batch) => batch.map(({ value }) => value))).toEqual([
      [2, 3],
      [1, 1],
      [4, 4],
    ]);
  });

  test('starts early with values that many younger records repeat, but still with the oldest record (G7)', () => {
    const rules: ConflictRule[] = [{ distinct: '/id' }, { pair: ['a', 'b'], at: '/type' }];
    const old = ['a', 'b', 'c', 'c', 'c', 'c'].map((type, index) => ({ id: index, type }));
    const young = [1, 2, 3, 4].map(() => ({ id: 99, type: 'c' }));
    const buffer = recordsOf([...old, ...young]);
    const { batches, lowerBound } = partition(buffer, { rules, maxBatchSize: 3 });
    expect(lowerBound).toBe(4);
    expect(batches.map((batch) => batch.map((record) => buffer.indexOf(record)))).toEqual([
      [0, 2, 6],
      [1, 3, 7],
      [4, 5, 8],
      [9],
    ]);
  });
});
