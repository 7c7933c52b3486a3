import type { RecordClass } from './partition-classes';
import { OpenBatches } from './partition-open-batches';

/**
 * First fit: puts record after record, in the given order, into the first batch that has room and no conflict.
 * Needs at most ⌈records / maxBatchSize⌉ batches plus one for each conflict of the record that has the most of them, as
 * a batch is opened only when every earlier one is full or holds a conflicting record.
 *
 * A batch that refused a record refuses its class for good, so each class goes on where its last record went.
 */
export function firstFit(
  classes: readonly RecordClass[],
  classOf: Uint32Array,
  order: readonly number[],
  maxBatchSize: number,
): number[][] {
  const batches = new OpenBatches(maxBatchSize);
  const searchFrom = new Uint32Array(classes.length);
  for (const record of order) {
    const classIndex = classOf[record] as number;
    const { constraints } = classes[classIndex] as RecordClass;
    const at = batches.firstFor(constraints, searchFrom[classIndex] as number);
    searchFrom[classIndex] = at;
    batches.put(record, constraints, at);
  }
  return batches.records();
}
