/**
 * A batch with a record on this side of a place could have taken any record that is older than `seq`: its reach. A record
 * within the reach that a rule keeps apart from that side was deferred by the rule.
 */
interface Reach<Side> {
  side: Side;
  seq: number;
}

/** The farthest reach at a place, and the farthest reach on any other side. The two suffice for {@link reachAgainst}. */
export interface PlaceReach<Side> {
  farthest: Reach<Side>;
  otherwise?: Reach<Side>;
}

/** Adds a reach to those of a place. */
export function extended<Side>(known: PlaceReach<Side> | undefined, reach: Reach<Side>): PlaceReach<Side> {
  if (known === undefined) return { farthest: reach };
  const { farthest, otherwise } = known;
  if (reach.seq > farthest.seq)
    return farthest.side === reach.side
      ? { ...known, farthest: reach }
      : { farthest: reach, otherwise: farthest };
  if (farthest.side === reach.side || reach.seq <= (otherwise?.seq ?? -Infinity)) return known;
  return { farthest, otherwise: reach };
}

/**
 * The farthest reach of records that are kept apart from a side; -Infinity if there is none.
 * @param alone the side that is kept apart from all sides, including itself
 */
export function reachAgainst<Side>(known: PlaceReach<Side> | undefined, side: Side, alone: Side): number {
  const against = known?.farthest.side === side && side !== alone ? known.otherwise : known?.farthest;
  return against?.seq ?? -Infinity;
}
