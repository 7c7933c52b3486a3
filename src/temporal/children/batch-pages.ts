import type { Client } from '@temporalio/client';
import { executionInfoFromRaw } from '@temporalio/client/lib/helpers';
import { batcherWorkflowId, isBatcherOf } from '../../contracts/workflow/ids';
import { SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';
import type { BatchPage, BatchSummary } from '../../contracts/api/answers/batches';
import { childOfBatch } from '../../domain/records/batch';
import { MAX_SHARDS } from '../../domain/limits';
import { callTemporal } from '../server/calls';
import { describeIfKnown } from '../server/describe';
import { readCursor, writeCursor, type Cursor } from './batch-cursor';
import { batchesIn } from './batch-facts';
import { HOLDS_BATCHES, holdingAnyOf, literal } from './batch-queries';

export interface PageOptions {
  limit: number;
  cursor?: string;
  /** Only children that hold, or may hold, records of any of these requests. Default: all. */
  ofRequests?: readonly string[];
  /** Selects batches of the children that meet the conditions. Default: all. */
  keep?: (batch: BatchSummary) => boolean;
}

/** Lists batches of one installation, across its shards. */
export type ListBatches = (conditions: readonly string[], options: PageOptions) => Promise<BatchPage>;

/**
 * @returns a function that lists one page of the batches whose children meet all visibility conditions, most recently
 *   closed child first. A page may end within a child that has several batches; the next page continues there.
 */
export function createBatchList(client: Client, batcherId: string): ListBatches {
  const batchers = Array.from({ length: MAX_SHARDS }, (_, shard) =>
    literal(batcherWorkflowId(batcherId, shard)),
  );
  const own = [HOLDS_BATCHES, `${SEARCH_ATTRIBUTES.batcher.name} IN (${batchers.join(', ')})`];

  return async (conditions, { limit, cursor: text, ofRequests, keep: isWanted = () => true }) => {
    // A cursor names a batch, and anyone can write one.
    const keep = (batch: BatchSummary) => isBatcherOf(batcherId, batch.batcher) && isWanted(batch);
    const holding = ofRequests === undefined ? [] : [holdingAnyOf(client, ofRequests)];
    const query = [...own, ...conditions, ...holding].join(' AND ');
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
    // Temporal's token continues after a whole page, so the page is fetched again with exactly the children that fit.
    if (fitting < page.children.length) page = await list(fitting, cursor.token);
    const found = page.children.flat();
    const batches = found.slice(0, room);
    return { batches: [...rest, ...batches], nextCursor: cursorAfter(found, batches, page.next) };
  };
}

/** How many children, from the first, hold at least `room` batches; at least one. */
function childrenWithin(children: readonly BatchSummary[][], room: number): number {
  let batches = 0;
  const last = children.findIndex((held) => (batches += held.length) >= room);
  return last === -1 ? children.length : last + 1;
}

/** @param next Temporal's token for what follows everything found; null if nothing does */
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

/** The batches that follow the last listed one in the same run. */
async function batchesAfter(
  client: Client,
  { batchId, runId }: NonNullable<Cursor['after']>,
  keep: (batch: BatchSummary) => boolean,
): Promise<BatchSummary[]> {
  const info = await describeIfKnown(client, childOfBatch(batchId), runId);
  const all = info === undefined ? [] : batchesIn(info).map(({ summary }) => summary);
  return all.slice(all.findIndex((batch) => batch.batchId === batchId) + 1).filter(keep);
}

/** One page of children, each with those of its batches that are selected. */
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
