import fc from 'fast-check';
import { classify } from '../../../src/domain/partition/graph/classes';
import { ConflictGraph } from '../../../src/domain/partition/graph/conflict-graph';
import { heaviestBatch } from '../../../src/domain/partition/bounds/heaviest-batch';
import { searchFewest } from '../../../src/domain/partition/exact/all-ways';
import { extract } from '../../../src/domain/partition/search/extract';
import { fractionalBound } from '../../../src/domain/partition/bounds/fractional-bound';
import { heaviestClique } from '../../../src/domain/partition/bounds/heaviest-clique';
import { Kernel } from '../../../src/domain/partition/graph/kernel';
import { tabuSearch } from '../../../src/domain/partition/search/tabu';
import type { ConflictRule } from '../../../src/domain/rules';
import { recordsOf } from '../../helpers/arbitraries';
import { fewestByCounting } from '../../helpers/inclusion-exclusion';

/** A graph at random, a record for each vertex, and some vertices as values of several records. */
const graphs = fc
  .record({
    lines: fc.uniqueArray(
      fc.tuple(fc.nat(7), fc.nat(7)).filter(([a, b]) => a < b),
      { minLength: 3, selector: (line) => line.join() },
    ),
    values: fc.array(fc.nat(7), { minLength: 2, maxLength: 9 }),
    maxBatchSize: fc.integer({ min: 1, max: 5 }),
  })
  .map(({ lines, values, maxBatchSize }) => {
    const rules: ConflictRule[] = lines.map((pair) => ({ pair }));
    const isApart = (a: number, b: number) =>
      lines.some(([one, other]) => [values[a], values[b]].sort().join() === [one, other].sort().join());
    const classes = classify(recordsOf(values), rules);
    return {
      values,
      isApart,
      maxBatchSize,
      kernel: Kernel.of(classes, new ConflictGraph(classes), Infinity)!,
    };
  })
  .filter(({ kernel }) => kernel.count > 0);

/** The largest number that holds for a set of records with a property. */
function most(records: number, of: (set: number[]) => number): number {
  let found = 0;
  for (let set = 0; set < 2 ** records; set++)
    found = Math.max(found, of([...Array(records).keys()].filter((each) => set & (1 << each))));
  return found;
}

test('The largest possible batch, the heaviest clique and the fractional bound are what trying all sets gives, or below the fewest.', () => {
  fc.assert(
    fc.property(graphs, ({ values, isApart, maxBatchSize, kernel }) => {
      const conflicting = [...values.keys()].filter((a) => values.some((_, b) => isApart(a, b)));
      const together = (set: number[]) => set.every((a) => set.every((b) => !isApart(a, b)));
      const largest = most(values.length, (set) =>
        set.length <= maxBatchSize && set.every((each) => conflicting.includes(each)) && together(set)
          ? set.length
          : 0,
      );
      const ones = new Int32Array(kernel.count).fill(1);
      expect(heaviestBatch(kernel, ones, maxBatchSize, Infinity).weight).toBe(largest);

      const fewest = fewestByCounting(
        conflicting.length,
        (a, b) => isApart(conflicting[a]!, conflicting[b]!),
        maxBatchSize,
      );
      expect(heaviestClique(kernel, maxBatchSize, Infinity).weight).toBeLessThanOrEqual(fewest);
      const { bound } = fractionalBound(kernel, { maxBatchSize, enough: Infinity, maxSteps: 1e6 });
      expect(bound).toBeLessThanOrEqual(fewest);
      expect(bound).toBeGreaterThanOrEqual(Math.ceil(conflicting.length / largest));
    }),
    { numRuns: 200 },
  );
});

test('Extraction and tabu search give valid batches of all records that conflict, however few steps they have.', () => {
  fc.assert(
    fc.property(graphs, fc.nat(2000), ({ kernel, maxBatchSize }, maxSteps) => {
      const extracted = extract(kernel, maxBatchSize, maxSteps).batches;
      const { batches } = tabuSearch(extracted, kernel, { maxBatchSize, enough: 1, maxSteps });
      expect(batches.length).toBeLessThanOrEqual(extracted.length);
      for (const found of [extracted, batches]) {
        const counts = new Int32Array(kernel.count);
        for (const batch of found) {
          expect(batch.length).toBeLessThanOrEqual(maxBatchSize);
          for (const each of batch) counts[each]!++;
          expect(batch.filter((a, i) => batch.some((b, j) => i !== j && kernel.conflict(a, b)))).toEqual([]);
        }
        expect(counts).toEqual(kernel.sizes);
      }
    }),
    { numRuns: 200 },
  );
});

