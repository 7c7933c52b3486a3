import { Bits, SparseBits, type NumberSet } from './bits';
import { countOf, forEachConstraint, isAloneClass, type Classes } from './classes';
import { listOf } from './lists';

/**
 * Tells which classes conflict with one. The graph itself, which may have a square of the records as edges, is never
 * made: each answer is read from the slots. Memory is linear in the classes and their constraints.
 */
export class ConflictGraph {
  /** Elementary steps so far, for bounds on them: 50,000 to 100,000 take a millisecond. */
  steps = 0;
  /** By slot: the classes that have it taken; and by constraint, those that have it taken so. */
  private readonly inSlot: (NumberSet | undefined)[];
  private readonly under: (NumberSet | undefined)[];
  private readonly count: number;

  constructor(private readonly classes: Classes) {
    const { constraints, slots, slotOf, isAlone } = classes;
    this.count = countOf(classes);
    const sizes = new Int32Array(slots);
    for (const constraint of constraints.items) {
      const slot = slotOf[constraint] ?? 0;
      sizes[slot] = (sizes[slot] ?? 0) + 1;
    }
    const setFor = (slot: number) => (32 * (sizes[slot] ?? 0) >= this.count ? new Bits() : new SparseBits());
    this.inSlot = new Array<NumberSet | undefined>(slots).fill(undefined);
    this.under = new Array<NumberSet | undefined>(slotOf.length).fill(undefined);
    forEachConstraint(classes, (index, constraint) => {
      const slot = slotOf[constraint] ?? 0;
      (this.inSlot[slot] ??= setFor(slot)).add(index);
      if (isAlone[constraint] !== 1) (this.under[constraint] ??= setFor(slot)).add(index);
    });
  }

  /** How many words of 32 bits hold one for each class. */
  get words(): number {
    return (this.count + 31) >> 5;
  }

  /**
   * Writes the classes that a class conflicts with as bits; itself among them when its own records conflict.
   * @param into {@link words} long
   */
  conflictsOf(recordClass: number, into: Int32Array): void {
    const { constraints, slotOf, isAlone } = this.classes;
    into.fill(0);
    let alone = false;
    for (const constraint of listOf(constraints, recordClass)) {
      alone ||= isAlone[constraint] === 1;
      this.steps += this.inSlot[slotOf[constraint] ?? 0]?.orInto(into, this.under[constraint]) ?? 0;
    }
    this.steps += into.length;
    const word = recordClass >> 5;
    if (!alone) into[word] = (into[word] ?? 0) & ~(1 << (recordClass & 31));
  }

  /** How many steps it takes to write the conflicts of all classes. */
  stepsOfAll(): number {
    const { constraints, slotOf } = this.classes;
    let steps = this.count * this.words;
    for (const constraint of constraints.items) steps += this.inSlot[slotOf[constraint] ?? 0]?.steps ?? 0;
    return steps;
  }

  /** Whether the records of a class conflict with each other. */
  isAlone(recordClass: number): boolean {
    return isAloneClass(this.classes, recordClass);
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
