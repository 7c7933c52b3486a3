import type { Client } from '@temporalio/client';
import type { ChildClosing, HeldByChild, RecordRun } from '../../contracts/workflow/activities';
import type { ChildInput } from '../../contracts/workflow/child';
import { storeNoticeSignal, type StoreNotice } from '../../contracts/workflow/store-notice';
import type { PackedBuffer } from '../../domain/buffer/buffer';
import type { RequestDigest } from '../../domain/windows/key-window';
import { restartChild } from '../children/restart-child';
import { unfinishedChildren } from '../children/unfinished-children';
import { waitForChild } from '../children/wait-for-child';
import { keysBefore } from '../rescue/keys-before';
import { inputIfKnown } from '../server/history';

/** What activities need from the server; their interface for it is in `activities/`. */
export function createWorkflowAccess(client: Client) {
  return {
    waitForChild: (childId: string, signal: AbortSignal): Promise<ChildClosing> =>
      waitForChild(client, childId, signal),
    restartChild: (childId: string): Promise<boolean> => restartChild(client, childId),
    unfinishedChildren: (batcher: string): Promise<string[]> => unfinishedChildren(client, batcher),
    keysBefore: (batcher: string, runId: string): Promise<RequestDigest[]> =>
      keysBefore(client, batcher, runId),
    readChild: (childId: string): Promise<HeldByChild> => readChild(client, childId),
    readPage: (pageId: string): Promise<PackedBuffer | null> => readPage(client, pageId),
    notifyOfStore: (batcherId: string, notice: StoreNotice): Promise<void> =>
      client.workflow.getHandle(batcherId).signal(storeNoticeSignal, notice),
  };
}

async function readPage(client: Client, pageId: string): Promise<PackedBuffer | null> {
  const content = (await inputIfKnown(client, pageId)) as PackedBuffer | undefined;
  return content ?? null;
}

async function readChild(client: Client, childId: string): Promise<HeldByChild> {
  const input = (await inputIfKnown(client, childId)) as ChildInput | undefined;
  if (input === undefined) return { batches: 0, bulk: false, records: [] };
  const records = input.batches.flatMap((batch) =>
    batch.records.map(([requestId, first, values]): RecordRun => [requestId, first, values.length]),
  );
  return { batches: input.batches.length, bulk: input.bulk !== undefined, records };
}
