import type { RuleCount } from './index';
import { inOrderOfRules } from './rule-counts';
import { conflictsWith, type Spotted } from './spots';

/** What rules keep out of a batch, of the records that are left. */
interface KeptOut {
  /** In the order of the rules. */
  byRule: RuleCount[];
  /** Each record once, however many rules keep it out. */
  count: number;
  /** Of a record that is left. */
  isKeptOut: (record: number) => boolean;
}

/** Follows which records are left, and tells what rules keep out of a batch. */
export function keepOut(spotted: Spotted): {
  /** These records are no longer left. */
  take: (records: readonly number[]) => void;
  of: (batch: readonly number[]) => KeptOut;
} {
  const { classOf, spots, places } = spotted;
  const leftOf = new Int32Array(spots.length);
  for (const recordClass of classOf) leftOf[recordClass] = (leftOf[recordClass] as number) + 1;
  /** By place: what is left there, and on each side. */
  const left = places.map(({ classes }) => {
    const bySide = new Map<number, number>();
    let all = 0;
    for (const { recordClass, side } of classes) {
      const records = leftOf[recordClass] as number;
      all += records;
      bySide.set(side, (bySide.get(side) ?? 0) + records);
    }
    return { all, bySide };
  });

  const take = (records: readonly number[]) => {
    for (const record of records) {
      const recordClass = classOf[record] as number;
      leftOf[recordClass] = (leftOf[recordClass] as number) - 1;
      for (const { place, side } of spots[recordClass] ?? []) {
        const there = left[place] as (typeof left)[number];
        there.all--;
        there.bySide.set(side, (there.bySide.get(side) ?? 0) - 1);
      }
    }
  };

  const of = (batch: readonly number[]): KeptOut => {
    const taken = takenSides(batch, spotted);
    const counts = new Map<number, number>();
    for (const [place, sides] of taken) {
      const { all, bySide } = left[place] as (typeof left)[number];
      // Only what is on the one side that the batch is on may join it.
      const joining = [...sides].find((side) => !conflictsWith(sides, side));
      const kept = all - (joining === undefined ? 0 : (bySide.get(joining) ?? 0));
      const { rule } = places[place] as Spotted['places'][number];
      if (kept > 0) counts.set(rule, (counts.get(rule) ?? 0) + kept);
    }
    const byRule = inOrderOfRules(counts);
    return {
      byRule,
      // A rule puts a record at one place, so that none is counted twice by one rule.
      count: byRule.length > 1 ? countOnce(taken) : (byRule[0]?.records ?? 0),
      isKeptOut: (record) =>
        (spots[classOf[record] as number] ?? []).some(({ place, side }) => {
          const sides = taken.get(place);
          return sides !== undefined && conflictsWith(sides, side);
        }),
    };
  };

  const countOnce = (taken: ReadonlyMap<number, ReadonlySet<number>>) => {
    const counted = new Set<number>();
    let count = 0;
    for (const [place, sides] of taken) {
      for (const { recordClass, side } of places[place]?.classes ?? []) {
        const records = leftOf[recordClass] as number;
        if (records === 0 || !conflictsWith(sides, side) || counted.has(recordClass)) continue;
        counted.add(recordClass);
        count += records;
      }
    }
    return count;
  };

  return { take, of };
}

/** The sides that a batch is on, by place. */
function takenSides(batch: readonly number[], { classOf, spots }: Spotted): Map<number, Set<number>> {
  const taken = new Map<number, Set<number>>();
  for (const record of batch) {
    for (const { place, side } of spots[classOf[record] as number] ?? []) {
      const sides = taken.get(place);
      if (sides === undefined) taken.set(place, new Set([side]));
      else sides.add(side);
    }
  }
  return taken;
}
