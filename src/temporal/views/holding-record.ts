import type { Wait } from '../../contracts/workflow/waits';
import { Holds, ruleAndDigestOf } from '../../domain/running/holds';
import type { BatchReader } from '../children/batch-reader';

/**
 * A wait for a child in flight with the record that it waits for, and the batch in which that is: a batcher doesn't keep the
 * records of what is in flight. All records of a child at one place are on one side, so each of them is in the way.
 */
export async function withRecord(batches: BatchReader, wait: Wait): Promise<Wait> {
  const { childId, rule, place } = wait.heldBy ?? {};
  if (childId === undefined || rule === undefined) return wait;
  const holds = new Holds([rule]);
  for (const { summary } of await batches.factsIn(childId)) {
    const { batch } = await batches.input(summary);
    const record = batch.records.find((one) =>
      holds.of(one).some((hold) => ruleAndDigestOf(hold)[1] === place),
    );
    if (record === undefined) continue;
    return { ...wait, heldBy: { rule, childId: batch.batchId, recordId: record.recordId } };
  }
  return wait;
}
