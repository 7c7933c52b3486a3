import { countOf, type Classes } from '../graph/classes';
import { lengthOf, listOf, listsBy } from '../graph/lists';
import { NOT_NUMBERED, Numbers } from '../graph/values';

/** Some of the records of a buffer, which never share a batch with the others. */
export interface JoinedPart {
  classes: Classes;
  /** By record of the part: its index in the buffer; ascending. */
  records: Int32Array;
}

/**
 * A slot that every record is in with a key, so that records with different keys never share a batch: each key is a task
 * by itself, and the fewest batches of all are those of each, summed. That is what `alike` comes down to (a batch holds
 * one tenant's records), or a `group` of which all records are members.
 */
export function slotOfAll(classes: Classes): number | undefined {
  const { constraints, slotOf, isAlone } = classes;
  // By slot: how many classes in a row, from the first on, are in it.
  const classesIn = new Int32Array(classes.slots);
  const count = countOf(classes);
  for (let index = 0; index < count; index++) {
    let isAny = false;
    for (const constraint of listOf(constraints, index)) {
      const slot = slotOf[constraint] ?? 0;
      if (isAlone[constraint] === 1 || classesIn[slot] !== index) continue;
      classesIn[slot] = index + 1;
      isAny = true;
    }
    if (!isAny) return undefined;
  }
  const own = count > 0 ? [...listOf(constraints, 0)] : [];
  return own.map((constraint) => slotOf[constraint] ?? 0).find((slot) => classesIn[slot] === count);
}

/**
 * Takes records apart by their keys in a slot that all of them are in. What keeps no two records of a part apart leaves no
 * constraint there, so that the structure of each is its own. Linear in the records and their constraints.
 */
export function partsBy(classes: Classes, slot: number): JoinedPart[] {
  const { constraints, classOf, slotOf } = classes;
  const numbers = new Numbers(slotOf.length, slotOf.length);
  const partOfClass = new Int32Array(countOf(classes)).map((_, index) => {
    const own = listOf(constraints, index).find((constraint) => slotOf[constraint] === slot);
    return numbers.of(own ?? 0);
  });
  const records = listsBy(
    classOf.map((index) => partOfClass[index] ?? 0),
    numbers.count,
  );
  const indices = listsBy(partOfClass, numbers.count);
  const separator = new Separator(classes, slot);
  return Array.from({ length: numbers.count }, (_, part) => {
    const own = listOf(records, part);
    return { classes: separator.part(listOf(indices, part), own), records: own };
  });
}

/** Makes classes of parts, one after the other, with tables that all of them use. */
class Separator {
  /** By slot: the part that has used it last, its first constraint there, how many records, and whether they conflict. */
  private readonly usedBy: Int32Array;
  private readonly first: Int32Array;
  private readonly records: Int32Array;
  private readonly isKept: Uint8Array;
  /** By slot, and by constraint: its number in the part, if it has one. */
  private readonly numberOf: Int32Array;
  private readonly constraintNumber: Int32Array;
  private readonly classNumber: Int32Array;
  private current = 0;

  constructor(
    private readonly classes: Classes,
    private readonly without: number,
  ) {
    const { slots, slotOf } = classes;
    this.usedBy = new Int32Array(slots);
    this.first = new Int32Array(slots);
    this.records = new Int32Array(slots);
    this.isKept = new Uint8Array(slots);
    this.numberOf = new Int32Array(slots);
    this.constraintNumber = new Int32Array(slotOf.length).fill(NOT_NUMBERED);
    this.classNumber = new Int32Array(countOf(classes));
  }

  part(indices: Int32Array, records: Int32Array): Classes {
    this.current++;
    let isWhole = true;
    for (const index of indices) this.look(index);
    for (const index of indices) isWhole &&= this.keepsAll(index);
    const { slotOf, isAlone, classOf: classOfAll, constraints } = this.classes;
    const ofPart = { starts: [0], items: new Array<number>() };
    // The constraints of the part, in the order of their numbers there.
    const used: number[] = [];
    const known = new Map<string, number>();
    let slots = 0;
    for (const index of indices) {
      const before = ofPart.items.length;
      for (const constraint of listOf(constraints, index)) {
        const slot = slotOf[constraint] ?? 0;
        if (slot === this.without || !this.isKept[slot]) continue;
        if (this.numberOf[slot] === NOT_NUMBERED) this.numberOf[slot] = slots++;
        if (this.constraintNumber[constraint] === NOT_NUMBERED)
          this.constraintNumber[constraint] = used.push(constraint) - 1;
        ofPart.items.push(this.constraintNumber[constraint] ?? 0);
      }
      const next = ofPart.starts.length - 1;
      // Classes differ, unless something that told them apart matters no more.
      const text = isWhole ? '' : ofPart.items.slice(before).join();
      const twin = isWhole ? undefined : known.get(text);
      this.classNumber[index] = twin ?? next;
      if (twin === undefined) {
        if (!isWhole) known.set(text, next);
        ofPart.starts.push(ofPart.items.length);
      } else ofPart.items.length = before;
    }
    for (const constraint of used) this.constraintNumber[constraint] = NOT_NUMBERED;
    const classOf = records.map((record) => this.classNumber[classOfAll[record] ?? 0] ?? 0);
    return {
      constraints: { starts: Int32Array.from(ofPart.starts), items: Int32Array.from(ofPart.items) },
      slotOf: Int32Array.from(used, (constraint) => this.numberOf[slotOf[constraint] ?? 0] ?? 0),
      isAlone: Uint8Array.from(used, (constraint) => isAlone[constraint] ?? 0),
      slots,
      members: listsBy(classOf, ofPart.starts.length - 1),
      classOf,
    };
  }

  private look(index: number): void {
    const { slotOf, isAlone, constraints, members } = this.classes;
    const records = lengthOf(members, index);
    for (const constraint of listOf(constraints, index)) {
      const slot = slotOf[constraint] ?? 0;
      if (this.usedBy[slot] !== this.current) {
        this.usedBy[slot] = this.current;
        this.first[slot] = constraint;
        this.records[slot] = 0;
        this.isKept[slot] = 0;
        this.numberOf[slot] = NOT_NUMBERED;
      }
      const inSlot = (this.records[slot] ?? 0) + records;
      this.records[slot] = inSlot;
      if (this.first[slot] !== constraint || (isAlone[constraint] === 1 && inSlot > 1)) this.isKept[slot] = 1;
    }
  }

  /** Whether all constraints of a class matter in the part, but for the one that makes the parts. */
  private keepsAll(index: number): boolean {
    const { slotOf, constraints } = this.classes;
    return listOf(constraints, index).every((constraint) => {
      const slot = slotOf[constraint] ?? 0;
      return slot === this.without || this.isKept[slot] === 1;
    });
  }
}
