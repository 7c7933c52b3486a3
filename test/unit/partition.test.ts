import fc from 'fast-check';
import { conflicts, type ConflictRule } from '../../src/domain/conflict-rules';
import type { JsonValue } from '../../src/domain/json';
import { partition } from '../../src/domain/partition';
import { conflictRules, records, recordsOf, recordValue } from '../helpers/arbitraries';
import { exactPartition } from '../helpers/exact-partition';

const buffer = records(recordValue, { maxLength: 40 });
const maxBatchSize = fc.integer({ min: 1, max: 8 });

function valuesOf(values: JsonValue[], rules: ConflictRule[], size: number): JsonValue[][] {
  const { batches } = partition(recordsOf(values), { rules, maxBatchSize: size });
  return batches.map((batch) => batch.map(({ value }) => value));
}

describe('partition, whatever the records and rules', () => {
  test('puts every record into exactly one batch, the very object that was given', () => {
    fc.assert(
      fc.property(buffer, conflictRules, maxBatchSize, (given, rules, size) => {
        const placed = partition(given, { rules, maxBatchSize: size }).batches.flat();
        expect(placed).toHaveLength(given.length);
        expect(new Set(placed)).toEqual(new Set(given));
        expect(placed.every((record) => given.includes(record))).toBe(true);
      }),
    );
  });

  test('makes no batch empty or larger than maxBatchSize (G1)', () => {
    fc.assert(
      fc.property(buffer, conflictRules, maxBatchSize, (given, rules, size) => {
        for (const batch of partition(given, { rules, maxBatchSize: size }).batches) {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(size);
        }
      }),
    );
  });

  test('puts no two records into one batch that a rule keeps apart (G2)', () => {
    fc.assert(
      fc.property(buffer, conflictRules, maxBatchSize, (given, rules, size) => {
        for (const batch of partition(given, { rules, maxBatchSize: size }).batches) {
          const together = batch.flatMap((a, i) => batch.slice(i + 1).map((b) => [a.value, b.value] as const));
          expect(together.filter(([a, b]) => conflicts(a, b, rules))).toEqual([]);
        }
      }),
    );
  });

  test('is oldest first: each batch by age, and with the oldest record that earlier ones left (G7)', () => {
    fc.assert(
      fc.property(buffer, conflictRules, maxBatchSize, (given, rules, size) => {
        const left = new Set(given.keys());
        for (const batch of partition(given, { rules, maxBatchSize: size }).batches) {
          const ages = batch.map((record) => given.indexOf(record));
          expect(ages).toEqual([...ages].sort((a, b) => a - b));
          expect(ages[0]).toBe([...left][0]);
          for (const age of ages) left.delete(age);
        }
      }),
    );
  });
});
