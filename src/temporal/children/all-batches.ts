import type { BatchSummary } from '../../contracts/api/answers/batches';
import type { BatchState } from '../../contracts/api/states';
import type { ListBatches } from './batch-pages';
import type { BatchRun } from './batch-reader';

const PAGE_SIZE = 1000;

/** A batch with the run that counts: a completed one, else a running one, else the newest. */
export type ListedBatch = BatchRun & { state: BatchState };

interface ListOptions {
  isWanted?: (batch: BatchSummary) => boolean;
  /** Default: no bound. */
  most?: number | undefined;
}

const RANK: Record<BatchState, number> = { completed: 2, running: 1, failed: 0 };

/** Every wanted batch of this installation that Temporal lists, by batchId; of more than `most` the newest pages. */
export async function listAllBatches(
  list: ListBatches,
  { isWanted = () => true, most = Infinity }: ListOptions = {},
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
  } while (cursor !== undefined && batches.size < most);
  return batches;
}
