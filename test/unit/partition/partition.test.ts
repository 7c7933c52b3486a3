import fc from 'fast-check';
import { conflicts, type ConflictRule } from '../../../src/domain/rules';
import { canonicalJson, type JsonValue } from '../../../src/domain/json';
import { partition } from '../../../src/domain/partition';
import {
  conflictRules,
  fewRecordValues,
  records,
  recordsOf,
  recordValue,
  similarValues,
} from '../../helpers/arbitraries';
import { exactPartition } from '../../helpers/exact-partition';

function batchesOf(values: JsonValue[], rules: ConflictRule[], maxBatchSize: number): JsonValue[][] {
  const { batches } = partition(recordsOf(values), { rules, maxBatchSize });
  return batches.map((batch) => batch.map(({ value }) => value));
}

describe('partition by example', () => {
  const pair: ConflictRule[] = [{ pair: [1, 2] }];

  test('keeps 1 and 2 apart, and fills the batch of the oldest record (G2)', () => {
    expect(batchesOf([1, 2, 3, 4, 5], pair, 5)).toEqual([[1, 3, 4, 5], [2]]);
    expect(batchesOf([3, 2, 1, 4, 5], pair, 5)).toEqual([[3, 2, 4, 5], [1]]);
    expect(batchesOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], pair, 5)).toEqual([
      [1, 3, 4, 5, 6],
      [2, 7, 8, 9, 10],
    ]);
  });

  test('lets equal values together that are kept apart from others only', () => {
    expect(batchesOf([1, 1, 2, 1, 2], pair, 5)).toEqual([
      [1, 1, 1],
      [2, 2],
    ]);
  });

  test('cuts by age when nothing conflicts, the rest last', () => {
    expect(batchesOf([1, 3, 4, 1, 5, 6, 7], pair, 3)).toEqual([[1, 3, 4], [1, 5, 6], [7]]);
    expect(batchesOf([1, 2], [], 5)).toEqual([[1, 2]]);
    expect(batchesOf([], pair, 5)).toEqual([]);
  });

  test('keeps every two members of a group apart, at a pointer', () => {
    const rules: ConflictRule[] = [{ group: ['a', 'b', 'c'], at: '/type' }];
    const [a, b, c, none] = [{ type: 'a' }, { type: 'b' }, { type: 'c' }, { other: 'a' }];
    expect(batchesOf([a, b, c, none, a, 'a'], rules, 3)).toEqual([[a, none, a], [b, 'a'], [c]]);
  });

  test('keeps records with equal parts apart, the large group of them from the start', () => {
    const rules: ConflictRule[] = [{ distinct: '/id' }];
    const of = (id: number) => ({ id });
    expect(batchesOf([of(1), of(2), of(3), of(4), of(9), of(9), of(9)], rules, 3)).toEqual([
      [of(1), of(2), of(9)],
      [of(3), of(4), of(9)],
      [of(9)],
    ]);
  });

  test('puts everything into one batch that may be as large, and each record into its own that may hold one', () => {
    expect(batchesOf([1, 3, 4], pair, Number.MAX_SAFE_INTEGER)).toEqual([[1, 3, 4]]);
    expect(batchesOf([2, 1, 4], pair, 1)).toEqual([[2], [1], [4]]);
  });

  test.each([0, -1, 2.5, NaN, Infinity])('refuses a maxBatchSize of %p', (maxBatchSize) => {
    expect(() => partition([], { rules: [], maxBatchSize })).toThrow(RangeError);
  });
});

describe('partition, whatever the records and rules', () => {
  const given = fc.record({
    buffer: records(recordValue, { maxLength: 40 }),
    rules: conflictRules,
    maxBatchSize: fc.integer({ min: 1, max: 8 }),
  });

  test('puts every record into exactly one batch, the very object that was given', () => {
    fc.assert(
      fc.property(given, ({ buffer, ...options }) => {
        const { batches } = partition(buffer, options);
        const indices = batches.flat().map((record) => buffer.indexOf(record));
        expect(indices.sort((a, b) => a - b)).toEqual([...buffer.keys()]);
      }),
    );
  });

  test('makes no batch empty or larger than maxBatchSize (G1)', () => {
    fc.assert(
      fc.property(given, ({ buffer, ...options }) => {
        for (const { length } of partition(buffer, options).batches) {
          expect(length).toBeGreaterThan(0);
          expect(length).toBeLessThanOrEqual(options.maxBatchSize);
        }
      }),
    );
  });

  test('puts no two records into one batch that a rule keeps apart (G2)', () => {
    fc.assert(
      fc.property(given, ({ buffer, ...options }) => {
        for (const batch of partition(buffer, options).batches) {
          const together = batch.flatMap((a, i) =>
            batch.slice(i + 1).map((b) => [a.value, b.value] as const),
          );
          expect(together.filter(([a, b]) => conflicts(a, b, options.rules))).toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('separates two records exactly if the plain definition does', () => {
    fc.assert(
      fc.property(recordValue, recordValue, conflictRules, (a, b, rules) => {
        expect(batchesOf([a, b], rules, 2)).toHaveLength(conflicts(a, b, rules) ? 2 : 1);
      }),
      { numRuns: 1000 },
    );
  });

  test.each<[string, ConflictRule[]]>([
    ['distinct', [{ distinct: '' }]],
    [
      'a group',
      [{ group: [...new Map(similarValues.map((value) => [canonicalJson(value), value])).values()] }],
    ],
    [
      'a pair of objects',
      [
        {
          pair: [
            { a: 1, b: 2 },
            { b: '2', a: 1 },
          ],
        },
      ],
    ],
  ])('tells values apart that are nearly the same, under %s', (_, rules) => {
    for (const a of similarValues) {
      for (const b of similarValues) {
        expect([a, b, batchesOf([a, b], rules, 2).length]).toEqual([a, b, conflicts(a, b, rules) ? 2 : 1]);
      }
    }
  });

  test('is oldest first: each batch by age, and with the oldest record that the earlier ones left (G7)', () => {
    fc.assert(
      fc.property(given, ({ buffer, ...options }) => {
        const left = new Set(buffer.keys());
        for (const batch of partition(buffer, options).batches) {
          const ages = batch.map((record) => buffer.indexOf(record));
          expect(ages).toEqual(ages.toSorted((a, b) => a - b));
          expect(ages[0]).toBe(left.values().next().value);
          for (const age of ages) left.delete(age);
        }
      }),
    );
  });

  test('gives the same batches for the same records, also when they went through JSON (G8)', () => {
    fc.assert(
      fc.property(given, ({ buffer, ...options }) => {
        const copy = JSON.parse(JSON.stringify({ buffer, options })) as {
          buffer: typeof buffer;
          options: typeof options;
        };
        const ids = (result: ReturnType<typeof partition<(typeof buffer)[number]>>) =>
          result.batches.map((batch) => batch.map(({ recordId }) => recordId));
        expect(ids(partition(copy.buffer, copy.options))).toEqual(ids(partition(buffer, options)));
      }),
    );
  });

  test('names a lower bound that no partition can beat', () => {
    fc.assert(
      fc.property(
        fewRecordValues,
        conflictRules,
        fc.integer({ min: 1, max: 4 }),
        (values, rules, maxBatchSize) => {
          const { batches, lowerBound } = partition(recordsOf(values), { rules, maxBatchSize });
          const { fewest } = exactPartition(values, rules, maxBatchSize);
          expect(lowerBound).toBeLessThanOrEqual(fewest);
          expect(fewest).toBeLessThanOrEqual(batches.length);
        },
      ),
      { numRuns: 500 },
    );
  });
});
