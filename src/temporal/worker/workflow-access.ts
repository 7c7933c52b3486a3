import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { ChildClosing } from '../../contracts/activities';
import type { BatchInChild, ChildInput } from '../../contracts/child';
import type { PackedBuffer } from '../../domain/buffer';
import { restartChild } from '../children/restart-child';
import { waitForChild } from '../children/wait-for-child';
import { inputOf, readStart } from '../server/first-event';

/** What activities ask of the server; the interface that they know is in `activities/`. */
export function createWorkflowAccess(client: Client) {
  return {
    waitForChild: (childId: string, signal: AbortSignal): Promise<ChildClosing> =>
      waitForChild(client, childId, signal),
    restartChild: (childId: string): Promise<boolean> => restartChild(client, childId),
    holdsBatches: (childId: string, batches: readonly BatchInChild[]): Promise<boolean> =>
      holdsBatches(client, childId, batches),
    readPage: async (pageId: string): Promise<PackedBuffer> =>
      inputOf(await readStart(client, pageId), pageId) as PackedBuffer,
  };
}

async function holdsBatches(
  client: Client,
  childId: string,
  batches: readonly BatchInChild[],
): Promise<boolean> {
  try {
    const input = inputOf(await readStart(client, childId), childId) as ChildInput;
    const recordsOf = (all: readonly BatchInChild[]) => JSON.stringify(all.map(({ records }) => records));
    return recordsOf(input.batches) === recordsOf(batches);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
