import type { Classes } from '../graph/classes';
import { ALONE, type Constraint } from '../graph/columns';
import { lengthOf, listOf, listsBy } from '../graph/lists';

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
export function slotOfAll({ constraints }: Classes): number | undefined {
  let slots = (constraints[0] ?? []).filter(({ key }) => key !== ALONE).map(({ slot }) => slot);
  for (const ofClass of constraints) {
    if (slots.length === 0) return undefined;
    const own = new Set(ofClass.flatMap(({ slot, key }) => (key === ALONE ? [] : [slot])));
    slots = slots.filter((slot) => own.has(slot));
  }
  return slots[0];
}

/**
 * Takes records apart by their keys in a slot that all of them are in. What keeps no two records of a part apart leaves no
 * constraint there, so that the structure of each is its own. Linear in the records and their constraints.
 */
export function partsBy(classes: Classes, slot: number): JoinedPart[] {
  const { constraints, classOf } = classes;
  const numbers = new Map<number, number>();
  const partOfClass = Int32Array.from(constraints, (ofClass) => {
    const key = ofClass.find((each) => each.slot === slot)?.key ?? ALONE;
    const known = numbers.get(key) ?? numbers.size;
    numbers.set(key, known);
    return known;
  });
  const records = listsBy(
    classOf.map((index) => partOfClass[index] ?? 0),
    numbers.size,
  );
  const indices = listsBy(partOfClass, numbers.size);
  const separator = new Separator(classes, slot);
  return Array.from({ length: numbers.size }, (_, part) => {
    const own = listOf(records, part);
    return { classes: separator.part(listOf(indices, part), own), records: own };
  });
}

/** Makes classes of parts, one after the other, with tables that all of them use. */
class Separator {
  /** By slot: the part that has used it last, its first key there, how many records, and whether they conflict. */
  private readonly usedBy: Int32Array;
  private readonly firstKey: Int32Array;
  private readonly records: Int32Array;
  private readonly isKept: Uint8Array;
  /** By slot: its number in the part. */
  private readonly numberOf: Int32Array;
  private readonly classNumber: Int32Array;
  private current = 0;

  constructor(
    private readonly classes: Classes,
    private readonly without: number,
  ) {
    const { slots, constraints } = classes;
    this.usedBy = new Int32Array(slots);
    this.firstKey = new Int32Array(slots);
    this.records = new Int32Array(slots);
    this.isKept = new Uint8Array(slots);
    this.numberOf = new Int32Array(slots);
    this.classNumber = new Int32Array(constraints.length);
  }

  part(indices: Int32Array, records: Int32Array): Classes {
    this.current++;
    for (const index of indices) this.look(index);
    let slots = 0;
    const constraints: Constraint[][] = [];
    const known = new Map<string, number>();
    const kept = Array.from(indices, (index) => {
      const all = this.classes.constraints[index] ?? [];
      const own: Constraint[] = [];
      for (const { slot, key } of all) {
        if (slot === this.without || !this.isKept[slot]) continue;
        if (this.numberOf[slot] === -1) this.numberOf[slot] = slots++;
        own.push({ slot: this.numberOf[slot] ?? 0, key });
      }
      return own;
    });
    const isWhole = kept.every(
      (own, place) => own.length === (this.classes.constraints[indices[place] ?? 0]?.length ?? 0) - 1,
    );
    for (const [place, own] of kept.entries()) {
      // Classes differ, unless something that told them apart matters no more.
      const text = isWhole ? '' : own.map(({ slot, key }) => `${slot}:${key}`).join();
      const before = isWhole ? undefined : known.get(text);
      this.classNumber[indices[place] ?? 0] = before ?? constraints.length;
      if (before !== undefined) continue;
      if (!isWhole) known.set(text, constraints.length);
      constraints.push(own);
    }
    const classOf = records.map((record) => this.classNumber[this.classes.classOf[record] ?? 0] ?? 0);
    return { constraints, members: listsBy(classOf, constraints.length), classOf, slots };
  }

  private look(index: number): void {
    const records = lengthOf(this.classes.members, index);
    for (const { slot, key } of this.classes.constraints[index] ?? []) {
      if (this.usedBy[slot] !== this.current) {
        this.usedBy[slot] = this.current;
        this.firstKey[slot] = key;
        this.records[slot] = 0;
        this.isKept[slot] = 0;
        this.numberOf[slot] = -1;
      }
      const inSlot = (this.records[slot] ?? 0) + records;
      this.records[slot] = inSlot;
      if (this.firstKey[slot] !== key || (key === ALONE && inSlot > 1)) this.isKept[slot] = 1;
    }
  }
}
