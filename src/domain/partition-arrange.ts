import type { RecordClass } from './partition-classes';

/**
 * Makes a partition oldest first without changing its shape: how many records of which class a batch holds stays, so
 * that nothing new can conflict; which ones, and the order of the batches, is dealt anew. The next batch is the fullest
 * of those with a record of the same class as the oldest record that is left, and takes the oldest of each of its
 * classes. So each batch holds the oldest record that the earlier ones left. O(n log n).
 *
 * @param batches indices of records; every record once
 * @param classOf by record: the index of its class
 */
export function arrange(
  batches: readonly number[][],
  classes: readonly RecordClass[],
  classOf: Uint32Array,
): number[][] {
  const withClass: number[][][] = classes.map(() => []);
  // The fullest is pushed last, because it has to be popped first.
  for (const batch of [...batches].reverse().sort((a, b) => a.length - b.length)) {
    for (const classIndex of new Set(batch.map((record) => classOf[record] as number))) {
      withClass[classIndex]?.push(batch);
    }
  }
  const dealt = new Set<number[]>();
  const dealtOfClass = new Uint32Array(classes.length);
  const nextOf = (classIndex: number) => classes[classIndex]?.records[dealtOfClass[classIndex] as number];
  const deal = (classIndex: number) => {
    const record = nextOf(classIndex) as number;
    dealtOfClass[classIndex] = (dealtOfClass[classIndex] as number) + 1;
    return record;
  };

  const arranged: number[][] = [];
  for (const [record, classIndex] of classOf.entries()) {
    if (nextOf(classIndex) !== record) continue;
    let batch = withClass[classIndex]?.pop();
    while (batch !== undefined && dealt.has(batch)) batch = withClass[classIndex]?.pop();
    if (batch === undefined) continue;
    dealt.add(batch);
    arranged.push(batch.map((each) => deal(classOf[each] as number)).sort((a, b) => a - b));
  }
  return arranged;
}
