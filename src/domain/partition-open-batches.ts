import { ALONE, type Constraint } from './partition-classes';

interface OpenBatch {
  records: number[];
  /** By slot: the key that the batch's records have there. */
  keys: Map<number, number>;
}

/** Where the records of a slot's members may go: batches that hold the same member, or none of the slot. */
interface SlotIndex {
  withoutSlot: Survivors;
  /** Ascending. */
  byKey: Map<number, number[]>;
}

/**
 * Batches that are being filled, numbered from 0, and the way to the first that takes a record. What a batch refuses
 * once it refuses for good, as batches only fill up; that is what makes the search short.
 */
export class OpenBatches {
  private readonly batches: OpenBatch[] = [];
  private readonly withRoom = new Survivors();
  private readonly slots = new Map<number, SlotIndex>();

  constructor(private readonly maxBatchSize: number) {}

  /** The first batch, from a number on, with room and without a conflict; a new one if there is none. */
  firstFor(constraints: readonly Constraint[], from: number): number {
    const member = constraints.find(({ key }) => key !== ALONE);
    let at = this.nextCandidate(member, from);
    while (this.refuses(at, constraints)) at = this.nextCandidate(member, at + 1);
    return at;
  }

  put(record: number, constraints: readonly Constraint[], at: number): void {
    const batch = (this.batches[at] ??= { records: [], keys: new Map() });
    batch.records.push(record);
    if (batch.records.length === this.maxBatchSize) this.withRoom.remove(at);
    for (const { slot, key } of constraints) {
      if (batch.keys.get(slot) === key) continue;
      batch.keys.set(slot, key);
      if (key !== ALONE) this.addToIndex(slot, key, at);
    }
  }

  records(): number[][] {
    return this.batches.map(({ records }) => records);
  }

  private refuses(at: number, constraints: readonly Constraint[]): boolean {
    const keys = this.batches[at]?.keys;
    if (keys === undefined) return false;
    for (const { slot, key } of constraints) {
      const held = keys.get(slot);
      if (held !== undefined && (held !== key || key === ALONE)) return true;
    }
    return false;
  }

  /** Leaves out batches that are full and, for a record of some member, those that hold another member. */
  private nextCandidate(member: Constraint | undefined, from: number): number {
    const index = member && this.slots.get(member.slot);
    if (index === undefined) return this.withRoom.from(from);
    let without = this.withRoom.from(from);
    for (;;) {
      const withoutSlot = index.withoutSlot.from(without);
      if (withoutSlot === without) break;
      without = this.withRoom.from(withoutSlot);
    }
    const same = index.byKey.get(member?.key ?? ALONE) ?? [];
    const place = placeOf(from, same);
    while (place < same.length && this.isFull(same[place] as number)) same.splice(place, 1);
    return Math.min(without, same[place] ?? Infinity);
  }

  private addToIndex(slot: number, key: number, at: number): void {
    const index = this.slots.get(slot) ?? {
      withoutSlot: new Survivors(),
      byKey: new Map<number, number[]>(),
    };
    this.slots.set(slot, index);
    index.withoutSlot.remove(at);
    const same = index.byKey.get(key) ?? [];
    index.byKey.set(key, same);
    same.splice(placeOf(at, same), 0, at);
  }

  private isFull(at: number): boolean {
    return this.batches[at]?.records.length === this.maxBatchSize;
  }
}

/** The numbers 0, 1, 2 …, from which some are removed: a union-find forest, in which a removed one points further on. */
class Survivors {
  private readonly further = new Map<number, number>();

  remove(number: number): void {
    this.further.set(number, number + 1);
  }

  /** The first survivor that isn't less. */
  from(number: number): number {
    const { further } = this;
    let at = number;
    for (;;) {
      const next = further.get(at);
      if (next === undefined) return at;
      // Halves the path, without which the steps would add up.
      const afterNext = further.get(next);
      if (afterNext === undefined) return next;
      further.set(at, afterNext);
      at = afterNext;
    }
  }
}

/** Where a number stands, or would stand, in an ascending list. */
function placeOf(number: number, ascending: readonly number[]): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
