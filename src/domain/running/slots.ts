import { WHOLE_SLOT, type Hold, type Side } from './holds';

/** Which sides of which slots are taken, and how many times. */
export class TakenSlots {
  private readonly slots = new Map<string, Map<Side, number>>();

  take({ slot, side }: Hold): void {
    const sides = this.slots.get(slot);
    if (sides === undefined) this.slots.set(slot, new Map([[side, 1]]));
    else sides.set(side, (sides.get(side) ?? 0) + 1);
  }

  giveBack({ slot, side }: Hold): void {
    const sides = this.slots.get(slot);
    const times = sides?.get(side) ?? 0;
    if (times > 1) sides?.set(side, times - 1);
    else sides?.delete(side);
    if (sides?.size === 0) this.slots.delete(slot);
  }

  /** Whether somebody has taken what a hold can't share. */
  conflictsWith({ slot, side }: Hold): boolean {
    const sides = this.slots.get(slot);
    if (sides === undefined) return false;
    return side === WHOLE_SLOT || sides.size > 1 || !sides.has(side);
  }
}

/** Differs from every side, so it conflicts with each. */
const SEVERAL = -2;

/**
 * Who is ahead of a record where records are looked at from the oldest on: what the older ones take that go now, and what
 * those take that stay behind.
 */
export class SlotsAhead {
  private readonly going = new Map<string, Side>();
  private readonly staying = new Map<string, Side>();

  /**
   * Whether a record may go as far as the older ones are concerned: it conflicts with none that goes, and in each of its
   * slots somebody on its side goes already, or nobody stays whom it conflicts with. Whoever stays beside one that goes
   * waits for that one anyway, so it makes no difference to them that another goes with it.
   */
  lets(holds: readonly Hold[]): boolean {
    return holds.every(({ slot, side }) => {
      const ahead = this.going.get(slot) ?? this.staying.get(slot);
      return ahead === undefined || (ahead === side && side !== WHOLE_SLOT);
    });
  }

  add(holds: readonly Hold[], goes: boolean): void {
    const { going, staying } = this;
    for (const { slot, side } of holds) {
      if (goes) going.set(slot, side);
      else staying.set(slot, (staying.get(slot) ?? side) === side ? side : SEVERAL);
    }
  }
}
