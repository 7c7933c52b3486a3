/** Something at a place, on a side of it, and how far it reaches. */
interface Reach<Side> {
  side: Side;
  seq: number;
}

/** What reaches farthest at a place, and what does of all that is on another side than that. */
export interface PlaceReach<Side> {
  farthest: Reach<Side>;
  otherwise?: Reach<Side>;
}

/** Adds something to what is known of a place. */
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
 * How far what is kept apart from a side reaches; -Infinity where there is nothing.
 * @param alone the side that is kept apart from everything, itself included
 */
export function reachAgainst<Side>(known: PlaceReach<Side> | undefined, side: Side, alone: Side): number {
  const against = known?.farthest.side === side && side !== alone ? known.otherwise : known?.farthest;
  return against?.seq ?? -Infinity;
}
