import { ALONE, type RecordClass } from './partition-classes';

/**
 * A number of batches below which there is no partition: the largest of
 * - ⌈records / maxBatchSize⌉;
 * - for each repeated value of a `distinct` rule, the number of its records, as no two of them share a batch;
 * - for each `pair` or `group` rule, the sum over its members of what the member's records need by themselves, by the
 *   two bounds above, as records of two members never share a batch.
 */
export function lowerBoundOf(classes: readonly RecordClass[], maxBatchSize: number): number {
  const needs = new Needs(maxBatchSize);
  const slots = new Map<number, Map<number, Needs>>();
  for (const recordClass of classes) {
    needs.add(recordClass);
    for (const { slot, key } of recordClass.constraints) {
      if (key === ALONE) continue;
      const members = slots.get(slot) ?? new Map<number, Needs>();
      const member = members.get(key) ?? new Needs(maxBatchSize);
      member.add(recordClass);
      slots.set(slot, members.set(key, member));
    }
  }
  let bound = needs.batches();
  for (const members of slots.values()) {
    let sum = 0;
    for (const member of members.values()) sum += member.batches();
    bound = Math.max(bound, sum);
  }
  return bound;
}

/** What some records need at least, whatever other records there are. */
class Needs {
  private records = 0;
  /** By slot that takes one record only: how many of the records want it. */
  private readonly alone = new Map<number, number>();
  private mostAlone = 0;

  constructor(private readonly maxBatchSize: number) {}

  add({ records, constraints }: RecordClass): void {
    this.records += records.length;
    for (const { slot, key } of constraints) {
      if (key !== ALONE) continue;
      const wanted = (this.alone.get(slot) ?? 0) + records.length;
      this.alone.set(slot, wanted);
      this.mostAlone = Math.max(this.mostAlone, wanted);
    }
  }

  batches(): number {
    return Math.max(Math.ceil(this.records / this.maxBatchSize), this.mostAlone);
  }
}
