import { conflictsWith, type ClassifiedRecords } from './record-classes';
import { inOrderOfRules, type RuleCount } from './rule-counts';

/** The remaining records that rules keep out of a batch. */
interface KeptOut {
  /** In the order of the rules. A record that several rules keep out counts for each. */
  byRule: RuleCount[];
  /** Counts each record once. */
  count: number;
  /** Whether a remaining record, given by its index, is kept out. */
  isKeptOut: (record: number) => boolean;
}

/** Counts the records that rules keep out of a batch, among those that remain. Records are given by index. */
export function keptOutCounter(classified: ClassifiedRecords): {
  /** Removes records from those that remain. */
  take: (records: readonly number[]) => void;
  of: (batch: readonly number[]) => KeptOut;
} {
  const { classOf, placesOf, places } = classified;
  const leftOf = new Int32Array(placesOf.length);
  for (const recordClass of classOf) leftOf[recordClass] = (leftOf[recordClass] as number) + 1;
  /** Per place: the number of remaining records, in total and on each side. */
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
      for (const { place, side } of placesOf[recordClass] ?? []) {
        const there = left[place] as (typeof left)[number];
        there.all--;
        there.bySide.set(side, (there.bySide.get(side) ?? 0) - 1);
      }
    }
  };

  const of = (batch: readonly number[]): KeptOut => {
    const taken = takenSides(batch, classified);
    const counts = new Map<number, number>();
    for (const [place, sides] of taken) {
      const { all, bySide } = left[place] as (typeof left)[number];
      // Only records on the batch's own side may join it, if it has just one.
      const joining = [...sides].find((side) => !conflictsWith(sides, side));
      const kept = all - (joining === undefined ? 0 : (bySide.get(joining) ?? 0));
      const { rule } = places[place] as ClassifiedRecords['places'][number];
      if (kept > 0) counts.set(rule, (counts.get(rule) ?? 0) + kept);
    }
    const byRule = inOrderOfRules(counts);
    return {
      byRule,
      // A rule puts a record at one place only, so one rule counts no record twice.
      count: byRule.length > 1 ? countOnce(taken) : (byRule[0]?.records ?? 0),
      isKeptOut: (record) =>
        (placesOf[classOf[record] as number] ?? []).some(({ place, side }) => {
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

/** The sides on which a batch has records, by place. */
function takenSides(
  batch: readonly number[],
  { classOf, placesOf }: ClassifiedRecords,
): Map<number, Set<number>> {
  const taken = new Map<number, Set<number>>();
  for (const record of batch) {
    for (const { place, side } of placesOf[classOf[record] as number] ?? []) {
      const sides = taken.get(place);
      if (sides === undefined) taken.set(place, new Set([side]));
      else sides.add(side);
    }
  }
  return taken;
}
