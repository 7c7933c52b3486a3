import { Bits, SparseBits, type NumberSet } from '../graph/bits';
import type { Classes } from '../graph/classes';
import { ALONE, type Constraint } from '../graph/columns';
import { lengthOf } from '../graph/lists';
import { TakenSlots } from './taken-slots';

/** A slot of many records: which batches have it taken, and with which key. */
interface WideSlot {
  taken: Bits;
  byKey: Map<number, KeyOfSlot>;
}

/** How many records have a key in a slot, and which batches have one of them. */
interface KeyOfSlot {
  records: number;
  batches: NumberSet;
}

/** The constraints of a class: on slots of many records what is taken, and by batches with the same key; and the others. */
interface Resolved {
  taken: Bits[];
  same: (NumberSet | undefined)[];
  narrow: Constraint[];
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
  private readonly sizes: number[] = [];
  private readonly withRoom = new Bits();
  private firstWordWithRoom = 0;
  private readonly wide: readonly (WideSlot | undefined)[];
  private readonly narrow: TakenSlots;
  /** By class: its constraints, looked up once. */
  private readonly resolved: (Resolved | undefined)[] = [];

  /**
   * @param maxSteps with which it stops looking for the first batch, and takes the first among the youngest 128. So time
   *   stays near linear whatever conflicts, and batches may become more
   */
  constructor(
    private readonly classes: Classes,
    private readonly maxBatchSize: number,
    private readonly maxSteps = Infinity,
  ) {
    const records = recordsInSlots(classes);
    // So the bits of a slot, one for each batch at most, are few words more than it has records.
    const isWide = (count: number) => 32 * Math.min(maxBatchSize, 8) * count >= classes.classOf.length;
    this.narrow = new TakenSlots(records.reduce((sum, count) => sum + (isWide(count) ? 0 : count), 0));
    this.wide = wideSlots(classes, records, isWide);
  }

  /** The first batch, from a number on, with room for a record of a class and without a conflict; else a new one. */
  firstFor(recordClass: number, from: number): number {
    const { taken, same, narrow } = this.constraintsOf(recordClass);
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
      this.sizes.push(0);
      this.withRoom.add(batch);
    }
    const size = (this.sizes[batch] ?? 0) + 1;
    this.sizes[batch] = size;
    const { taken, same, narrow } = this.constraintsOf(recordClass);
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
    for (const { slot, key } of narrow) this.narrow.take(slot, batch, key);
  }

  /** Whether no slot of few records refuses a class that is under these constraints. */
  private isOpenTo(narrow: readonly Constraint[], batch: number): boolean {
    for (const { slot, key } of narrow) {
      this.steps++;
      const taken = this.narrow.keyIn(slot, batch);
      if (taken !== undefined && (taken !== key || key === ALONE)) return false;
    }
    return true;
  }

  private constraintsOf(recordClass: number): Resolved {
    const known = this.resolved[recordClass];
    if (known) return known;
    const found: Resolved = { taken: [], same: [], narrow: [] };
    for (const constraint of this.classes.constraints[recordClass] ?? []) {
      const { slot, key } = constraint;
      const of = this.wide[slot];
      if (of === undefined) {
        found.narrow.push(constraint);
        continue;
      }
      found.taken.push(of.taken);
      found.same.push(key === ALONE ? undefined : of.byKey.get(key)?.batches);
    }
    return (this.resolved[recordClass] = found);
  }

  private close(batch: number): void {
    this.withRoom.delete(batch);
    // A word that new batches may still come into is not passed over.
    const words = this.count >> 5;
    while (this.firstWordWithRoom < words && this.withRoom.at(this.firstWordWithRoom) === 0)
      this.firstWordWithRoom++;
  }
}

/** By slot: how many records are under a constraint on it. */
function recordsInSlots({ constraints, members, slots }: Classes): Int32Array {
  const records = new Int32Array(slots);
  for (const [index, ofClass] of constraints.entries()) {
    for (const { slot } of ofClass) records[slot] = (records[slot] ?? 0) + lengthOf(members, index);
  }
  return records;
}

function wideSlots(
  { constraints, members, slots }: Classes,
  records: Int32Array,
  isWide: (records: number) => boolean,
): (WideSlot | undefined)[] {
  const wide = Array.from({ length: slots }, (): WideSlot | undefined => undefined);
  for (const [index, ofClass] of constraints.entries()) {
    for (const { slot, key } of ofClass) {
      if (!isWide(records[slot] ?? 0)) continue;
      const known: WideSlot = wide[slot] ?? { taken: new Bits(), byKey: new Map() };
      wide[slot] = known;
      if (key === ALONE) continue;
      const same: KeyOfSlot = known.byKey.get(key) ?? { records: 0, batches: new SparseBits() };
      known.byKey.set(key, same);
      same.records += lengthOf(members, index);
      if (isWide(same.records) && same.batches instanceof SparseBits) same.batches = new Bits();
    }
  }
  return wide;
}
