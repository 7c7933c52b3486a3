/** The same kind of change as a later version has to make it: every committed history still replays on these. */
import { patched, sleep } from '@temporalio/workflow';
import type { BatcherInput } from '../../../src/contracts/workflow/batcher';
import type { Resets } from '../../../workflows/reset-notice';
import type { ChildInput, ChildResult } from '../../../src/contracts/workflow/child';
import type { PackedBuffer } from '../../../src/domain/buffer/buffer';
import * as today from '../../../workflows';

export async function batchesWorkflow(input: ChildInput): Promise<ChildResult> {
  if (patched('waits-first')) await sleep(1);
  return today.batchesWorkflow(input);
}

export async function batcherWorkflow(input: BatcherInput, resets: Resets): Promise<void> {
  if (patched('waits-first')) await sleep(1);
  await today.batcherWorkflow(input, resets);
}

export async function bufferPageWorkflow(content: PackedBuffer): Promise<void> {
  if (patched('waits-first')) await sleep(1);
  await today.bufferPageWorkflow(content);
}
