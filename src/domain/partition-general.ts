import { arrange } from './partition-arrange';
import { lowerBoundOf } from './partition-bounds';
import { ALONE, type RecordClass } from './partition-classes';
import { firstFit } from './partition-first-fit';

/**
 * Cuts records under any mix of rules into few batches: by first fit, oldest record first; unless that meets the lower
 * bound, also by first fit with the most conflicting record first, made oldest first afterwards. The partition with
 * fewer batches is taken, the former when there is no difference. Near O(n log n); at worst O(n × batches), when most
 * records differ in what they conflict with.
 *
 * The second order is what is left of first fit decreasing when items have a size and conflicts, as in bin packing with
 * conflicts (Muritiba, Iori, Malaguti and Toth, 2010), and here all sizes are one. Old records that conflict with little
 * no longer fill the batches that young ones with many conflicts will need.
 *
 * The fewest batches are out of reach: already `group` rules without common members are as hard as bin packing. (K bins
 * of size C, m items: for each item of size s a group of K members, one with s + 1 records, the others with one;
 * maxBatchSize C + m. In K batches, each holds one member of every group, so the large ones lie like the items.)
 */
export function partitionGeneral(
  classes: readonly RecordClass[],
  maxBatchSize: number,
): { batches: number[][]; lowerBound: number } {
  const lowerBound = lowerBoundOf(classes, maxBatchSize);
  const classOf = classOfRecords(classes);
  const byAge = [...classOf.keys()];
  const batches = firstFit(classes, classOf, byAge, maxBatchSize);
  if (batches.length === lowerBound) return { batches, lowerBound };

  const conflicts = conflictsOf(classes);
  const conflictsOfRecord = (record: number) => conflicts[classOf[record] as number] as number;
  const byConflicts = byAge.sort((a, b) => conflictsOfRecord(b) - conflictsOfRecord(a) || a - b);
  const others = firstFit(classes, classOf, byConflicts, maxBatchSize);
  return {
    batches: others.length < batches.length ? arrange(others, classes, classOf) : batches,
    lowerBound,
  };
}

function classOfRecords(classes: readonly RecordClass[]): Uint32Array {
  const classOf = new Uint32Array(classes.reduce((sum, { records }) => sum + records.length, 0));
  classes.forEach(({ records }, index) => {
    for (const record of records) classOf[record] = index;
  });
  return classOf;
}

/** By class: with how many records each of its records conflicts; twice counted if two rules keep them apart. */
function conflictsOf(classes: readonly RecordClass[]): number[] {
  const inSlot = new Map<number, number>();
  const withKey = new Map<number, Map<number, number>>();
  for (const { records, constraints } of classes) {
    for (const { slot, key } of constraints) {
      inSlot.set(slot, (inSlot.get(slot) ?? 0) + records.length);
      const keys = withKey.get(slot) ?? new Map<number, number>();
      withKey.set(slot, keys.set(key, (keys.get(key) ?? 0) + records.length));
    }
  }
  return classes.map(({ constraints }) =>
    constraints.reduce((sum, { slot, key }) => {
      const harmless = key === ALONE ? 1 : (withKey.get(slot)?.get(key) ?? 0);
      return sum + (inSlot.get(slot) ?? 0) - harmless;
    }, 0),
  );
}
