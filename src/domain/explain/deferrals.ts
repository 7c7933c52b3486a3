import { extended, reachAgainst, type PlaceReach } from './reach';
import { ALONE_SIDE, type ClassifiedRecords } from './record-classes';
import { inOrderOfRules, type RuleCount } from './rule-counts';

/** Numbers of deferred records. */
export interface DeferralCounts {
  /**
   * Records that a rule deferred: an earlier batch has room or a younger record, and also a record that the rule keeps
   * them apart from.
   */
  deferred: number;
  /** The same by rule, for rules that deferred any. A record that several rules deferred counts for each. */
  deferredBy: readonly RuleCount[];
}

/** Counts the records that rules deferred, while `follow` is called for each batch in order. */
export function deferrals(
  { classOf, placesOf, places }: ClassifiedRecords,
  maxBatchSize: number,
): {
  /** @param indices of the batch's records among all records */
  follow: (batch: readonly { seq: number }[], indices: readonly number[]) => void;
  counts: () => DeferralCounts;
} {
  /** Per place: the youngest record that an earlier batch could have taken if no rule had prevented it. */
  const reaches: (PlaceReach<number> | undefined)[] = places.map(() => undefined);
  const byRule = new Map<number, number>();
  let deferred = 0;

  const follow = (batch: readonly { seq: number }[], indices: readonly number[]) => {
    for (const [i, index] of indices.entries()) {
      const seq = batch[i]?.seq ?? 0;
      const by = (placesOf[classOf[index] as number] ?? []).filter(
        ({ place, side }) => reachAgainst(reaches[place], side, ALONE_SIDE) > seq,
      );
      if (by.length > 0) deferred++;
      for (const { place } of by) {
        const { rule } = places[place] as ClassifiedRecords['places'][number];
        byRule.set(rule, (byRule.get(rule) ?? 0) + 1);
      }
    }
    const hasRoom = batch.length < maxBatchSize;
    const seq = hasRoom
      ? Infinity
      : batch.reduce((youngest, each) => Math.max(youngest, each.seq), -Infinity);
    for (const index of indices)
      for (const { place, side } of placesOf[classOf[index] as number] ?? [])
        reaches[place] = extended(reaches[place], { side, seq });
  };

  return { follow, counts: () => ({ deferred, deferredBy: inOrderOfRules(byRule) }) };
}
