/** The same kind of change as a later version has to make it: every committed history still replays on these. */
import { patched, sleep } from '@temporalio/workflow';
import type {
  BatchGroupInput,
  BatchGroupResult,
  BatchInput,
  BatchResult,
} from '../../../src/contracts/batch';
import type { BatcherInput } from '../../../src/contracts/batcher';
import type { PackedBuffer } from '../../../src/domain/buffer';
import * as today from '../../../workflows';

export async function batchWorkflow(input: BatchInput): Promise<BatchResult> {
  if (patched('waits-first')) await sleep(1);
  return today.batchWorkflow(input);
}

export async function batchGroupWorkflow(input: BatchGroupInput): Promise<BatchGroupResult> {
  if (patched('waits-first')) await sleep(1);
  return today.batchGroupWorkflow(input);
}

export async function batcherWorkflow(input: BatcherInput): Promise<void> {
  if (patched('waits-first')) await sleep(1);
  await today.batcherWorkflow(input);
}

export async function bufferPageWorkflow(content: PackedBuffer): Promise<void> {
  if (patched('waits-first')) await sleep(1);
  await today.bufferPageWorkflow(content);
}
