import type { NeverRule } from '../../src/domain/rules';
import type { Random } from '../../test/chaos/random';
import { cliqueBound, thresholdOptimum } from './bounds';
import { Graph } from './graph';

/** A graph, the records and rules that have exactly its conflicts, and a bound that no partition can beat. */
export interface Instance {
  graph: Graph;
  /** By vertex: the value of its record. */
  values: number[];
  rules: NeverRule[];
  /** @returns a number of batches that is needed; for some families it is the fewest */
  boundFor(maxBatchSize: number): number;
}

/** Draws an instance. @param percent the density that is asked for, from 0 to 100 */
export type Family = (random: Random, size: number, percent: number) => Instance;

/** Values are whole numbers, so that sums and bounds of ranges are exact. */
const ONE = 1_000_000;

/**
 * The recipe of the literature on bin packing with conflicts (Gendreau, Laporte and Semet 2004, and Muritiba, Iori,
 * Malaguti and Toth 2010, who took it over): every item has a value uniform in [0, 1), and two conflict when the mean of
 * theirs is at least 1 − density. So it is a threshold graph, in which about 2d² of the pairs conflict for a density d up
 * to a half, and 1 − 2(1 − d)² above. All items have size 1 here.
 *
 * In rules: a record is its value, and what is at least v never lies beside what is at least s − v, for s the least sum
 * of two that conflict. Half a rule per record at most, and few fewer, as the neighbours of smaller values are among
 * those of larger ones; but a large value is in all of them.
 */
const threshold: Family = (random, size, percent) => {
  const values = Array.from({ length: size }, () => random.integer(0, ONE));
  const leastSum = (2 * ONE * (100 - percent)) / 100;
  const graph = new Graph(size);
  for (const [a, one] of values.entries()) {
    for (let b = 0; b < a; b++) if (one + (values[b] as number) >= leastSum) graph.connect(a, b);
  }
  return {
    graph,
    values,
    rules: rulesForThreshold(values, leastSum),
    boundFor: (maxBatchSize) => thresholdOptimum(values, leastSum, maxBatchSize),
  };
};

function rulesForThreshold(values: readonly number[], leastSum: number): NeverRule[] {
  const ascending = [...new Set(values)].sort((a, b) => a - b);
  const beside = (value: number) => values.filter((other) => other + value >= leastSum).length;
  const rules: NeverRule[] = [];
  let partners = 0;
  for (const value of ascending.filter((each) => 2 * each < leastSum)) {
    // Values with the same partners as a smaller one are in its rule.
    const found = beside(value);
    if (found > partners) rules.push(never(value, leastSum - value));
    partners = found;
  }
  if (values.filter((value) => 2 * value >= leastSum).length > 1) {
    rules.push(never(leastSum / 2, leastSum / 2));
  }
  return rules;
}

function never(left: number, right: number): NeverRule {
  return { never: { left: { atLeast: left }, right: { atLeast: right } } };
}

/**
 * Every pair conflicts with the same chance, the G(n, p) of Gilbert (Random graphs, 1959): no structure at all to find,
 * the hardest there is for us.
 *
 * In rules: a record is its number, which is never beside those of its neighbours that are smaller. So there are as many
 * rules as records, each with a list, and a record is in as many slots as it has conflicts. A `pair` for each conflict
 * says the same in hundreds of thousands of rules for 1,000 records, and took twice as long.
 */
const uniform: Family = (random, size, percent) => {
  const graph = new Graph(size);
  const rules: NeverRule[] = [];
  for (let a = 0; a < size; a++) {
    const smaller = [...Array(a).keys()].filter(() => random.next() * 100 < percent);
    for (const b of smaller) graph.connect(a, b);
    if (smaller.length > 0) rules.push({ never: { left: { equals: a }, right: { in: smaller } } });
  }
  const clique = cliqueBound(graph);
  return {
    graph,
    values: [...Array(size).keys()],
    rules,
    boundFor: (maxBatchSize) => Math.max(Math.ceil(size / maxBatchSize), clique),
  };
};

export const FAMILIES = { threshold, uniform } as const;
export type FamilyName = keyof typeof FAMILIES;
