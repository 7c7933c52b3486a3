import fc from 'fast-check';
import type { ConflictRule } from '../../../src/domain/rules';
import type { JsonValue } from '../../../src/domain/json';
import { partition } from '../../../src/domain/partition';
import { recordsOf } from '../../helpers/arbitraries';
import { exactPartition } from '../../helpers/exact-partition';

const id = fc.integer({ min: 1, max: 5 });
const value: fc.Arbitrary<JsonValue> = fc.oneof(
  { arbitrary: id.map((each) => ({ id: each })), weight: 4 },
  { arbitrary: fc.constant({ other: 1 }), weight: 1 },
);
/** No record has an email that is repeated and an id that is. */
const eitherValue: fc.Arbitrary<JsonValue> = fc.oneof(
  id.map((each) => ({ id: each })),
  id.map((each) => ({ email: each })),
);
const given = fc.oneof(
  fc.record({
    values: fc.array(value, { maxLength: 8 }),
    rules: fc.constant<ConflictRule[]>([{ distinct: '/id' }]),
  }),
  fc.record({
    values: fc.array(eitherValue, { maxLength: 8 }),
    rules: fc.constant<ConflictRule[]>([{ distinct: '/id' }, { distinct: '/email' }]),
  }),
);

describe('partition of records that have to be distinct', () => {
  test('finds the fewest batches, each in turn the oldest possible, as an exhaustive search does', () => {
    fc.assert(
      fc.property(given, fc.integer({ min: 1, max: 4 }), ({ values, rules }, maxBatchSize) => {
        const buffer = recordsOf(values);
        const { batches, lowerBound } = partition(buffer, { rules, maxBatchSize });
        const exact = exactPartition(values, rules, maxBatchSize);
        expect(batches.map((batch) => batch.map((record) => buffer.indexOf(record)))).toEqual(exact.oldest);
        expect(lowerBound).toBe(exact.fewest);
      }),
      { numRuns: 1000 },
    );
  });

  test('needs the larger of what all records and what the most frequent value need, fullest first', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 400 }),
        fc.integer({ min: 1, max: 12 }),
        (values, maxBatchSize) => {
          const { batches } = partition(recordsOf(values), { rules: [{ distinct: '' }], maxBatchSize });
          const counts = values.map((each) => values.filter((other) => other === each).length);
          expect(batches).toHaveLength(Math.max(Math.ceil(values.length / maxBatchSize), ...counts));
          const sizes = batches.map(({ length }) => length);
          expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
        },
      ),
    );
  });
});
