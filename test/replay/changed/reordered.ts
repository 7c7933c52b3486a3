/** Workflows as a careless change might leave them: no committed history may replay on these. */
import { proxyActivities, sleep } from '@temporalio/workflow';
import { ACTIVITY_TIMEOUTS, type Activities } from '../../../src/contracts/activities';
import type {
  BatchGroupInput,
  BatchGroupResult,
  BatchInput,
  BatchResult,
} from '../../../src/contracts/batch';
import type { BatcherInput } from '../../../src/contracts/batcher';
import type { PackedBuffer } from '../../../src/domain/buffer';
import * as today from '../../../workflows';

const { closeBatch } = proxyActivities<Activities>({ startToCloseTimeout: ACTIVITY_TIMEOUTS.closeMs });

/** Closes the batch before it saves. */
export async function batchWorkflow(input: BatchInput): Promise<BatchResult> {
  const { batchId, openedAtMs } = input.batch;
  await closeBatch({ batch: { batchId, openedAtMs }, records: [], format: input.outcomeFormat });
  return today.batchWorkflow(input);
}

/** Has a timer that was not there. */
export async function batchGroupWorkflow(input: BatchGroupInput): Promise<BatchGroupResult> {
  await sleep(1);
  return today.batchGroupWorkflow(input);
}

/** Likewise. */
export async function batcherWorkflow(input: BatcherInput): Promise<void> {
  await sleep(1);
  await today.batcherWorkflow(input);
}

/** Likewise. */
export async function bufferPageWorkflow(content: PackedBuffer): Promise<void> {
  await sleep(1);
  await today.bufferPageWorkflow(content);
}
