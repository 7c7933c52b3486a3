import { ALONE, type RecordClass } from './partition-classes';

/** A batch that is being filled: its records, and by slot the key that the slot holds. */
interface OpenBatch {
  records: number[];
  keys: Map<number, number>;
}

/**
 * First fit: puts record after record, in the given order, into the first batch with room and without a conflict.
 *
 * A batch that refuses a record refuses its whole class for good, as batches only fill up: each class goes on from
 * where its last record was put. Batches that are full are skipped all at once.
 */
export function firstFit(
  classes: readonly RecordClass[],
  order: Iterable<number>,
  classOf: Int32Array | readonly number[],
  maxBatchSize: number,
): number[][] {
  const batches: OpenBatch[] = [];
  const searchFrom = new Int32Array(classes.length);
  const notFull: number[] = [];
  const firstNotFull = (from: number): number => {
    let batch = from;
    while (batch < batches.length && notFull[batch] !== batch) batch = notFull[batch] as number;
    while (from < batch) [from, notFull[from]] = [notFull[from] as number, batch];
    return batch;
  };
  for (const record of order) {
    const number = classOf[record] as number;
    const { constraints } = classes[number] as RecordClass;
    let at = firstNotFull(searchFrom[number] as number);
    while (at < batches.length && refuses(batches[at] as OpenBatch, constraints)) at = firstNotFull(at + 1);
    searchFrom[number] = at;
    if (at === batches.length) {
      batches.push({ records: [], keys: new Map() });
      notFull.push(at);
    }
    const batch = batches[at] as OpenBatch;
    batch.records.push(record);
    for (const { slot, key } of constraints) batch.keys.set(slot, key);
    if (batch.records.length === maxBatchSize) notFull[at] = at + 1;
  }
  return batches.map(({ records }) => records);
}

function refuses(batch: OpenBatch, constraints: RecordClass['constraints']): boolean {
  for (const { slot, key } of constraints) {
    const held = batch.keys.get(slot);
    if (held !== undefined && (held !== key || key === ALONE)) return true;
  }
  return false;
}
