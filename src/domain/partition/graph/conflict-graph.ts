import { Bits, SparseBits, type NumberSet } from './bits';
import type { Classes } from './classes';
import { ALONE } from './columns';

/** The classes that have one slot taken, and those that have it taken with one key. */
interface SlotClasses {
  all: NumberSet;
  byKey: Map<number, NumberSet>;
}

/**
 * Tells which classes conflict with one. The graph itself, which may have a square of the records as edges, is never
 * made: each answer is read from the slots. Memory is linear in the classes and their constraints.
 */
export class ConflictGraph {
  /** Elementary steps so far, for bounds on them: 50,000 to 100,000 take a millisecond. */
  steps = 0;
  private readonly slots: SlotClasses[];

  constructor(private readonly classes: Classes) {
    const { constraints, slots } = classes;
    const sizes = new Int32Array(slots);
    for (const ofClass of constraints) for (const { slot } of ofClass) sizes[slot] = (sizes[slot] ?? 0) + 1;
    const setFor = (slot: number) =>
      32 * (sizes[slot] ?? 0) >= constraints.length ? new Bits() : new SparseBits();
    this.slots = Array.from(sizes, (_, slot) => ({ all: setFor(slot), byKey: new Map() }));
    for (const [index, ofClass] of constraints.entries()) {
      for (const { slot, key } of ofClass) {
        const { all, byKey } = this.slots[slot] as SlotClasses;
        all.add(index);
        if (key === ALONE) continue;
        const same = byKey.get(key) ?? setFor(slot);
        byKey.set(key, same);
        same.add(index);
      }
    }
  }

  /** How many words of 32 bits hold one for each class. */
  get words(): number {
    return (this.classes.constraints.length + 31) >> 5;
  }

  /**
   * Writes the classes that a class conflicts with as bits; itself among them when its own records conflict.
   * @param into {@link words} long
   */
  conflictsOf(recordClass: number, into: Int32Array): void {
    into.fill(0);
    let alone = false;
    for (const { slot, key } of this.classes.constraints[recordClass] ?? []) {
      const { all, byKey } = this.slots[slot] as SlotClasses;
      alone ||= key === ALONE;
      this.steps += all.orInto(into, key === ALONE ? undefined : byKey.get(key));
    }
    this.steps += into.length;
    const word = recordClass >> 5;
    if (!alone) into[word] = (into[word] ?? 0) & ~(1 << (recordClass & 31));
  }

  /** How many steps it takes to write the conflicts of all classes. */
  stepsOfAll(): number {
    const { constraints } = this.classes;
    let steps = constraints.length * this.words;
    for (const ofClass of constraints)
      for (const { slot } of ofClass) steps += this.slots[slot]?.all.steps ?? 0;
    return steps;
  }

  /** Whether the records of a class conflict with each other. */
  isAlone(recordClass: number): boolean {
    return (this.classes.constraints[recordClass] ?? []).some(({ key }) => key === ALONE);
  }
}

/** The numbers that bits stand for, ascending. */
export function* bitsOf(words: Int32Array): Generator<number> {
  for (let word = 0; word < words.length; word++) {
    for (let bits = words[word] ?? 0; bits !== 0; bits &= bits - 1) {
      yield (word << 5) + 31 - Math.clz32(bits & -bits);
    }
  }
}

/** Whether a number is among those that bits stand for. */
export function hasBit(words: Int32Array, number: number): boolean {
  return ((words[number >> 5] ?? 0) & (1 << (number & 31))) !== 0;
}
