import type { Client } from '@temporalio/client';
import type { BatchClosing } from '../contracts/activities';
import type { PackedBuffer } from '../domain/buffer';
import { inputOf, readStart } from './first-event';
import { restartBatch } from './restart-batch';
import { waitForBatch } from './wait-for-batch';

/** What activities ask of the server; the interface that they know is in `activities/`. */
export function createWorkflowAccess(client: Client) {
  return {
    waitForBatch: (batchId: string, signal: AbortSignal): Promise<BatchClosing> =>
      waitForBatch(client, batchId, signal),
    restartBatch: (batchId: string): Promise<boolean> => restartBatch(client, batchId),
    readPage: async (pageId: string): Promise<PackedBuffer> =>
      inputOf(await readStart(client, pageId), pageId) as PackedBuffer,
  };
}
