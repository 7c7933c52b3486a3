import { hasBit } from '../../src/domain/partition/graph/conflict-graph';
import type { Graph } from './graph';

/**
 * The size of the largest clique found by growing one from each vertex, by the vertices with the most neighbours first.
 * All of a clique need batches of their own: the bound from which Gendreau, Laporte and Semet (2004) start.
 */
export function cliqueBound(graph: Graph): number {
  const order = graph.byDegree();
  const joining = new Int32Array((graph.size + 31) >> 5);
  let largest = 0;
  for (const start of order) {
    joining.set(graph.row(start));
    let members = 1;
    for (const vertex of order) {
      if (!hasBit(joining, vertex)) continue;
      members++;
      const row = graph.row(vertex);
      for (let word = 0; word < joining.length; word++) {
        joining[word] = (joining[word] as number) & (row[word] as number);
      }
    }
    largest = Math.max(largest, members);
  }
  return largest;
}

/**
 * The fewest batches when two records conflict exactly if their values sum up to `leastSum`. Large values, of at least
 * half of it, conflict with each other, so each needs a batch; small ones don't conflict with each other, so those that
 * fit beside no large one fill batches of their own. A small one that fits beside some large value fits beside every
 * smaller one, so as many as possible fit beside large ones when the largest small one comes first and takes the largest
 * large one it can (that split graphs are easy, by a matching, is in Bodlaender and Jansen 1995).
 */
export function thresholdOptimum(values: readonly number[], leastSum: number, maxBatchSize: number): number {
  const large = values.filter((value) => 2 * value >= leastSum).sort((a, b) => a - b);
  const small = values.filter((value) => 2 * value < leastSum).sort((a, b) => b - a);
  // The places beside the large values that the small one at hand fits beside: more and more, as it gets smaller.
  let places = 0;
  let opened = 0;
  let alone = 0;
  for (const value of small) {
    for (; opened < large.length && (large[opened] as number) + value < leastSum; opened++) {
      places += maxBatchSize - 1;
    }
    if (places > 0) places--;
    else alone++;
  }
  return large.length + Math.ceil(alone / maxBatchSize);
}
