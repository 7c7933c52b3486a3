import { countOf, forEachConstraint, type Classes } from '../graph/classes';
import type { SlotCounts } from '../graph/conflict-counts';
import { lengthOf, listOf, listsBy, listsFrom } from '../graph/lists';

/** Of slots that a class wants alone, so many are looked at beside each of its other slots. */
const MAX_ALONE = 8;

/**
 * A number of batches below which there is no partition: the largest of
 * - ⌈records / maxBatchSize⌉;
 * - for each slot that records want alone, the number of those;
 * - for each slot, the sum over its keys of what the key's records need by themselves, by the two bounds above, as
 *   records with different keys never share a batch; and one batch for each record that wants the slot alone.
 */
export function lowerBoundOf(classes: Classes, { under }: SlotCounts, maxBatchSize: number): number {
  const { classOf, slotOf, isAlone } = classes;
  const mostAlone = mostAloneUnder(classes);
  const needed = new Int32Array(classes.slots);
  for (const [constraint, slot] of slotOf.entries()) {
    const records = under[constraint] ?? 0;
    const own =
      isAlone[constraint] === 1
        ? records
        : Math.max(Math.ceil(records / maxBatchSize), mostAlone[constraint] ?? 0);
    needed[slot] = (needed[slot] ?? 0) + own;
  }
  return needed.reduce((most, each) => Math.max(most, each), Math.ceil(classOf.length / maxBatchSize));
}

/** By constraint: of the records under it, the most that want one and the same other slot alone. */
function mostAloneUnder(classes: Classes): Int32Array {
  const { constraints, members, slots, slotOf, isAlone } = classes;
  const most = new Int32Array(slotOf.length);
  if (!isAlone.includes(1) || !isAlone.includes(0)) return most;
  const alone = listsFrom(countOf(classes), (index, add) => {
    const own = listOf(constraints, index).filter((constraint) => isAlone[constraint] === 1);
    for (const constraint of own.subarray(0, MAX_ALONE)) add(slotOf[constraint] ?? 0);
  });
  // By constraint: where in the lists of constraints it stands; and there, by class.
  const places = listsBy(constraints.items, slotOf.length);
  const classAt = new Int32Array(constraints.items.length);
  let place = 0;
  forEachConstraint(classes, (index) => (classAt[place++] = index));
  const wanted = new Int32Array(slots);
  const countedFor = new Int32Array(slots).fill(-1);
  for (let constraint = 0; constraint < slotOf.length; constraint++) {
    if (isAlone[constraint] === 1) continue;
    for (const each of listOf(places, constraint)) {
      const index = classAt[each] ?? 0;
      for (const slot of listOf(alone, index)) {
        const before = countedFor[slot] === constraint ? (wanted[slot] ?? 0) : 0;
        countedFor[slot] = constraint;
        wanted[slot] = before + lengthOf(members, index);
        most[constraint] = Math.max(most[constraint] ?? 0, before + lengthOf(members, index));
      }
    }
  }
  return most;
}
