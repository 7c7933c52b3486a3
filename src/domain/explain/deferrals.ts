import type { CutSummary } from '../explain';
import { inOrderOfRules } from './rule-counts';
import { ALONE_SIDE, type Spotted } from './spots';

/** Up to which age earlier batches would have taken a record of a side, had a rule not been. */
interface Reach {
  side: number;
  seq: number;
}

/**
 * Follows batches in their order, and counts the records that rules deferred: for which there is an earlier batch that has
 * room or a younger record, and something that the rule keeps them apart from.
 */
export function deferrals(
  { classOf, spots, places }: Spotted,
  maxBatchSize: number,
): {
  follow: (batch: readonly { seq: number }[], indices: readonly number[]) => void;
  counts: () => Pick<CutSummary, 'deferred' | 'deferredBy'>;
} {
  // By place, how far the batches reached: the farthest, and the farthest of those on another side than that.
  const farthest: (Reach | undefined)[] = places.map(() => undefined);
  const otherwise: (Reach | undefined)[] = places.map(() => undefined);
  const byRule = new Map<number, number>();
  let deferred = 0;

  const isDeferred = (place: number, side: number, seq: number) => {
    const first = farthest[place];
    const reach = first?.side === side && side !== ALONE_SIDE ? otherwise[place] : first;
    return reach !== undefined && reach.seq > seq;
  };

  const reachTo = (place: number, reach: Reach) => {
    const first = farthest[place];
    if (first === undefined || reach.seq > first.seq) {
      if (first !== undefined && first.side !== reach.side) otherwise[place] = first;
      farthest[place] = reach;
    } else if (first.side !== reach.side && reach.seq > (otherwise[place]?.seq ?? -Infinity)) {
      otherwise[place] = reach;
    }
  };

  const follow = (batch: readonly { seq: number }[], indices: readonly number[]) => {
    for (const [i, index] of indices.entries()) {
      const seq = batch[i]?.seq ?? 0;
      const by = (spots[classOf[index] as number] ?? []).filter(({ place, side }) =>
        isDeferred(place, side, seq),
      );
      if (by.length > 0) deferred++;
      for (const { place } of by) {
        const { rule } = places[place] as Spotted['places'][number];
        byRule.set(rule, (byRule.get(rule) ?? 0) + 1);
      }
    }
    const hasRoom = batch.length < maxBatchSize;
    const seq = hasRoom
      ? Infinity
      : batch.reduce((youngest, each) => Math.max(youngest, each.seq), -Infinity);
    for (const index of indices)
      for (const { place, side } of spots[classOf[index] as number] ?? []) reachTo(place, { side, seq });
  };

  const counts = () => ({
    deferred,
    deferredBy: inOrderOfRules(byRule),
  });

  return { follow, counts };
}
