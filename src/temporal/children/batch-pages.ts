import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { executionInfoFromRaw } from '@temporalio/client/lib/helpers';
import { batcherWorkflowId, isBatcherOf } from '../../contracts/workflow/ids';
import { SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';
import type { BatchPage, BatchSummary } from '../../contracts/api/views';
import { childOfBatch } from '../../domain/records/batch';
import { MAX_SHARDS } from '../../domain/limits';
import { callTemporal } from '../server/calls';
import { readCursor, writeCursor, type Cursor } from './batch-cursor';
import { batchesIn } from './batch-facts';
import { HOLDS_BATCHES, literal } from './batch-queries';

export interface PageOptions {
  limit: number;
  cursor?: string;
  /** Which batches of the children that meet the conditions are listed. Default: all. */
  keep?: (batch: BatchSummary) => boolean;
}

/** Lists batches of one installation, of whatever shard. */
export type ListBatches = (conditions: readonly string[], options: PageOptions) => Promise<BatchPage>;

/**
 * @returns one page of the batches whose children meet all conditions of visibility; the child that closed last first. A
 *   page may end within a child with several batches: the next one continues there.
 */
export function createBatchList(client: Client, batcherId: string): ListBatches {
  const batchers = Array.from({ length: MAX_SHARDS }, (_, shard) =>
    literal(batcherWorkflowId(batcherId, shard)),
  );
  const own = [HOLDS_BATCHES, `${SEARCH_ATTRIBUTES.batcher.name} IN (${batchers.join(', ')})`];

  return async (conditions, { limit, cursor: text, keep: isWanted = () => true }) => {
    // A cursor names a batch, and anybody can write one.
    const keep = (batch: BatchSummary) => isBatcherOf(batcherId, batch.batcher) && isWanted(batch);
    const query = [...own, ...conditions].join(' AND ');
    const list = (pageSize: number, token: Uint8Array | undefined) =>
      listChildren(client, query, pageSize, token, keep);
    const cursor: Cursor = text === undefined ? {} : readCursor(text);

    const rest = cursor.after === undefined ? [] : await batchesAfter(client, cursor.after, keep);
    const room = limit - rest.length;
    if (room <= 0 || cursor.token === null) {
      const batches = rest.slice(0, limit);
      return { batches, nextCursor: cursorAfter(rest, batches, cursor.token) };
    }

    let page = await list(room, cursor.token);
    const fitting = childrenWithin(page.children, room);
    // Temporal's token is for the end of a page: so that page is made to end with the child that ours ends with.
    if (fitting < page.children.length) page = await list(fitting, cursor.token);
    const found = page.children.flat();
    const batches = found.slice(0, room);
    return { batches: [...rest, ...batches], nextCursor: cursorAfter(found, batches, page.next) };
  };
}

/** How many children from the first have so many batches; at least one. */
function childrenWithin(children: readonly BatchSummary[][], room: number): number {
  let batches = 0;
  const last = children.findIndex((held) => (batches += held.length) >= room);
  return last === -1 ? children.length : last + 1;
}

/** @param next Temporal's token for what follows all that was found; null when nothing does */
function cursorAfter(
  found: readonly BatchSummary[],
  listed: readonly BatchSummary[],
  next: Uint8Array | null | undefined,
): string | null {
  const last = listed.at(-1);
  const token = next === undefined ? {} : { token: next };
  if (last !== undefined && listed.length < found.length) {
    return writeCursor({ ...token, after: { batchId: last.batchId, runId: last.runId } });
  }
  return next === null ? null : writeCursor(token);
}

/** The batches of the same run behind one that was listed last. */
async function batchesAfter(
  client: Client,
  { batchId, runId }: NonNullable<Cursor['after']>,
  keep: (batch: BatchSummary) => boolean,
): Promise<BatchSummary[]> {
  try {
    const info = await callTemporal(client, `could not ask for batch ${batchId}`, () =>
      client.workflow.getHandle(childOfBatch(batchId), runId).describe(),
    );
    const all = batchesIn(info).map(({ summary }) => summary);
    return all.slice(all.findIndex((batch) => batch.batchId === batchId) + 1).filter(keep);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return [];
    throw error;
  }
}

/** One page of children, each with those of its batches that are kept. */
async function listChildren(
  client: Client,
  query: string,
  pageSize: number,
  token: Uint8Array | undefined,
  keep: (batch: BatchSummary) => boolean,
): Promise<{ children: BatchSummary[][]; next: Uint8Array | null }> {
  const { executions, nextPageToken } = await callTemporal(client, 'could not list batches', () =>
    client.workflowService.listWorkflowExecutions({
      namespace: client.options.namespace,
      query,
      pageSize,
      ...(token !== undefined && { nextPageToken: token }),
    }),
  );
  const children = await Promise.all(
    executions.map(async (raw) => {
      const { loadedDataConverter, namespace } = client.options;
      const info = await executionInfoFromRaw(raw, loadedDataConverter, raw, namespace);
      return batchesIn(info)
        .map(({ summary }) => summary)
        .filter(keep);
    }),
  );
  return { children, next: nextPageToken.length > 0 ? nextPageToken : null };
}
