import type { Classes } from './classes';
import type { Assignment } from './cut';
import { OpenBatches } from './open-batches';

/**
 * First fit: puts record after record, in the given order, into the first batch that has room and no conflict.
 * Needs at most ⌈records / maxBatchSize⌉ batches plus one for each conflict of the record that has the most of them, as
 * a batch is opened only when every earlier one is full or holds a conflicting record.
 *
 * A batch that refused a record refuses its class for good, so each class goes on where its last record went.
 */
export function firstFit(classes: Classes, order: Iterable<number>, maxBatchSize: number): Assignment {
  const batches = new OpenBatches(classes, maxBatchSize);
  const searchFrom = new Int32Array(classes.constraints.length);
  const batchOf = new Int32Array(classes.classOf.length);
  for (const record of order) {
    const recordClass = classes.classOf[record] as number;
    const batch = batches.firstFor(recordClass, searchFrom[recordClass] as number);
    searchFrom[recordClass] = batch;
    batches.put(recordClass, batch);
    batchOf[record] = batch;
  }
  return { batchOf, count: batches.count };
}
