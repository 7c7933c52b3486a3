import type { BenchRecord, Work } from './work';

/**
 * Batches as anybody would cut them from a list by hand: each record goes into the first that has room and nothing it
 * must be kept from. Pure, so it may run in a workflow.
 */
export function cutBatches(
  records: readonly BenchRecord[],
  { maxBatchSize, apart: [one, other] }: Pick<Work, 'maxBatchSize' | 'apart'>,
): BenchRecord[][] {
  const batches: BenchRecord[][] = [];
  let open: BenchRecord[][] = [];
  for (const record of records) {
    const enemy = record.v === one ? other : record.v === other ? one : undefined;
    let batch = open.find((some) => enemy === undefined || some.every(({ v }) => v !== enemy));
    if (batch === undefined) {
      batch = [];
      batches.push(batch);
      open.push(batch);
    }
    batch.push(record);
    open = open.filter((some) => some.length < maxBatchSize);
  }
  return batches;
}
