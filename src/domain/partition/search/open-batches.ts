import { Bits, SparseBits, type NumberSet } from '../graph/bits';
import type { Classes } from '../graph/classes';
import type { SlotCounts } from '../graph/conflict-counts';
import { lengthOf, listOf } from '../graph/lists';
import { TakenSlots } from './taken-slots';

/** The constraints of a class: on slots of many records, and the others. */
interface Sorted {
  recordClass: number;
  /** Which batches have the slot taken, and which of them under the same constraint. */
  taken: Bits[];
  same: (NumberSet | undefined)[];
  narrow: number[];
}

/** When the steps are used up, a search looks at so many words of batches: the youngest. */
const LAST_WORDS = 4;

/**
 * Batches that are being filled, numbered from 0, and the way to the first that takes a record of some class: a few words
 * of bits tell it of 32 batches at a time. For slots of few records a table is asked, batch by batch, so that all memory
 * is linear in the records and their constraints.
 */
export class OpenBatches {
  /** How many there are. */
  count = 0;
  /** Elementary steps so far: words of bits, batches and constraints looked at. */
  steps = 0;
  private readonly sizes: Int32Array;
  private readonly withRoom = new Bits();
  private firstWordWithRoom = 0;
  /** By slot of many records: which batches have it taken. */
  private readonly wide: readonly (Bits | undefined)[];
  /** By constraint on such a slot: which batches have a record under it. */
  private readonly same: readonly (NumberSet | undefined)[];
  /** What the other slots are taken by. */
  private readonly narrow: TakenSlots;
  /** By class of several records: its constraints, sorted once. */
  private readonly sorted: (Sorted | undefined)[] = [];
  /** The constraints of the class that was asked for last. */
  private last: Sorted = { recordClass: -1, taken: [], same: [], narrow: [] };
  /** Where the constraints of a class of one record are sorted. */
  private readonly scratch: Sorted = this.last;

  /**
   * @param maxSteps with which it stops looking for the first batch, and takes the first among the youngest 128. So time
   *   stays near linear whatever conflicts, and batches may become more
   */
  constructor(
    private readonly classes: Classes,
    { inSlot, under }: SlotCounts,
    private readonly maxBatchSize: number,
    private readonly maxSteps = Infinity,
  ) {
    // So the bits of a slot, one for each batch at most, are few words more than it has records.
    const isWide = (count: number) => 32 * Math.min(maxBatchSize, 8) * count >= classes.classOf.length;
    this.sizes = new Int32Array(classes.classOf.length);
    this.wide = Array.from(inSlot, (count) => (count > 0 && isWide(count) ? new Bits() : undefined));
    this.same = Array.from(under, (count, constraint) => {
      if (classes.isAlone[constraint] === 1 || !this.wide[classes.slotOf[constraint] ?? 0]) return undefined;
      return isWide(count) ? new Bits() : new SparseBits();
    });
    this.narrow = new TakenSlots(inSlot.reduce((sum, count) => sum + (isWide(count) ? 0 : count), 0));
  }

  /** The first batch, from a number on, with room for a record of a class and without a conflict; else a new one. */
  firstFor(recordClass: number, from: number): number {
    const { taken, same, narrow } = this.sort(recordClass);
    const words = (this.count + 31) >> 5;
    let first = Math.max(from >> 5, this.firstWordWithRoom);
    if (this.steps > this.maxSteps) first = Math.max(first, words - LAST_WORDS);
    this.steps += taken.length + narrow.length;
    for (let word = first; word < words; word++) {
      let bits = this.withRoom.at(word);
      if (word === from >> 5) bits &= -1 << (from & 31);
      for (let each = 0; each < taken.length && bits !== 0; each++) {
        bits &= ~(taken[each] as Bits).at(word) | (same[each]?.at(word) ?? 0);
        this.steps++;
      }
      this.steps++;
      for (; bits !== 0; bits &= bits - 1) {
        const batch = (word << 5) + 31 - Math.clz32(bits & -bits);
        if (narrow.length === 0 || this.isOpenTo(narrow, batch)) return batch;
      }
    }
    return this.count;
  }

  /** Puts a record of a class into a batch, which may be the next new one. */
  put(recordClass: number, batch: number): void {
    if (batch === this.count) {
      this.count++;
      this.withRoom.add(batch);
    }
    const size = (this.sizes[batch] ?? 0) + 1;
    this.sizes[batch] = size;
    const { taken, same, narrow } = this.sort(recordClass);
    this.steps += taken.length + narrow.length;
    if (size === this.maxBatchSize) {
      // Nothing asks for its slots again.
      this.close(batch);
      return;
    }
    for (let each = 0; each < taken.length; each++) {
      const ofSlot = taken[each] as Bits;
      if (ofSlot.has(batch)) continue;
      ofSlot.add(batch);
      same[each]?.add(batch);
    }
    for (const constraint of narrow)
      this.narrow.take(this.classes.slotOf[constraint] ?? 0, batch, constraint);
  }

  /** Whether no slot of few records refuses the class that is asked for. */
  private isOpenTo(narrow: readonly number[], batch: number): boolean {
    const { slotOf, isAlone } = this.classes;
    for (const constraint of narrow) {
      this.steps++;
      const taken = this.narrow.takenBy(slotOf[constraint] ?? 0, batch);
      if (taken !== undefined && (taken !== constraint || isAlone[constraint] === 1)) return false;
    }
    return true;
  }

  private sort(recordClass: number): Sorted {
    if (this.last.recordClass === recordClass) return this.last;
    const known = this.sorted[recordClass];
    if (known) return (this.last = known);
    const { constraints, slotOf, members } = this.classes;
    const isRepeated = lengthOf(members, recordClass) > 1;
    const own: Sorted = isRepeated ? { recordClass, taken: [], same: [], narrow: [] } : this.scratch;
    own.recordClass = recordClass;
    own.taken.length = own.same.length = own.narrow.length = 0;
    for (const constraint of listOf(constraints, recordClass)) {
      const wide = this.wide[slotOf[constraint] ?? 0];
      if (wide === undefined) own.narrow.push(constraint);
      else {
        own.taken.push(wide);
        own.same.push(this.same[constraint]);
      }
    }
    if (isRepeated) this.sorted[recordClass] = own;
    return (this.last = own);
  }

  private close(batch: number): void {
    this.withRoom.delete(batch);
    // A word that new batches may still come into is not passed over.
    const words = this.count >> 5;
    while (this.firstWordWithRoom < words && this.withRoom.at(this.firstWordWithRoom) === 0)
      this.firstWordWithRoom++;
  }
}
