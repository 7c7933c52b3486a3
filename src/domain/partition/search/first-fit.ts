import { countOf, type Classes } from '../graph/classes';
import type { SlotCounts } from '../graph/conflict-counts';
import type { Assignment } from '../graph/cut';
import { OpenBatches } from './open-batches';
import { RowBatches } from './row-batches';

/** Bounds on the steps in which the first batch is looked for; 100,000 to 300,000 steps take a millisecond. */
const FEWEST_STEPS = 1_000_000;
const STEPS_PER_RECORD = 60;

/**
 * First fit: puts record after record, in the given order, into the first batch that has room and no conflict.
 * Needs at most ⌈records / maxBatchSize⌉ batches plus one for each conflict of the record that has the most of them, as
 * a batch is opened only when every earlier one is full or holds a conflicting record. That holds for as long as the steps
 * suffice; beyond them, which takes tens of thousands of records in many slots each, only the youngest batches are looked
 * at.
 *
 * A batch that refused a record refuses its class for good, so each class goes on where its last record went.
 */
export function firstFit(
  classes: Classes,
  counts: SlotCounts,
  order: Iterable<number>,
  maxBatchSize: number,
): Assignment & { steps: number } {
  const records = classes.classOf.length;
  const batches = RowBatches.suits(classes)
    ? new RowBatches(classes, maxBatchSize)
    : new OpenBatches(classes, counts, maxBatchSize, FEWEST_STEPS + STEPS_PER_RECORD * records);
  const searchFrom = new Int32Array(countOf(classes));
  const batchOf = new Int32Array(records);
  for (const record of order) {
    const recordClass = classes.classOf[record] ?? 0;
    const batch = batches.firstFor(recordClass, searchFrom[recordClass] ?? 0);
    searchFrom[recordClass] = batch;
    batches.put(recordClass, batch);
    batchOf[record] = batch;
  }
  return { batchOf, count: batches.count, steps: batches.steps };
}
