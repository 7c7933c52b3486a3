import { conflicts, type ConflictRule } from '../../src/domain/rules';
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

/**
 * The fewest conflict-free batches, for up to about 16 records: dynamic programming over the sets of records that are
 * left. The next batch holds the oldest of them and is maximal, as a record more in it never costs a batch later.
 */
export function fewestBatches(
  values: readonly JsonValue[],
  rules: readonly ConflictRule[],
  maxBatchSize: number,
): number {
  const enemies = values.map((a, i) =>
    values.reduce<number>((set, b, j) => (i !== j && conflicts(a, b, rules) ? set | (1 << j) : set), 0),
  );
  const known = new Map([[0, 0]]);
  const fewestFor = (left: number): number => {
    const before = known.get(left);
    if (before !== undefined) return before;
    let fewest = Infinity;
    /** @param fitting what fits into the batch, `untried` what of it is not tried yet */
    const grow = (batch: number, fitting: number, untried: number, size: number): void => {
      if (size === maxBatchSize || fitting === 0) {
        fewest = Math.min(fewest, 1 + fewestFor(left & ~batch));
        return;
      }
      for (let rest = untried; rest !== 0; rest &= rest - 1) {
        const record = 31 - Math.clz32(rest & -rest);
        const others = ~(enemies[record] as number) & ~(1 << record);
        grow(batch | (1 << record), fitting & others, rest & others, size + 1);
      }
    };
    const oldest = 31 - Math.clz32(left & -left);
    const fitting = left & ~(enemies[oldest] as number) & ~(1 << oldest);
    grow(1 << oldest, fitting, fitting, 1);
    known.set(left, fewest);
    return fewest;
  };
  return fewestFor(2 ** values.length - 1);
}
