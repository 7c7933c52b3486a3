import { ALONE, type RecordClass } from './partition-classes';
import { MinHeap } from './partition-heap';

/**
 * The cliques, if the conflicts of these classes form disjoint ones: no record stands under more than one constraint,
 * and each of those is of a `distinct` rule. A record without constraint is a clique of its own.
 */
export function asCliques(classes: readonly RecordClass[]): number[][] | undefined {
  const disjoint = classes.every(
    ({ constraints }) =>
      constraints.length === 0 || (constraints.length === 1 && constraints[0]?.key === ALONE),
  );
  if (!disjoint) return undefined;
  return classes.flatMap(({ records, constraints }) =>
    constraints.length === 0 ? records.map((record) => [record]) : [records],
  );
}

interface Clique {
  records: readonly number[];
  taken: number;
  /** From now on every batch has to take one of its records. */
  critical: boolean;
}

/**
 * Cuts disjoint cliques into the fewest batches, max(⌈records / maxBatchSize⌉, records of the largest clique), in
 * O(n log n).
 *
 * Whenever `left` batches are left to cut, at most `left` × maxBatchSize records remain, and at most `left` of each
 * clique. Where it is exactly `left`, the clique is critical: every batch from here on has to take one of its records.
 * (By the first condition, there are never more than maxBatchSize such cliques.) The other cliques fill the batch up
 * with one record each, oldest first. Then both conditions hold for `left` − 1: every clique that still had `left`
 * records gave one; and either the batch is full, or every clique gave one and there are fewer than maxBatchSize.
 *
 * Each batch is the oldest that can be had without a batch more: of two candidates, the older is the one with the
 * oldest record that is not in both. So it holds the oldest record that remains, and sizes never increase.
 */
export function partitionCliques(recordsOfCliques: readonly number[][], maxBatchSize: number): number[][] {
  const heads = new MinHeap();
  const byHead = new Map<number, Clique>();
  const bySize: Clique[][] = [];
  const offer = (clique: Clique) => {
    const head = clique.records[clique.taken];
    if (head === undefined) return;
    heads.push(head);
    byHead.set(head, clique);
    (bySize[remaining(clique)] ??= []).push(clique);
  };
  let total = 0;
  let left = 0;
  for (const records of recordsOfCliques) {
    offer({ records, taken: 0, critical: false });
    total += records.length;
    left = Math.max(left, records.length);
  }

  const batches: number[][] = [];
  const critical: Clique[] = [];
  for (left = Math.max(left, Math.ceil(total / maxBatchSize)); left > 0; left--) {
    for (const clique of bySize[left] ?? []) {
      // Not so if it was offered with that size for an earlier batch and has given a record since.
      if (remaining(clique) !== left) continue;
      clique.critical = true;
      critical.push(clique);
    }
    const batch = critical.map(take);
    const others: Clique[] = [];
    while (batch.length < maxBatchSize && heads.size > 0) {
      const clique = byHead.get(heads.pop() as number) as Clique;
      if (clique.critical) continue;
      batch.push(take(clique));
      others.push(clique);
    }
    others.forEach(offer);
    batches.push(batch.sort((a, b) => a - b));
  }
  return batches;
}

function remaining(clique: Clique): number {
  return clique.records.length - clique.taken;
}

function take(clique: Clique): number {
  return clique.records[clique.taken++] as number;
}
