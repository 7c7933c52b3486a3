import { sidesConflict, type Hold, type Side } from './holds';

/** Who has a hold: a batch in flight or ended, or a record that waits. */
export interface Holder {
  /** Sequence number of the child, if it is known. */
  seq?: number;
  /** When the child ended; its holds last some time longer. */
  endedAtMs?: number;
  /** The older record that goes first. */
  recordId?: string;
}

/** Who has the holds that others conflict with: to explain a wait, never to decide about one. */
export class Holders {
  private readonly places = new Map<string, Map<Side, Holder>>();

  /** Notes a holder. The first of those on one side of a place is the one that is named. */
  note({ place, side }: Hold, holder: Holder): void {
    const sides = this.places.get(place);
    if (sides === undefined) this.places.set(place, new Map([[side, holder]]));
    else if (!sides.has(side)) sides.set(side, holder);
  }

  /** The first that conflicts with any of these holds, and the hold that it conflicts with. */
  against(holds: readonly Hold[]): { holder: Holder; hold: Hold } | undefined {
    for (const hold of holds)
      for (const [side, holder] of this.places.get(hold.place) ?? [])
        if (sidesConflict(side, hold.side)) return { holder, hold };
    return undefined;
  }
}
