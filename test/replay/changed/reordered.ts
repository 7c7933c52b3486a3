/** Workflows as a careless change might leave them: no committed history may replay on these. */
import { proxyActivities, sleep } from '@temporalio/workflow';
import { ACTIVITY_TIMEOUTS, type Activities } from '../../../src/contracts/workflow/activities';
import type { BatcherInput } from '../../../src/contracts/workflow/batcher';
import type { Resets } from '../../../workflows/reset-notice';
import type { ChildInput, ChildResult } from '../../../src/contracts/workflow/child';
import type { PackedBuffer } from '../../../src/domain/buffer/buffer';
import * as today from '../../../workflows';

const { closeBatches } = proxyActivities<Activities>({ startToCloseTimeout: ACTIVITY_TIMEOUTS.storeMs });

/** Closes its batches before it saves. */
export async function batchesWorkflow(input: ChildInput): Promise<ChildResult> {
  const { openedAtMs, outcomeFormat } = input;
  await closeBatches({ openedAtMs, batches: [], kinds: [], format: outcomeFormat });
  return today.batchesWorkflow(input);
}

/** Has a timer that was not there. */
export async function batcherWorkflow(input: BatcherInput, resets: Resets): Promise<void> {
  await sleep(1);
  await today.batcherWorkflow(input, resets);
}

/** Likewise. */
export async function bufferPageWorkflow(content: PackedBuffer): Promise<void> {
  await sleep(1);
  await today.bufferPageWorkflow(content);
}
