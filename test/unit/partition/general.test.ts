import fc from 'fast-check';
import { conflicts, type ConflictRule } from '../../../src/domain/rules';
import type { JsonValue } from '../../../src/domain/json';
import { partition } from '../../../src/domain/partition';
import { createRandom, type Random } from '../../chaos/random';
import { conflictRules, records, recordsOf, recordValue } from '../../helpers/arbitraries';
import { fewestBatches } from '../../helpers/exact-partition';
import { RULE_KINDS, type RuleKind } from '../../helpers/rule-kinds';

function valuesOf({ value }: RuleKind, random: Random, count: number): JsonValue[] {
  return Array.from({ length: count }, () => value(random));
}

describe.each(RULE_KINDS)('partition under $name', (kind) => {
  const { rules } = kind;

  test('finds the fewest batches of up to nine records, and proves it', () => {
    const random = createRandom(1);
    for (let run = 0; run < 150; run++) {
      const values = valuesOf(kind, random, random.integer(0, 10));
      const maxBatchSize = random.integer(1, 6);
      const fewest = fewestBatches(values, rules, maxBatchSize);
      const { batches, lowerBound } = partition(recordsOf(values), { rules, maxBatchSize });
      expect([values, maxBatchSize, batches.length]).toEqual([values, maxBatchSize, fewest]);
      expect(lowerBound).toBe(fewest);
    }
  });

  test('finds the fewest batches of 10 to 15 records', () => {
    const random = createRandom(2);
    for (let run = 0; run < 30; run++) {
      const values = valuesOf(kind, random, random.integer(10, 16));
      const maxBatchSize = random.integer(2, 6);
      const fewest = fewestBatches(values, rules, maxBatchSize);
      const { batches, lowerBound } = partition(recordsOf(values), { rules, maxBatchSize });
      expect([values, maxBatchSize, batches.length]).toEqual([values, maxBatchSize, fewest]);
      expect(lowerBound).toBeLessThanOrEqual(fewest);
    }
  });

  test('gives valid batches, oldest first, whichever way found them (G1, G2, G7)', () => {
    const random = createRandom(3);
    for (let run = 0; run < 20; run++) {
      const buffer = recordsOf(valuesOf(kind, random, random.integer(20, 60)));
      const maxBatchSize = random.integer(2, 7);
      const left = new Set(buffer.keys());
      for (const batch of partition(buffer, { rules, maxBatchSize }).batches) {
        const ages = batch.map((record) => buffer.indexOf(record));
        expect(batch.length).toBeLessThanOrEqual(maxBatchSize);
        expect(ages).toEqual(ages.toSorted((a, b) => a - b));
        expect(ages[0]).toBe(left.values().next().value);
        for (const age of ages) left.delete(age);
        const isApart = (a: number, b: number) => conflicts(batch[a]!.value, batch[b]!.value, rules);
        expect([...batch.keys()].filter((a) => batch.some((_, b) => b > a && isApart(a, b)))).toEqual([]);
      }
      expect(left.size).toBe(0);
    }
  });

  test('stays within 2 % of the lower bound for 2,000 records', () => {
    for (const seed of [1, 2, 3]) {
      const buffer = recordsOf(valuesOf(kind, createRandom(seed), 2000));
      const { batches, lowerBound } = partition(buffer, { rules, maxBatchSize: 5 });
      expect(batches.length).toBeLessThanOrEqual(1.02 * lowerBound);
    }
  });
});

/** Batches that are full, taken apart, with conflicts at random between records of different ones. */
function plantedBatches(random: Random, batches: number, size: number, density: number) {
  const records = [...Array(batches * size).keys()];
  const rules = records.flatMap((a) =>
    records
      .slice(a + 1)
      .filter((b) => Math.floor(a / size) !== Math.floor(b / size) && random.next() < density)
      .map((b): ConflictRule => ({ pair: [a, b] })),
  );
  return { rules, values: random.shuffle(records) };
}

test.each([
  { percent: 10, ratio: 1 },
  { percent: 30, ratio: 1 },
  { percent: 50, ratio: 1.05 },
  { percent: 70, ratio: 1.2 },
  { percent: 90, ratio: 1.4 },
])(
  'needs at most $ratio times the fewest batches where $percent % of all pairs of 120 records conflict',
  ({ percent, ratio }) => {
    for (const seed of [1, 2, 3, 4]) {
      const { rules, values } = plantedBatches(createRandom(seed), 24, 5, percent / 100);
      const { batches } = partition(recordsOf(values), { rules, maxBatchSize: 5 });
      expect(batches.length / 24).toBeLessThanOrEqual(ratio);
    }
  },
);

describe('partition, whatever the rules', () => {
  const given = fc.record({
    buffer: records(recordValue, { maxLength: 40 }),
    rules: conflictRules,
    maxBatchSize: fc.integer({ min: 1, max: 8 }),
  });

  test('opens at most a batch for every maxBatchSize records, and one for each conflict of a record', () => {
    fc.assert(
      fc.property(given, ({ buffer, rules, maxBatchSize }) => {
        const { batches } = partition(buffer, { rules, maxBatchSize });
        const conflictsOf = ({ value }: { value: JsonValue }, index: number) =>
          buffer.filter((other, at) => at !== index && conflicts(value, other.value, rules)).length;
        const most = Math.max(0, ...buffer.map(conflictsOf));
        expect(batches.length).toBeLessThanOrEqual(Math.ceil(buffer.length / maxBatchSize) + most);
      }),
    );
  });
});

test('Values that many younger records repeat are begun early, but still with the oldest record (G7).', () => {
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