test('Trying all ways gives the fewest valid batches, from a start of one batch for each record.', () => {
  fc.assert(
    fc.property(graphs, ({ values, isApart, kernel, maxBatchSize }) => {
      const conflicting = [...values.keys()].filter((a) => values.some((_, b) => isApart(a, b)));
      const start = [...kernel.sizes].flatMap((size, each) => Array.from({ length: size }, () => [each]));
      const found = searchFewest(start, kernel, { maxBatchSize, enough: 1, maxPlaces: 1e6 })!;
      const fewest = fewestByCounting(
        conflicting.length,
        (a, b) => isApart(conflicting[a]!, conflicting[b]!),
        maxBatchSize,
      );
      expect([found.batches.length, found.proved]).toEqual([fewest, true]);
      for (const batch of found.batches) {
        expect(batch.length).toBeLessThanOrEqual(maxBatchSize);
        expect(batch.filter((a, i) => batch.some((b, j) => i !== j && kernel.conflict(a, b)))).toEqual([]);
      }
    }),
    { numRuns: 200 },
  );
});

test('Tabu search gives valid batches where most pairs conflict, and where hardly any do.', () => {
  for (const share of [0.2, 0.9]) {
    let state = 7;
    const next = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    const rules: ConflictRule[] = Array.from({ length: 60 }, (_, a) => ({
      never: {
        left: { equals: a },
        right: { in: [...Array(60).keys()].filter((b) => b < a && next() < share).concat(-1) },
      },
    }));
    const classes = classify(recordsOf([...Array(60).keys(), ...Array(60).keys()]), rules);
    const kernel = Kernel.of(classes, new ConflictGraph(classes), Infinity)!;
    const start = [...kernel.sizes].flatMap((size, each) => Array.from({ length: size }, () => [each]));
    const { batches } = tabuSearch(start, kernel, { maxBatchSize: 7, enough: 1, maxSteps: 1_000_000 });
    expect(batches.length).toBeLessThan(start.length / 2);
    for (const batch of batches) {
      expect(batch.length).toBeLessThanOrEqual(7);
      expect(batch.filter((a, i) => batch.some((b, j) => i !== j && kernel.conflict(a, b)))).toEqual([]);
    }
    const counts = new Int32Array(kernel.count);
    for (const each of batches.flat()) counts[each]!++;
    expect(counts).toEqual(kernel.sizes);
  }
});

test('Five hundred records of which nine pairs of ten conflict need 100 batches, as no six of them fit together.', () => {
  let state = 1;
  const next = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  const rules: ConflictRule[] = Array.from({ length: 500 }, (_, a) => ({
    never: {
      left: { equals: a },
      right: { in: [...Array(500).keys()].filter((b) => b < a && next() < 0.9).concat(-1) },
    },
  }));
  const classes = classify(recordsOf([...Array(500).keys()]), rules);
  const kernel = Kernel.of(classes, new ConflictGraph(classes), Infinity)!;
  const { weight } = heaviestBatch(kernel, new Int32Array(500).fill(1), 20, 1_200_000);
  expect(weight).toBeLessThanOrEqual(6);
  expect(Math.ceil(500 / weight!)).toBeGreaterThanOrEqual(84);
});

test('Records that conflict with nothing fill what room is left, and then batches of their own.', () => {
  const classes = classify(recordsOf([1, 2, 'free', 'free', 'free', 'free']), [{ pair: [1, 2] }]);
  const kernel = Kernel.of(classes, new ConflictGraph(classes), Infinity)!;
  const { batchOf, count } = kernel.assignment([[0], [1]], 2);
  expect([[...batchOf], count]).toEqual([[0, 1, 0, 1, 2, 2], 3]);
});
