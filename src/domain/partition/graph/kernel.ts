import { countOf, type Classes } from './classes';
import type { ConflictGraph } from './conflict-graph';
import type { Assignment } from './cut';
import { lengthOf, listOf } from './lists';

/** Rows of more words than this aren't made: the conflicts of some 5,000 classes, in 4 MB. */
const MAX_WORDS = 1_000_000;

/**
 * What a search works on: only classes that conflict with something, with their conflicts written out, one row of bits
 * for each. Records that conflict with nothing fill what room is left, so that a partition into `count` batches exists
 * exactly if these records have one and `count` × maxBatchSize is enough for all.
 */
export class Kernel {
  /** By class of the kernel: how many records it has. */
  readonly sizes: Int32Array;
  /** By class of the kernel: 1 where its own records conflict with each other. */
  readonly alone: Uint8Array;
  /** By class of the kernel: with how many records each of its records conflicts. */
  readonly degrees: Int32Array;
  /** How many words of 32 bits a row has. */
  readonly words: number;
  /** How many records there are in it. */
  readonly records: number;
  /** One row behind the other; a class that is alone conflicts with itself. */
  private readonly rows: Int32Array;
  private conflicting: { starts: Int32Array; items: Int32Array } | undefined;
  private others: { starts: Int32Array; items: Int32Array } | undefined;

  private constructor(
    private readonly classes: Classes,
    /** By class of the kernel: its index among all classes. */
    private readonly ids: Int32Array,
    graph: ConflictGraph,
  ) {
    const count = ids.length;
    this.words = (count + 31) >> 5;
    this.rows = new Int32Array(count * this.words);
    this.sizes = Int32Array.from(ids, (id) => lengthOf(classes.members, id));
    this.alone = Uint8Array.from(ids, (id) => (graph.isAlone(id) ? 1 : 0));
    this.records = this.sizes.reduce((sum, size) => sum + size, 0);
    const numberOf = new Int32Array(countOf(classes)).fill(-1);
    for (const [number, id] of ids.entries()) numberOf[id] = number;
    const row = new Int32Array(graph.words);
    const isSame = ids.every((id, number) => id === number);
    for (const [number, id] of ids.entries()) {
      graph.conflictsOf(id, row);
      const own = this.row(number);
      // Where there are no free records, the numbers are those of the classes; else only one class is left out.
      if (isSame) own.set(row.subarray(0, own.length));
      else copyRenumbered(row, numberOf, own);
    }
    this.degrees = new Int32Array(count);
    for (let number = 0; number < count; number++) this.degrees[number] = this.degreeOf(number);
  }

  /**
   * @param maxSteps of the graph, which it takes to write the conflicts out
   * @returns undefined where there are too many classes, or constraints, for that
   */
  static of(classes: Classes, graph: ConflictGraph, maxSteps: number): Kernel | undefined {
    const { constraints } = classes;
    const ids = new Int32Array(countOf(classes))
      .map((_, id) => id)
      .filter((id) => lengthOf(constraints, id) > 0);
    const words = (ids.length + 31) >> 5;
    if (ids.length * words > MAX_WORDS) return undefined;
    if (graph.stepsOfAll() > maxSteps) return undefined;
    return new Kernel(classes, ids, graph);
  }

  /** How many classes it has. */
  get count(): number {
    return this.sizes.length;
  }

  /** The conflicts of a class, as bits. */
  row(recordClass: number): Int32Array {
    return this.rows.subarray(recordClass * this.words, (recordClass + 1) * this.words);
  }

  conflict(a: number, b: number): boolean {
    return ((this.rows[a * this.words + (b >> 5)] ?? 0) & (1 << (b & 31))) !== 0;
  }

  /** Whether more pairs of classes conflict than don't. */
  isDense(): boolean {
    let conflicts = 0;
    for (const word of this.rows) conflicts += bitsIn(word);
    return 2 * conflicts > this.count * this.count;
  }

