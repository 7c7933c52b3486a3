import type { Classes } from './graph/classes';
import type { Assignment } from './graph/cut';
import { listOf, listsBy } from './graph/lists';

/**
 * Makes a partition oldest first without changing its shape: how many records of which class a batch holds stays, so
 * that nothing new can conflict; which ones, and the order of the batches, is dealt anew. The next batch is the fullest
 * of those with a record of the same class as the oldest record that is left, and takes the oldest of each of its
 * classes. So each batch holds the oldest record that the earlier ones left. O(n log n).
 */
export function arrange(
  { batchOf, count }: Assignment,
  { classOf, members }: Pick<Classes, 'classOf' | 'members'>,
): number[][] {
  const batches = listsBy(batchOf, count);
  const sizes = Array.from(
    { length: count },
    (_, batch) => (batches.starts[batch + 1] ?? 0) - (batches.starts[batch] ?? 0),
  );
  const withClass = Array.from({ length: members.starts.length - 1 }, (): number[] => []);
  // The fullest is pushed last, because it has to be popped first; of equally full ones, the first.
  const byRoom = [...sizes.keys()].reverse().sort((a, b) => (sizes[a] ?? 0) - (sizes[b] ?? 0));
  const lastBatchOf = new Int32Array(withClass.length).fill(-1);
  for (const batch of byRoom) {
    for (const record of listOf(batches, batch)) {
      const recordClass = classOf[record] ?? 0;
      if (lastBatchOf[recordClass] === batch) continue;
      lastBatchOf[recordClass] = batch;
      withClass[recordClass]?.push(batch);
    }
  }
  const isDealt = new Uint8Array(count);
  const next = members.starts.slice();
  const headOf = (recordClass: number) => members.items[next[recordClass] ?? 0];

  const arranged: number[][] = [];
  for (const [record, recordClass] of classOf.entries()) {
    const place = next[recordClass] ?? 0;
    if (place === members.starts[recordClass + 1] || headOf(recordClass) !== record) continue;
    let batch = withClass[recordClass]?.pop();
    while (batch !== undefined && isDealt[batch]) batch = withClass[recordClass]?.pop();
    if (batch === undefined) continue;
    isDealt[batch] = 1;
    const dealt = Array.from(listOf(batches, batch), (each) => {
      const ofClass = classOf[each] ?? 0;
      const oldest = headOf(ofClass) ?? 0;
      next[ofClass] = (next[ofClass] ?? 0) + 1;
      return oldest;
    });
    arranged.push(dealt.sort((a, b) => a - b));
  }
  return arranged;
}
