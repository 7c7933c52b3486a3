import type { BatchState, BatchSummary } from '../../contracts/api/views';
import type { ListBatches } from './batch-pages';
import type { BatchRun } from './batch-reader';

const PAGE_SIZE = 1000;

/** A batch with the run that counts: a completed one, else a running one, else the newest. */
export type ListedBatch = BatchRun & { state: BatchState };

const RANK: Record<BatchState, number> = { completed: 2, running: 1, failed: 0 };

/** Every wanted batch of this installation that Temporal lists, by batchId. */
export async function listAllBatches(
  list: ListBatches,
  isWanted: (batch: BatchSummary) => boolean = () => true,
): Promise<Map<string, ListedBatch>> {
  const batches = new Map<string, ListedBatch>();
  let cursor: string | undefined;
  do {
    const page = await list([], { limit: PAGE_SIZE, ...(cursor !== undefined && { cursor }) });
    for (const { batchId, runId, state } of page.batches.filter(isWanted)) {
      const before = batches.get(batchId);
      if (before === undefined || RANK[state] > RANK[before.state])
        batches.set(batchId, { batchId, runId, state });
    }
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return batches;
}
