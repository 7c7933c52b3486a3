import { countOf, forEachConstraint, type Classes } from './classes';
import { lengthOf, listsBy } from './lists';

/** How many records there are in slots, and under constraints. */
export interface SlotCounts {
  /** By slot. */
  inSlot: Int32Array;
  /** By constraint. */
  under: Int32Array;
}

export function slotCounts(classes: Classes): SlotCounts {
  const { members, slots, slotOf } = classes;
  const inSlot = new Int32Array(slots);
  const under = new Int32Array(slotOf.length);
  forEachConstraint(classes, (index, constraint) => {
    under[constraint] = (under[constraint] ?? 0) + lengthOf(members, index);
  });
  for (const [constraint, slot] of slotOf.entries())
    inSlot[slot] = (inSlot[slot] ?? 0) + (under[constraint] ?? 0);
  return { inSlot, under };
}

/** By class: with how many records each of its records conflicts; twice counted if two rules keep them apart. */
export function conflictCounts(classes: Classes, { inSlot, under }: SlotCounts): Float64Array {
  const { slotOf, isAlone } = classes;
  const counts = new Float64Array(countOf(classes));
  forEachConstraint(classes, (index, constraint) => {
    const harmless = isAlone[constraint] === 1 ? 1 : (under[constraint] ?? 0);
    counts[index] = (counts[index] ?? 0) + (inSlot[slotOf[constraint] ?? 0] ?? 0) - harmless;
  });
  return counts;
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
