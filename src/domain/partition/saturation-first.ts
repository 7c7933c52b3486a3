import type { Classes } from './classes';
import { bitsOf, hasBit, type ConflictGraph } from './conflict-graph';
import type { Assignment } from './cut';

/**
 * DSATUR (Brélaz, New methods to color the vertices of a graph, 1979) for colours that may be used `maxBatchSize` times:
 * next is always a record that the most batches refuse for a conflict; of several, one with the most conflicts among
 * the records that are left; then the one whose class is first. It goes into the first batch that takes it. Finds fewer
 * batches than first fit where very many pairs conflict.
 *
 * O(records × classes), and a step for each pair of a record and a class that conflict. Whoever calls it bounds that.
 */
export function saturationFirst(
  { members, classOf, constraints }: Classes,
  graph: ConflictGraph,
  counts: Float64Array,
  maxBatchSize: number,
): Assignment {
  const batchOf = new Int32Array(classOf.length);
  const next = members.starts.slice();
  const conflictsLeft = counts.slice();
  const saturation = new Int32Array(constraints.length);
  const sizes: number[] = [];
  /** By batch: the classes that conflict with one in it, as bits. */
  const refused: Int32Array[] = [];
  const conflicts = new Int32Array(graph.words);
  let firstWithRoom = 0;

  const mostRefused = (): number => {
    let most = -1;
    for (let each = 0; each < constraints.length; each++) {
      if (next[each] === members.starts[each + 1]) continue;
      const [own, others] = [saturation[each] as number, saturation[most] ?? -1];
      const conflictsMore = (conflictsLeft[each] as number) > (conflictsLeft[most] ?? -1);
      if (own > others || (own === others && conflictsMore)) most = each;
    }
    return most;
  };

  for (let left = classOf.length; left > 0; left--) {
    const recordClass = mostRefused();
    const record = members.items[next[recordClass] as number] as number;
    next[recordClass] = (next[recordClass] as number) + 1;
    while (sizes[firstWithRoom] === maxBatchSize) firstWithRoom++;
    let batch = firstWithRoom;
    while (batch < sizes.length && isClosedTo(recordClass, batch)) batch++;
    put(record, recordClass, batch);
  }
  return { batchOf, count: sizes.length };

  function isClosedTo(recordClass: number, batch: number): boolean {
    return sizes[batch] === maxBatchSize || hasBit(refused[batch] as Int32Array, recordClass);
  }

  function put(record: number, recordClass: number, batch: number): void {
    batchOf[record] = batch;
    sizes[batch] = (sizes[batch] ?? 0) + 1;
    const already = (refused[batch] ??= new Int32Array(graph.words));
    graph.conflictsOf(recordClass, conflicts);
    for (const other of bitsOf(conflicts)) {
      conflictsLeft[other] = (conflictsLeft[other] as number) - 1;
      if (!hasBit(already, other)) saturation[other] = (saturation[other] as number) + 1;
    }
    for (let word = 0; word < already.length; word++) {
      already[word] = (already[word] as number) | (conflicts[word] as number);
    }
  }
}
