import type { Classes } from './classes';
import type { ConflictGraph } from './conflict-graph';
import type { Assignment } from './cut';

/** So many records have a class each that fits into the bits of a number. */
const MAX_RECORDS = 32;

/**
 * Places tried before the search gives up: a few milliseconds. There are 26,441 ways to put up to nine records into
 * batches (the Bell numbers, summed), so for so few it always comes to an end.
 */
const MAX_PLACES = 30_000;

/**
 * Looks for the fewest batches by trying all ways to put records into batches that aren't the same in other words
 * (branch and bound): records with many conflicts first, those of one class in the order of the batches, and no further
 * than there is room for what is left.
 *
 * @param upper a partition to beat
 * @param counts by class: how much it conflicts
 * @returns the best that was found, and whether no other has fewer; undefined when there are too many records to try
 */
export function searchFewest(
  upper: Assignment,
  classes: Classes,
  graph: ConflictGraph,
  counts: Float64Array,
  maxBatchSize: number,
): { best: Assignment; proved: boolean } | undefined {
  const { classOf } = classes;
  if (classOf.length > MAX_RECORDS) return undefined;
  const countOf = (record: number) => counts[classOf[record] as number] as number;
  const classAt = (record: number) => classOf[record] as number;
  const order = [...classOf.keys()].sort(
    (a, b) => countOf(b) - countOf(a) || classAt(a) - classAt(b) || a - b,
  );
  const conflicts = classes.constraints.map((_, index) => {
    const words = new Int32Array(graph.words);
    graph.conflictsOf(index, words);
    return words[0] as number;
  });
  const search = new Search(order.map(classAt), conflicts, maxBatchSize);
  let best = upper;
  while (search.finds(best.count - 1)) {
    const batchOf = new Int32Array(classOf.length);
    for (const [place, record] of order.entries()) batchOf[record] = search.batchAt[place] as number;
    best = { batchOf, count: Math.max(...batchOf) + 1 };
  }
  return { best, proved: search.placesLeft > 0 };
}

class Search {
  placesLeft = MAX_PLACES;
  /** By place in the order: the batch of the record. */
  readonly batchAt: number[] = [];
  /** By batch: its classes as bits, and how many records it has. */
  private readonly held: number[] = [];
  private readonly sizes: number[] = [];

  constructor(
    private readonly classAt: readonly number[],
    private readonly conflicts: readonly number[],
    private readonly maxBatchSize: number,
  ) {}

  /** Whether a partition into so many batches was found. */
  finds(most: number): boolean {
    this.held.length = 0;
    this.sizes.length = 0;
    return this.place(0, most, most * this.maxBatchSize);
  }

  private place(at: number, most: number, room: number): boolean {
    const { classAt, held, sizes, batchAt } = this;
    const recordClass = classAt[at];
    if (recordClass === undefined) return true;
    if (room < classAt.length - at) return false;
    const first = recordClass === classAt[at - 1] ? (batchAt[at - 1] as number) : 0;
    for (let batch = first; batch <= held.length && batch < most; batch++) {
      const before = held[batch] ?? 0;
      const size = sizes[batch] ?? 0;
      if (size === this.maxBatchSize || (before & (this.conflicts[recordClass] as number)) !== 0) continue;
      if (--this.placesLeft <= 0) return false;
      const isNew = batch === held.length;
      held[batch] = before | (1 << recordClass);
      sizes[batch] = size + 1;
      batchAt[at] = batch;
      if (this.place(at + 1, most, room - 1)) return true;
      held[batch] = before;
      sizes[batch] = size;
      if (isNew) {
        held.length--;
        sizes.length--;
      }
    }
    return false;
  }
}
