import type { Lists } from './lists';

/**
 * What rules come down to. A batch has slots, one for every rule, or for every value that the rule is about separately
 * (`same`, `distinct`). A slot takes records with one key only: of one member of a `pair` or `group`, or of one side of
 * `never`; or one record alone. A constraint is a slot together with a key. Constraints are numbers, and what they say
 * stands in tables, because a cut goes through millions of them.
 */
export interface Constraints {
  /** By constraint. */
  slotOf: Int32Array;
  /** By constraint: 1 where a record shares its slot with no other, not even with one under the same constraint. */
  isAlone: Uint8Array;
  /** How many slots there are. */
  slots: number;
}

/** What one rule, or several that look at the same parts, make of the records. */
export interface Column {
  /** The records it is about, ascending; all of them when undefined. */
  records?: readonly number[];
  /** By record of those: its state, `NOT_NUMBERED` where the rules leave it alone. */
  states: Int32Array;
  /** By state: the constraints that its records are under; none where no other record makes them matter. */
  constraints: Lists;
}

/** Numbers slots and constraints as they are made. */
export class NewConstraints {
  slots = 0;
  private readonly slotOf: number[] = [];
  private readonly isAlone: number[] = [];

  newSlot(): number {
    return this.slots++;
  }

  /** A constraint that is unlike all others: a slot and a new key in it, or {@link Constraints.isAlone}. */
  add(slot: number, isAlone = false): number {
    this.isAlone.push(isAlone ? 1 : 0);
    return this.slotOf.push(slot) - 1;
  }

  tables(): Constraints {
    return {
      slotOf: Int32Array.from(this.slotOf),
      isAlone: Uint8Array.from(this.isAlone),
      slots: this.slots,
    };
  }
}
