import type { Classes } from './classes';
import { ALONE } from './columns';
import { lengthOf, listsBy } from './lists';

/** By class: with how many records each of its records conflicts; twice counted if two rules keep them apart. */
export function conflictCounts({ constraints, members, slots }: Classes): Float64Array {
  const inSlot = new Float64Array(slots);
  const withKey = new Map<number, number>();
  // Keys are numbers of members, of which there are not more than records.
  const idOf = (slot: number, key: number) => key * slots + slot;
  for (const [index, ofClass] of constraints.entries()) {
    const records = lengthOf(members, index);
    for (const { slot, key } of ofClass) {
      inSlot[slot] = (inSlot[slot] ?? 0) + records;
      if (key !== ALONE) withKey.set(idOf(slot, key), (withKey.get(idOf(slot, key)) ?? 0) + records);
    }
  }
  return Float64Array.from(constraints, (ofClass) =>
    ofClass.reduce((sum, { slot, key }) => {
      const harmless = key === ALONE ? 1 : (withKey.get(idOf(slot, key)) ?? 0);
      return sum + (inSlot[slot] ?? 0) - harmless;
    }, 0),
  );
}

/** All records, those with the most conflicts first, and by age among those with as many. */
export function byConflicts({ classOf }: Classes, counts: Float64Array): Int32Array {
  const descending = [...new Set(counts)].sort((a, b) => b - a);
  const rankOf = new Map(descending.map((count, rank) => [count, rank]));
  const rankOfClass = Int32Array.from(counts, (count) => rankOf.get(count) ?? 0);
  return listsBy(
    classOf.map((index) => rankOfClass[index] ?? 0),
    descending.length,
  ).items;
}
