/** A batcher that cuts by the newest partitioner whatever its run began with, as it would if nothing kept the version. */
import { patched } from '@temporalio/workflow';
import type { BatcherInput } from '../../../src/contracts/batcher';
import { NEWEST_PARTITION_VERSION } from '../../../src/domain/partition';
import * as today from '../../../workflows';
import { runBatcher } from '../../../workflows/batcher';

export const { batchGroupWorkflow, batchWorkflow, bufferPageWorkflow } = today;

export async function batcherWorkflow(input: BatcherInput): Promise<void> {
  // As today's asks, but not heeded.
  patched('partition-2');
  await runBatcher(input, NEWEST_PARTITION_VERSION);
}
