import { MinHeap } from './heap';
import { listsBy, type Lists } from '../graph/lists';

/**
 * Cuts disjoint cliques, and free records, into the fewest batches, max(⌈records / maxBatchSize⌉, records of the largest
 * clique), in O(n log n).
 *
 * Whenever `left` batches are left to cut, at most `left` × maxBatchSize records remain, and at most `left` of each
 * clique. Where it is exactly `left`, the clique is critical: every batch from here on has to take one of its records.
 * (By the first condition, there are never more than maxBatchSize such cliques.) The other cliques fill the batch up
 * with one record each, oldest first, and so do the free records, of which each is a clique of its own. Then both
 * conditions hold for `left` − 1: every clique that still had `left` records gave one; and either the batch is full, or
 * every clique gave one and there are fewer than maxBatchSize.
 *
 * Each batch is the oldest that can be had without a batch more: of two candidates, the older is the one with the
 * oldest record that is not in both. So it holds the oldest record that remains, and sizes never increase.
 *
 * @param cliques the records of each, oldest first
 * @param free oldest first
 */
export function partitionCliques(cliques: Lists, free: Int32Array, maxBatchSize: number): number[][] {
  const { starts, items } = cliques;
  const count = starts.length - 1;
  const cliqueOf = new Int32Array(items.length + free.length);
  // By the number of its clique's records from there on: every place in a clique.
  const remainingAt = new Int32Array(items.length);
  let largest = 0;
  for (let clique = 0; clique < count; clique++) {
    const end = starts[clique + 1] ?? 0;
    for (let place = starts[clique] ?? 0; place < end; place++) {
      cliqueOf[items[place] ?? 0] = clique;
      remainingAt[place] = end - place;
    }
    largest = Math.max(largest, end - (starts[clique] ?? 0));
  }
  const placesWith = listsBy(remainingAt, largest + 1);

  const heads = new MinHeap();
  const next = starts.slice();
  for (let clique = 0; clique < count; clique++) {
    const first = starts[clique] ?? 0;
    if (first < (starts[clique + 1] ?? 0)) heads.push(items[first] ?? 0);
  }
  const isCritical = new Uint8Array(count);
  const critical: number[] = [];
  const take = (clique: number) => {
    const place = next[clique] ?? 0;
    next[clique] = place + 1;
    return items[place] ?? 0;
  };
  let freeTaken = 0;

  const batches: number[][] = [];
  const total = items.length + free.length;
  for (let left = Math.max(largest, Math.ceil(total / maxBatchSize)); left > 0; left--) {
    if (left <= largest) {
      const end = placesWith.starts[left + 1] ?? 0;
      for (let each = placesWith.starts[left] ?? 0; each < end; each++) {
        const place = placesWith.items[each] ?? 0;
        const clique = cliqueOf[items[place] ?? 0] ?? 0;
        if (isCritical[clique] || next[clique] !== place) continue;
        isCritical[clique] = 1;
        critical.push(clique);
      }
    }
    const batch = critical.map(take);
    const others: number[] = [];
    while (batch.length < maxBatchSize) {
      const nextFree = free[freeTaken] ?? Infinity;
      if (nextFree < heads.peek()) {
        batch.push(nextFree);
        freeTaken++;
        continue;
      }
      const head = heads.pop();
      if (head === Infinity) break;
      const clique = cliqueOf[head] ?? 0;
      if (isCritical[clique]) continue;
      batch.push(take(clique));
      others.push(clique);
    }
    for (const clique of others) {
      const place = next[clique] ?? 0;
      if (place < (starts[clique + 1] ?? 0)) heads.push(items[place] ?? 0);
    }
    batches.push(critical.length > 0 ? batch.sort((a, b) => a - b) : batch);
  }
  return batches;
}
