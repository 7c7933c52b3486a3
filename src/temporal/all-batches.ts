import type { Client } from '@temporalio/client';
import type { BatchState } from '../contracts/views';
import type { BatchRun } from './batch-reader';
import { listBatchPage } from './batch-views';
import type { BatcherAddress } from './ingest';

/** The most that SHARDS may be: it may have been greater than it is, and those batches count too. */
const MOST_SHARDS = 64;
const PAGE_SIZE = 1000;

/** A batch by the run that decides: one that completed, else one that runs, else the newest. */
export type ListedBatch = BatchRun & { state: BatchState };

const RANK: Record<BatchState, number> = { completed: 2, running: 1, failed: 0 };

/** Every batch of this deployment that Temporal lists, by batchId, whatever shard it is of. */
export async function listAllBatches(
  client: Client,
  address: BatcherAddress,
): Promise<Map<string, ListedBatch>> {
  const everyShard = { ...address, shards: Math.max(address.shards, MOST_SHARDS) };
  const batches = new Map<string, ListedBatch>();
  let cursor: string | undefined;
  do {
    const page = await listBatchPage(client, everyShard, {
      limit: PAGE_SIZE,
      ...(cursor !== undefined && { cursor }),
    });
    for (const { batchId, runId, state } of page.batches) {
      const before = batches.get(batchId);
      if (before === undefined || RANK[state] > RANK[before.state])
        batches.set(batchId, { batchId, runId, state });
    }
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return batches;
}
