import type { CutSummary } from './index';
import { extended, reachAgainst, type PlaceReach } from './reach';
import { inOrderOfRules } from './rule-counts';
import { ALONE_SIDE, type Spotted } from './spots';

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
  /** By place, up to which age earlier batches would have taken a record, had a rule not been. */
  const reaches: (PlaceReach<number> | undefined)[] = places.map(() => undefined);
  const byRule = new Map<number, number>();
  let deferred = 0;

  const follow = (batch: readonly { seq: number }[], indices: readonly number[]) => {
    for (const [i, index] of indices.entries()) {
      const seq = batch[i]?.seq ?? 0;
      const by = (spots[classOf[index] as number] ?? []).filter(
        ({ place, side }) => reachAgainst(reaches[place], side, ALONE_SIDE) > seq,
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
      for (const { place, side } of spots[classOf[index] as number] ?? [])
        reaches[place] = extended(reaches[place], { side, seq });
  };

  const counts = () => ({
    deferred,
    deferredBy: inOrderOfRules(byRule),
  });

  return { follow, counts };
}
