import { conflicts, type ConflictRule } from '../../src/domain/conflict-rules';
import type { JsonValue } from '../../src/domain/json';

export interface ExactPartition {
  /** The fewest conflict-free batches. */
  fewest: number;
  /**
   * Indices of the records: each batch in turn the oldest that a partition into so few batches can have next. Of two
   * batches, the older is the one with the oldest record that is not in both.
   */
  oldest: number[][];
}

/**
 * Solves mutual exclusion scheduling by dynamic programming over all sets of records, from the plain definition of a
 * conflict alone. For at most 10 records: it takes O(3^records).
 */
export function exactPartition(
  values: readonly JsonValue[],
  rules: readonly ConflictRule[],
  maxBatchSize: number,
): ExactPartition {
  // In a set, the oldest record is the highest bit, so that an older batch is a larger number.
  const bitOf = (index: number) => 1 << (values.length - 1 - index);
  const enemies = values.map((a, i) =>
    values.reduce<number>((set, b, j) => (i !== j && conflicts(a, b, rules) ? set | bitOf(j) : set), 0),
  );
  const membersOf = (set: number) => [...values.keys()].filter((index) => set & bitOf(index));
  const all = 2 ** values.length - 1;
  const isBatch = Array.from({ length: all + 1 }, (_, set) => {
    const members = membersOf(set);
    return (
      members.length <= maxBatchSize && members.every((index) => (set & (enemies[index] as number)) === 0)
    );
  });

  const fewest = [0];
  const oldest = [0];
  for (let set = 1; set <= all; set++) {
    fewest[set] = Infinity;
    // From the largest subset down: of equally good first batches, the first one found is the oldest.
    for (let batch = set; batch > 0; batch = (batch - 1) & set) {
      if (!isBatch[batch]) continue;
      const batches = 1 + (fewest[set & ~batch] as number);
      if (batches >= (fewest[set] as number)) continue;
      fewest[set] = batches;
      oldest[set] = batch;
    }
  }
  const batches: number[][] = [];
  for (let left = all; left > 0; left &= ~(oldest[left] as number))
    batches.push(membersOf(oldest[left] as number));
  return { fewest: fewest[all] as number, oldest: batches };
}