  /** The conflicts of all classes as lists, made when first asked for. */
  lists(): { starts: Int32Array; items: Int32Array } {
    return (this.conflicting ??= this.listsOf(0));
  }

  /** By class: those that it doesn't conflict with, as lists; itself among them unless its records conflict. */
  fitting(): { starts: Int32Array; items: Int32Array } {
    return (this.others ??= this.listsOf(-1));
  }

  /** @param flip -1 to list what isn't in the rows */
  private listsOf(flip: 0 | -1): { starts: Int32Array; items: Int32Array } {
    const { count, words, rows } = this;
    // Beyond the last class, no bit of a row stands for anything.
    const mask = (word: number) => (word === words - 1 && count % 32 !== 0 ? (1 << (count % 32)) - 1 : -1);
    const starts = new Int32Array(count + 1);
    for (let each = 0; each < count; each++) {
      let listed = 0;
      for (let word = 0; word < words; word++)
        listed += bitsIn(((rows[each * words + word] ?? 0) ^ flip) & mask(word));
      starts[each + 1] = (starts[each] ?? 0) + listed;
    }
    const items = new Int32Array(starts[count] ?? 0);
    let next = 0;
    for (let each = 0; each < count; each++) {
      for (let word = 0; word < words; word++) {
        let bits = ((rows[each * words + word] ?? 0) ^ flip) & mask(word);
        for (; bits !== 0; bits &= bits - 1) items[next++] = (word << 5) + 31 - Math.clz32(bits & -bits);
      }
    }
    return { starts, items };
  }

  /** The batches that a partition of all records has, as lists of classes: one entry for each record of the kernel. */
  batchesOf({ batchOf, count }: Assignment): number[][] {
    const batches = Array.from({ length: count }, (): number[] => []);
    for (const [number, id] of this.ids.entries())
      for (const record of listOf(this.classes.members, id)) batches[batchOf[record] ?? 0]?.push(number);
    return batches;
  }

  /**
   * A partition of all records from one of the kernel's: those that conflict with nothing go where there is room, and
   * into batches of their own when there is none.
   * @param batches lists of classes, one entry for each record
   */
  assignment(batches: readonly (readonly number[])[], maxBatchSize: number): Assignment {
    const { classOf, members } = this.classes;
    const batchOf = new Int32Array(classOf.length).fill(-1);
    const next = members.starts.slice();
    const sizes = batches.map(({ length }) => length);
    for (const [batch, classes] of batches.entries()) {
      for (const number of classes) {
        const id = this.ids[number] ?? 0;
        batchOf[members.items[next[id] ?? 0] ?? 0] = batch;
        next[id] = (next[id] ?? 0) + 1;
      }
    }
    let batch = 0;
    for (let record = 0; record < batchOf.length; record++) {
      if (batchOf[record] !== -1) continue;
      while ((sizes[batch] ?? 0) >= maxBatchSize) batch++;
      sizes[batch] = (sizes[batch] ?? 0) + 1;
      batchOf[record] = batch;
    }
    return { batchOf, count: sizes.length };
  }

  private degreeOf(recordClass: number): number {
    let degree = 0;
    for (let word = 0; word < this.words; word++) {
      for (let bits = this.rows[recordClass * this.words + word] ?? 0; bits !== 0; bits &= bits - 1)
        degree += this.sizes[(word << 5) + 31 - Math.clz32(bits & -bits)] ?? 0;
    }
    return degree - (this.alone[recordClass] ?? 0);
  }
}

/** How many bits of a word are set. */
export function bitsIn(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function copyRenumbered(row: Int32Array, numberOf: Int32Array, into: Int32Array): void {
  for (let word = 0; word < row.length; word++) {
    for (let bits = row[word] ?? 0; bits !== 0; bits &= bits - 1) {
      const number = numberOf[(word << 5) + 31 - Math.clz32(bits & -bits)] ?? 0;
      into[number >> 5] = (into[number >> 5] ?? 0) | (1 << (number & 31));
    }
  }
}
