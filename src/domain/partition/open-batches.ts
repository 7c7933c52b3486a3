import { Bits, SparseBits, type NumberSet } from './bits';
import type { Classes } from './classes';
import { ALONE } from './columns';
import { lengthOf } from './lists';

/** A slot of many records: which batches have it taken, and with which key. */
interface WideSlot {
  taken: Bits;
  byKey: Map<number, { records: number; batches: NumberSet }>;
}

/**
 * Batches that are being filled, numbered from 0, and the way to the first that takes a record of some class: a few words
 * of bits tell it of 32 batches at a time. Slots of few records have lists instead of bits, so that all memory is linear
 * in the records and their constraints.
 */
export class OpenBatches {
  /** How many there are. */
  count = 0;
  private readonly sizes: number[] = [];
  private readonly withRoom = new Bits();
  private firstWordWithRoom = 0;
  private readonly wide: ReadonlyMap<number, WideSlot>;
  private readonly narrow: NarrowSlots;
  /** By batch: the last search that it refused for a slot of few records. */
  private readonly refused: number[] = [];
  private searches = 0;
  /** Of the search that is on. */
  private readonly taken: Bits[] = [];
  private readonly same: (NumberSet | undefined)[] = [];

  constructor(
    private readonly classes: Classes,
    private readonly maxBatchSize: number,
  ) {
    const records = recordsInSlots(classes);
    // So the bits of a slot, one for each batch at most, are no more words than it has records.
    const isWide = (count: number) => 32 * count >= classes.classOf.length;
    this.narrow = new NarrowSlots(records.map((count) => (isWide(count) ? 0 : count)));
    this.wide = wideSlots(classes, records, isWide);
  }

  /** The first batch, from a number on, with room for a record of a class and without a conflict; else a new one. */
  firstFor(recordClass: number, from: number): number {
    const { taken, same } = this;
    const search = ++this.searches;
    let wide = 0;
    for (const { slot, key } of this.classes.constraints[recordClass] ?? []) {
      const of = this.wide.get(slot);
      if (of === undefined) this.narrow.refuse(slot, key, this.refused, search);
      else {
        taken[wide] = of.taken;
        same[wide] = key === ALONE ? undefined : of.byKey.get(key)?.batches;
        wide++;
      }
    }
    const words = (this.count + 31) >> 5;
    for (let word = Math.max(from >> 5, this.firstWordWithRoom); word < words; word++) {
      let bits = this.withRoom.at(word);
      if (word === from >> 5) bits &= -1 << (from & 31);
      for (let each = 0; each < wide && bits !== 0; each++) {
        bits &= ~(taken[each] as Bits).at(word) | (same[each]?.at(word) ?? 0);
      }
      for (; bits !== 0; bits &= bits - 1) {
        const batch = (word << 5) + 31 - Math.clz32(bits & -bits);
        if (this.refused[batch] !== search) return batch;
      }
    }
    return this.count;
  }

  /** Puts a record of a class into a batch, which may be the next new one. */
  put(recordClass: number, batch: number): void {
    if (batch === this.count) {
      this.count++;
      this.sizes.push(0);
      this.refused.push(0);
      this.withRoom.add(batch);
    }
    const size = (this.sizes[batch] as number) + 1;
    this.sizes[batch] = size;
    if (size === this.maxBatchSize) this.close(batch);
    for (const { slot, key } of this.classes.constraints[recordClass] ?? []) {
      const of = this.wide.get(slot);
      if (of === undefined) this.narrow.take(slot, key, batch);
      else if (!of.taken.has(batch)) {
        of.taken.add(batch);
        of.byKey.get(key)?.batches.add(batch);
      }
    }
  }

  private close(batch: number): void {
    this.withRoom.delete(batch);
    // A word that new batches may still come into is not passed over.
    const words = this.count >> 5;
    while (this.firstWordWithRoom < words && this.withRoom.at(this.firstWordWithRoom) === 0)
      this.firstWordWithRoom++;
  }
}

/** Slots of few records: for each, the batches that have it taken, and the keys. */
class NarrowSlots {
  private readonly starts: Int32Array;
  private readonly ends: Int32Array;
  private readonly batches: Int32Array;
  private readonly keys: Int32Array;

  /** @param records by slot: how many batches may have it taken */
  constructor(records: Int32Array) {
    this.starts = new Int32Array(records.length);
    let total = 0;
    for (let slot = 0; slot < records.length; slot++) {
      this.starts[slot] = total;
      total += records[slot] as number;
    }
    this.ends = this.starts.slice();
    this.batches = new Int32Array(total);
    this.keys = new Int32Array(total);
  }

  /** Notes the search for every batch that has a slot taken, and not with this key. */
  refuse(slot: number, key: number, refused: number[], search: number): void {
    const end = this.ends[slot] as number;
    for (let each = this.starts[slot] as number; each < end; each++) {
      if (key === ALONE || this.keys[each] !== key) refused[this.batches[each] as number] = search;
    }
  }

  take(slot: number, key: number, batch: number): void {
    const end = this.ends[slot] as number;
    for (let each = this.starts[slot] as number; each < end; each++) if (this.batches[each] === batch) return;
    this.batches[end] = batch;
    this.keys[end] = key;
    this.ends[slot] = end + 1;
  }
}

/** By slot: how many records are under a constraint on it. */
function recordsInSlots({ constraints, members, slots }: Classes): Int32Array {
  const records = new Int32Array(slots);
  for (const [index, ofClass] of constraints.entries()) {
    for (const { slot } of ofClass) records[slot] = (records[slot] as number) + lengthOf(members, index);
  }
  return records;
}

function wideSlots(
  { constraints, members }: Classes,
  records: Int32Array,
  isWide: (records: number) => boolean,
): Map<number, WideSlot> {
  const wide = new Map<number, WideSlot>();
  for (const [index, ofClass] of constraints.entries()) {
    for (const { slot, key } of ofClass) {
      if (!isWide(records[slot] as number)) continue;
      const known: WideSlot = wide.get(slot) ?? { taken: new Bits(), byKey: new Map() };
      wide.set(slot, known);
      if (key === ALONE) continue;
      const same = known.byKey.get(key) ?? { records: 0, batches: new SparseBits() };
      known.byKey.set(key, same);
      same.records += lengthOf(members, index);
      if (isWide(same.records)) same.batches = new Bits();
    }
  }
  return wide;
}
