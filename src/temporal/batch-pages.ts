import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { executionInfoFromRaw } from '@temporalio/client/lib/helpers';
import { batcherWorkflowId } from '../contracts/ids';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';
import type { BatchPage, BatchSummary } from '../contracts/views';
import { workflowIdOf } from '../domain/batch';
import { readCursor, writeCursor, type Cursor } from './batch-cursor';
import { batchesIn } from './batch-facts';
import { HOLDS_BATCHES, literal } from './batch-queries';
import type { BatcherAddress } from './ingest';
import { callTemporal } from './rpc';

export interface PageOptions {
  limit: number;
  cursor?: string;
  /** Which batches of the workflows that meet the conditions are told. Default: all. */
  keep?: (batch: BatchSummary) => boolean;
}

/**
 * One page of this deployment's batches whose workflows meet all conditions of visibility; the one that closed last
 * first. A page may end within a workflow of several batches: the next one goes on there.
 */
export async function listBatchesWhere(
  client: Client,
  address: BatcherAddress,
  conditions: readonly string[],
  { limit, cursor: text, keep = () => true }: PageOptions,
): Promise<BatchPage> {
  const list = (pageSize: number, token: Uint8Array | undefined) =>
    listWorkflows(client, queryFor(address, conditions), pageSize, token, keep);
  const cursor: Cursor = text === undefined ? {} : readCursor(text);

  const rest = cursor.after === undefined ? [] : await batchesAfter(client, cursor.after, keep);
  const room = limit - rest.length;
  if (room <= 0 || cursor.token === null) {
    const batches = rest.slice(0, limit);
    return { batches, nextCursor: cursorAfter(rest, batches, cursor.token) };
  }

  let page = await list(room, cursor.token);
  const fitting = workflowsWithin(page.workflows, room);
  // Temporal's token is for the end of a page: so that page is made to end with the workflow that ours ends with.
  if (fitting < page.workflows.length) page = await list(fitting, cursor.token);
  const found = page.workflows.flat();
  const batches = found.slice(0, room);
  return { batches: [...rest, ...batches], nextCursor: cursorAfter(found, batches, page.next) };
}

/** How many workflows from the first have so many batches; at least one. */
function workflowsWithin(workflows: readonly BatchSummary[][], room: number): number {
  let batches = 0;
  const last = workflows.findIndex((held) => (batches += held.length) >= room);
  return last === -1 ? workflows.length : last + 1;
}

/** @param next Temporal's token for what follows all that was found; null when nothing does */
function cursorAfter(
  found: readonly BatchSummary[],
  told: readonly BatchSummary[],
  next: Uint8Array | null | undefined,
): string | null {
  const last = told.at(-1);
  const token = next === undefined ? {} : { token: next };
  if (last !== undefined && told.length < found.length) {
    return writeCursor({ ...token, after: { batchId: last.batchId, runId: last.runId } });
  }
  return next === null ? null : writeCursor(token);
}

/** The batches of the same run behind one that was told last. */
async function batchesAfter(
  client: Client,
  { batchId, runId }: NonNullable<Cursor['after']>,
  keep: (batch: BatchSummary) => boolean,
): Promise<BatchSummary[]> {
  try {
    const info = await callTemporal(client, `could not ask for batch ${batchId}`, () =>
      client.workflow.getHandle(workflowIdOf(batchId), runId).describe(),
    );
    const all = batchesIn(info).map(({ summary }) => summary);
    return all.slice(all.findIndex((batch) => batch.batchId === batchId) + 1).filter(keep);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return [];
    throw error;
  }
}

function queryFor(address: BatcherAddress, conditions: readonly string[]): string {
  const batchers = Array.from({ length: address.shards }, (_, shard) =>
    literal(batcherWorkflowId(address.batcherId, shard)),
  );
  return [HOLDS_BATCHES, `${SEARCH_ATTRIBUTES.batcher.name} IN (${batchers.join(', ')})`, ...conditions].join(
    ' AND ',
  );
}

/** One page of workflows, each with those of its batches that are kept. */
async function listWorkflows(
  client: Client,
  query: string,
  pageSize: number,
  token: Uint8Array | undefined,
  keep: (batch: BatchSummary) => boolean,
): Promise<{ workflows: BatchSummary[][]; next: Uint8Array | null }> {
  const { executions, nextPageToken } = await callTemporal(client, 'could not list batches', () =>
    client.workflowService.listWorkflowExecutions({
      namespace: client.options.namespace,
      query,
      pageSize,
      ...(token !== undefined && { nextPageToken: token }),
    }),
  );
  const workflows = await Promise.all(
    executions.map(async (raw) => {
      const { loadedDataConverter, namespace } = client.options;
      const info = await executionInfoFromRaw(raw, loadedDataConverter, raw, namespace);
      return batchesIn(info)
        .map(({ summary }) => summary)
        .filter(keep);
    }),
  );
  return { workflows, next: nextPageToken.length > 0 ? nextPageToken : null };
}
