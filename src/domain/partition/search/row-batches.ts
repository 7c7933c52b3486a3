import { countOf, type Classes } from '../graph/classes';
import { ConflictGraph, hasBit } from '../graph/conflict-graph';

/** Classes in fewer slots on average, or of fewer records, are placed faster slot by slot. */
const LEAST_SLOTS = 32;
const LEAST_RECORDS = 4;

/**
 * Batches that are being filled, like `OpenBatches`, for records in hundreds of slots each, but of few classes: the conflicts
 * of each class are written out once, as bits, and each batch knows which classes it refuses.
 */
export class RowBatches {
  count = 0;
  steps = 0;
  private readonly graph: ConflictGraph;
  /** By class: what it conflicts with. */
  private readonly rows: (Int32Array | undefined)[] = [];
  /** By batch: which classes it refuses; undefined when it is full. */
  private readonly refused: (Int32Array | undefined)[] = [];
  private readonly sizes: number[] = [];

  constructor(
    private readonly classes: Classes,
    private readonly maxBatchSize: number,
  ) {
    this.graph = new ConflictGraph(classes);
  }

  /** Whether that takes fewer steps. A batch has no more words than a class has slots, so memory stays linear in those. */
  static suits(classes: Classes): boolean {
    const count = countOf(classes);
    const slots = classes.constraints.items.length / count;
    return slots >= Math.max(LEAST_SLOTS, count >> 5) && classes.classOf.length >= LEAST_RECORDS * count;
  }

  /** The first batch, from a number on, with room for a record of a class and without a conflict; else a new one. */
  firstFor(recordClass: number, from: number): number {
    for (let batch = from; batch < this.count; batch++) {
      const refused = this.refused[batch];
      this.steps++;
      if (refused && !hasBit(refused, recordClass)) return batch;
    }
    return this.count;
  }

  /** Puts a record of a class into a batch, which may be the next new one. */
  put(recordClass: number, batch: number): void {
    if (batch === this.count) {
      this.count++;
      this.refused[batch] = new Int32Array(this.graph.words);
    }
    const size = (this.sizes[batch] ?? 0) + 1;
    this.sizes[batch] = size;
    if (size === this.maxBatchSize) {
      this.refused[batch] = undefined;
      return;
    }
    const refused = this.refused[batch];
    const row = this.rowOf(recordClass);
    if (refused)
      for (let word = 0; word < row.length; word++) refused[word] = (refused[word] ?? 0) | (row[word] ?? 0);
    this.steps += row.length;
  }

  private rowOf(recordClass: number): Int32Array {
    const known = this.rows[recordClass];
    if (known) return known;
    const row = new Int32Array(this.graph.words);
    const before = this.graph.steps;
    this.graph.conflictsOf(recordClass, row);
    this.steps += this.graph.steps - before;
    return (this.rows[recordClass] = row);
  }
}
