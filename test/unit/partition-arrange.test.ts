import fc from 'fast-check';
import { arrange } from '../../src/domain/partition-arrange';
import type { RecordClass } from '../../src/domain/partition-classes';

function classesOf(classOf: readonly number[]): RecordClass[] {
  return [0, 1, 2].map((each) => ({
    records: [...classOf.keys()].filter((record) => classOf[record] === each),
    constraints: [],
  }));
}

/** For each record its class and the batch it is in, youngest first in the batches. */
const partitions = fc.array(fc.record({ recordClass: fc.nat(2), batch: fc.nat(6) })).map((records) => {
  const classOf = records.map(({ recordClass }) => recordClass);
  const batches = [...Array(7).keys()]
    .map((batch) => [...records.keys()].filter((record) => records[record]?.batch === batch).reverse())
    .filter(({ length }) => length > 0);
  return { classOf, batches };
});

describe('arrange', () => {
  test('deals records and batches by age, the fullest of the possible batches first', () => {
    const classOf = [0, 0, 1, 0, 1, 0];
    const batches = [[5], [4, 3, 1], [2, 0]];
    expect(arrange(batches, classesOf(classOf), Uint32Array.from(classOf))).toEqual([[0, 1, 2], [3, 4], [5]]);
  });

  test('keeps how many records of which class the batches hold', () => {
    fc.assert(
      fc.property(partitions, ({ classOf, batches }) => {
        const shapes = (of: readonly number[][]) =>
          of
            .map((batch) =>
              batch
                .map((record) => classOf[record] as number)
                .sort()
                .join(),
            )
            .sort();
        const arranged = arrange(batches, classesOf(classOf), Uint32Array.from(classOf));
        expect(shapes(arranged)).toEqual(shapes(batches));
        expect(arranged.flat().sort((a, b) => a - b)).toEqual([...classOf.keys()]);
      }),
    );
  });

  test('puts the oldest record that is left into each batch (G7)', () => {
    fc.assert(
      fc.property(partitions, ({ classOf, batches }) => {
        const left = new Set(classOf.keys());
        for (const batch of arrange(batches, classesOf(classOf), Uint32Array.from(classOf))) {
          expect(batch).toEqual(batch.toSorted((a, b) => a - b));
          expect(batch[0]).toBe(left.values().next().value);
          for (const record of batch) left.delete(record);
        }
      }),
    );
  });
});
