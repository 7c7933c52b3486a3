import fc from 'fast-check';
import { arrange } from '../../../src/domain/partition/arrange';
import type { Classes } from '../../../src/domain/partition/graph/classes';
import type { Assignment } from '../../../src/domain/partition/graph/cut';
import { listsBy } from '../../../src/domain/partition/graph/lists';

const CLASSES = 3;

/** Records of three classes. */
function classesOf(records: readonly number[]): Pick<Classes, 'classOf' | 'members'> {
  const classOf = Int32Array.from(records);
  return { members: listsBy(classOf, CLASSES), classOf };
}

/** For each record its class and the batch it is in, with no batch empty. */
const partitions = fc
  .array(fc.record({ recordClass: fc.nat(CLASSES - 1), batch: fc.nat(6) }))
  .map((records) => {
    const classOf = records.map(({ recordClass }) => recordClass);
    const numbers = [...new Set(records.map(({ batch }) => batch))];
    const batchOf = Int32Array.from(records, ({ batch }) => numbers.indexOf(batch));
    return { classOf, assignment: { batchOf, count: numbers.length } satisfies Assignment };
  });

describe('arrange', () => {
  test('deals records and batches by age, the fullest of the possible batches first', () => {
    const assignment = { batchOf: Int32Array.of(2, 1, 2, 1, 1, 0), count: 3 };
    expect(arrange(assignment, classesOf([0, 0, 1, 0, 1, 0]))).toEqual([[0, 1, 2], [3, 4], [5]]);
  });

  test('keeps how many records of which class the batches hold', () => {
    fc.assert(
      fc.property(partitions, ({ classOf, assignment: { batchOf, count } }) => {
        const before = Array.from({ length: count }, (_, batch) =>
          [...classOf.keys()].filter((record) => batchOf[record] === batch),
        );
        const shapes = (of: readonly number[][]) =>
          of
            .map((batch) =>
              batch
                .map((record) => classOf[record])
                .sort()
                .join(),
            )
            .sort();
        const arranged = arrange({ batchOf, count }, classesOf(classOf));
        expect(shapes(arranged)).toEqual(shapes(before));
        expect(arranged.flat().sort((a, b) => a - b)).toEqual([...classOf.keys()]);
      }),
    );
  });

  test('puts the oldest record that is left into each batch (G7)', () => {
    fc.assert(
      fc.property(partitions, ({ classOf, assignment }) => {
        const left = new Set(classOf.keys());
        for (const batch of arrange(assignment, classesOf(classOf))) {
          expect(batch).toEqual(batch.toSorted((a, b) => a - b));
          expect(batch[0]).toBe(left.values().next().value);
          for (const record of batch) left.delete(record);
        }
      }),
    );
  });
});
