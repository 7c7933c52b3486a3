import { WHOLE_PLACE, type Hold, type Side } from './holds';

/** The sides of places that are taken, with counts. */
export class TakenPlaces {
  private readonly places = new Map<string, Map<Side, number>>();

  take({ place, side }: Hold): void {
    const sides = this.places.get(place);
    if (sides === undefined) this.places.set(place, new Map([[side, 1]]));
    else sides.set(side, (sides.get(side) ?? 0) + 1);
  }

  giveBack({ place, side }: Hold): void {
    const sides = this.places.get(place);
    const times = sides?.get(side) ?? 0;
    if (times > 1) sides?.set(side, times - 1);
    else sides?.delete(side);
    if (sides?.size === 0) this.places.delete(place);
  }

  /** Whether a hold that is taken conflicts with this one. */
  conflictsWith({ place, side }: Hold): boolean {
    const sides = this.places.get(place);
    if (sides === undefined) return false;
    return side === WHOLE_PLACE || sides.size > 1 || !sides.has(side);
  }
}

/** Records on several sides stay. Differs from every side, so it conflicts with each. */
const SEVERAL = -2;

/** The holds of the older records while records are visited oldest first: of those that leave now, and of those that stay. */
export class PlacesAhead {
  private readonly leaving = new Map<string, Side>();
  private readonly staying = new Map<string, Side>();

  /**
   * Whether the older records let a record leave: none that leaves conflicts with it, and at each of its places either a
   * record leaves on the same side already, or no conflicting record stays. In the first case, those that stay have to
   * wait for that record anyway, so that one more makes no difference.
   */
  lets(holds: readonly Hold[]): boolean {
    return holds.every(({ place, side }) => {
      const ahead = this.leaving.get(place) ?? this.staying.get(place);
      return ahead === undefined || (ahead === side && side !== WHOLE_PLACE);
    });
  }

  add(holds: readonly Hold[], leaves: boolean): void {
    const { leaving, staying } = this;
    for (const { place, side } of holds) {
      if (leaves) leaving.set(place, side);
      else staying.set(place, (staying.get(place) ?? side) === side ? side : SEVERAL);
    }
  }
}
