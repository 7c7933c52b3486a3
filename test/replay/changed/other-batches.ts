/** A batcher that cuts other batches, as many as before and under the same ids: nothing that a replay itself compares. */
import type { BatcherInput } from '../../../src/contracts/workflow/batcher';
import type { Resets } from '../../../workflows/reset-notice';
import * as today from '../../../workflows';

export const { batchesWorkflow, bufferPageWorkflow } = today;

export async function batcherWorkflow(input: BatcherInput, resets: Resets): Promise<void> {
  const settings = { ...input.settings, conflicts: [{ pair: [1, 3] as [number, number] }] };
  await today.batcherWorkflow({ ...input, settings }, resets);
}
