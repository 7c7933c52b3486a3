import type { BatcherInput } from '../../src/contracts/workflow/batcher';
import { batcherWorkflow as today } from '../../workflows';

declare const SLOW_STEPS: number;

/** A build whose batcher takes seconds for its first workflow task, as any does on a machine without CPU for it. */
export async function batcherWorkflow(input: BatcherInput): Promise<void> {
  let sum = 0;
  for (let i = 0; i < SLOW_STEPS; i++) sum = Math.imul(sum + i, 31);
  if (Number.isNaN(sum)) return;
  await today(input);
}
export { batchesWorkflow, bufferPageWorkflow } from '../../workflows';
