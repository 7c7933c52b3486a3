import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { ChildClosing, HeldByChild, RecordRun } from '../../contracts/activities';
import type { ChildInput } from '../../contracts/child';
import { storeNoticeSignal, type StoreNotice } from '../../contracts/store-notice';
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
    readChild: (childId: string): Promise<HeldByChild> => readChild(client, childId),
    readPage: async (pageId: string): Promise<PackedBuffer> =>
      inputOf(await readStart(client, pageId), pageId) as PackedBuffer,
    notifyOfStore: (batcherId: string, notice: StoreNotice): Promise<void> =>
      client.workflow.getHandle(batcherId).signal(storeNoticeSignal, notice),
  };
}

async function readChild(client: Client, childId: string): Promise<HeldByChild> {
  try {
    const { batches, bulk } = inputOf(await readStart(client, childId), childId) as ChildInput;
    const records = batches.flatMap((batch) =>
      batch.records.map(([requestId, first, values]): RecordRun => [requestId, first, values.length]),
    );
    return { batches: batches.length, bulk: bulk !== undefined, records };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { batches: 0, bulk: false, records: [] };
    throw error;
  }
}
