import type { Classes } from '../graph/classes';
import { ALONE, type Constraint } from '../graph/columns';
import { lengthOf } from '../graph/lists';

/** Of slots that a class wants alone, so many are looked at beside each of its other slots. */
const MAX_ALONE = 8;

/**
 * A number of batches below which there is no partition: the largest of
 * - ⌈records / maxBatchSize⌉;
 * - for each slot that records want alone, the number of those;
 * - for each slot, the sum over its keys of what the key's records need by themselves, by the two bounds above, as
 *   records with different keys never share a batch; and one batch for each record that wants the slot alone.
 */
export function lowerBoundOf(
  { constraints, members, classOf, slots }: Classes,
  maxBatchSize: number,
): number {
  const alone = new Int32Array(slots);
  const byKey = new Map<number, Map<number, Needs>>();
  for (const [index, ofClass] of constraints.entries()) {
    const records = lengthOf(members, index);
    let alsoAlone: readonly Constraint[] | undefined;
    for (const { slot, key } of ofClass) {
      if (key === ALONE) {
        alone[slot] = (alone[slot] ?? 0) + records;
        continue;
      }
      const keys = byKey.get(slot) ?? new Map<number, Needs>();
      byKey.set(slot, keys);
      const needs = keys.get(key) ?? new Needs(maxBatchSize);
      keys.set(key, needs);
      needs.add(records);
      alsoAlone ??= ofClass.filter((other) => other.key === ALONE).slice(0, MAX_ALONE);
      for (const other of alsoAlone) needs.addAlone(records, other.slot);
    }
  }
  let bound = Math.ceil(classOf.length / maxBatchSize);
  for (const records of alone) bound = Math.max(bound, records);
  for (const [slot, keys] of byKey) {
    let sum = alone[slot] ?? 0;
    for (const needs of keys.values()) sum += needs.batches();
    bound = Math.max(bound, sum);
  }
  return bound;
}

/** What some records need at least, whatever other records there are. */
class Needs {
  private records = 0;
  /** By slot that takes one record only: how many of the records want it. */
  private alone: Map<number, number> | undefined;
  private mostAlone = 0;

  constructor(private readonly maxBatchSize: number) {}

  add(records: number): void {
    this.records += records;
  }

  addAlone(records: number, slot: number): void {
    this.alone ??= new Map();
    const wanted = (this.alone.get(slot) ?? 0) + records;
    this.alone.set(slot, wanted);
    this.mostAlone = Math.max(this.mostAlone, wanted);
  }

  batches(): number {
    return Math.max(Math.ceil(this.records / this.maxBatchSize), this.mostAlone);
  }
}
