import { countOf, type Classes } from '../graph/classes';
import { hasBit, type ConflictGraph } from '../graph/conflict-graph';
import { lengthOf } from '../graph/lists';

/** From how many classes a clique is grown: those with the most conflicts. */
const STARTS = 8;

/**
 * A number of batches that is needed because some classes all conflict with each other: the sum of what each needs by
 * itself, and of what the records need that conflict with all of these classes, as they can't be in any of those
 * batches. The cliques are grown greedily, by the class with the most conflicts among those that can still join.
 *
 * @param counts by class: how much it conflicts
 * @param maxSteps of the graph, with which it stops
 */
export function cliqueBound(
  classes: Classes,
  graph: ConflictGraph,
  counts: Float64Array,
  maxBatchSize: number,
  maxSteps: number,
): number {
  const { members } = classes;
  const needOf = (index: number) => {
    const records = lengthOf(members, index);
    return graph.isAlone(index) ? records : Math.ceil(records / maxBatchSize);
  };
  const recordsOf = (some: Int32Array) => {
    let records = 0;
    for (let word = 0; word < some.length; word++) {
      for (let bits = some[word] ?? 0; bits !== 0; bits &= bits - 1) {
        records += lengthOf(members, (word << 5) + 31 - Math.clz32(bits & -bits));
        graph.steps++;
      }
    }
    return records;
  };
  const order = [...Array(countOf(classes)).keys()].sort(
    (a, b) => (counts[b] ?? 0) - (counts[a] ?? 0) || a - b,
  );
  const conflicts = new Int32Array(graph.words);
  const joining = new Int32Array(graph.words);
  const end = graph.steps + maxSteps;
  let bound = 0;
  for (const start of order.slice(0, STARTS)) {
    let sum = 0;
    joining.fill(-1);
    const join = (index: number) => {
      sum += needOf(index);
      graph.conflictsOf(index, conflicts);
      for (let word = 0; word < joining.length; word++) {
        joining[word] = (joining[word] ?? 0) & (conflicts[word] ?? 0);
      }
      // It may conflict with itself, and doesn't join twice.
      joining[index >> 5] = (joining[index >> 5] ?? 0) & ~(1 << (index & 31));
      bound = Math.max(bound, sum + Math.ceil(recordsOf(joining) / maxBatchSize));
    };
    join(start);
    for (const index of order) {
      if (graph.steps >= end) break;
      if (hasBit(joining, index)) join(index);
    }
    if (graph.steps >= end) break;
  }
  return bound;
}
