import { classify } from '../../../src/domain/partition/graph/classes';
import { cutClasses } from '../../../src/domain/partition/cut-classes';
import { recordsOfShape, SHAPES } from '../../helpers/partition-shapes';

/*
 * What made a cut slow once. Steps are counted, never time: they are the same on every machine. A step is a word of bits, a
 * cell of a table or a record that is looked at; 100,000 to 300,000 of them take a millisecond.
 */
const SIZES = [2000, 10_000];

/** Two first fits may take 1 million and 60 steps a record each; a search 13 million, and 32 to write conflicts out. */
const mostSteps = (records: number) => 2 * (1_000_000 + 60 * records) + 13_000_000 + 32_000_000;

describe.each(SHAPES)('partition of $name', (shape) => {
  test.each(SIZES)('takes a bounded number of steps for %i records, and loses none', (size) => {
    const records = recordsOfShape(shape, size);
    const { batches, lowerBound, steps } = cutClasses(classify(records, shape.rules), shape.maxBatchSize);
    expect(steps).toBeLessThanOrEqual(mostSteps(size));
    expect(batches.flat()).toHaveLength(size);
    expect(batches.length).toBeGreaterThanOrEqual(lowerBound);
  });
});

test('Steps that linear work takes grow with the records, not with their square, where pairs form one connected graph.', () => {
  const shape = SHAPES.find(({ name }) => name === '1,000 random pairs over 200 values')!;
  const [few, many] = [5000, 20_000].map((size) => {
    const { steps } = cutClasses(classify(recordsOfShape(shape, size), shape.rules), shape.maxBatchSize);
    return steps;
  });
  expect(many! / few!).toBeLessThan(8);
});

test('Takes no more steps than are allowed for a search, but for the least that small buffers need.', () => {
  const shape = SHAPES.find(({ name }) => name === 'two groups, a distinct and a never that overlap')!;
  const classes = classify(recordsOfShape(shape, 500), shape.rules);
  const [few, many] = [200_000, undefined].map(
    (steps) => cutClasses(classes, shape.maxBatchSize, steps).steps,
  );
  expect(few!).toBeLessThan(1_000_000);
  expect(many!).toBeGreaterThan(5 * few!);
});

test('Takes 130,000 components, which are more than a call has arguments.', () => {
  const records = Array.from({ length: 390_000 }, (_, i) => ({ value: { a: i % 130_000, b: i % 3 } }));
  const rules = [
    { group: [0, 1], at: '/b', same: '/a' },
    { pair: [2, 0] as [number, number], at: '/b', same: '/a' },
  ];
  const { batches } = cutClasses(classify(records, rules), 5);
  expect(batches).toHaveLength(78_000);
});
