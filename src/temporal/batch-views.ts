import type { Client } from '@temporalio/client';
import { executionInfoFromRaw } from '@temporalio/client/lib/helpers';
import { batcherWorkflowId, WORKFLOW_TYPE } from '../contracts/ids';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';
import type { BatchFilter, BatchPage, BatchState, BatchView } from '../contracts/views';
import { KeepapartError, describeReceived } from '../domain/errors';
import { factsOf, holdingAnyOf, literal, type BatchReader } from './batch-reader';
import type { BatcherAddress } from './ingest';
import { callTemporal } from './rpc';

const CONDITION_OF_STATE: Record<BatchState, string> = {
  running: `ExecutionStatus = 'Running'`,
  completed: `ExecutionStatus = 'Completed'`,
  failed: `ExecutionStatus IN ('Failed', 'Canceled', 'Terminated', 'TimedOut', 'ContinuedAsNew')`,
};

/** One page of this deployment's batches, newest first, as Temporal's visibility lists them. */
export async function listBatchPage(
  client: Client,
  address: BatcherAddress,
  { state, requestId, limit, cursor }: BatchFilter,
): Promise<BatchPage> {
  const conditions = [
    ...(state === undefined ? [] : [CONDITION_OF_STATE[state]]),
    ...(requestId === undefined ? [] : [holdingAnyOf([requestId])]),
  ];
  const page = await listBatchesWhere(client, address, conditions, {
    limit,
    ...(cursor !== undefined && { cursor }),
  });
  // A batch of many requests is listed for any of them.
  if (requestId === undefined) return page;
  return { ...page, batches: page.batches.filter(({ requestIds }) => requestIds.includes(requestId)) };
}

/** One page of this deployment's batches that meet all conditions of visibility; the one that closed last first. */
export async function listBatchesWhere(
  client: Client,
  address: BatcherAddress,
  conditions: readonly string[],
  { limit, cursor }: { limit: number; cursor?: string },
): Promise<BatchPage> {
  const batchers = Array.from({ length: address.shards }, (_, shard) =>
    literal(batcherWorkflowId(address.batcherId, shard)),
  );
  const query = [
    `WorkflowType = ${literal(WORKFLOW_TYPE.batch)}`,
    `${SEARCH_ATTRIBUTES.batcher.name} IN (${batchers.join(', ')})`,
    ...conditions,
  ].join(' AND ');
  const after = cursor === undefined ? undefined : tokenOf(cursor);
  const { executions, nextPageToken } = await callTemporal(client, 'could not list batches', () =>
    client.workflowService.listWorkflowExecutions({
      namespace: client.options.namespace,
      query,
      pageSize: limit,
      ...(after !== undefined && { nextPageToken: after }),
    }),
  );
  const batches = await Promise.all(
    executions.map(async (raw) => {
      const info = await executionInfoFromRaw(
        raw,
        client.options.loadedDataConverter,
        raw,
        client.options.namespace,
      );
      return factsOf(info).summary;
    }),
  );
  return { batches, nextCursor: nextPageToken.length > 0 ? cursorOf(nextPageToken) : null };
}

/** One batch with its records; outcomes are null until it completed, attempts and error are those so far. */
export async function readBatch(reader: BatchReader, batchId: string): Promise<BatchView | undefined> {
  const facts = await reader.facts(batchId);
  if (facts === undefined) return undefined;
  const { summary } = facts;
  const { batch } = await reader.input(summary);
  const result = summary.state === 'completed' ? await reader.result(summary) : undefined;
  return {
    ...summary,
    file: result?.location ?? null,
    records: batch.records.map(({ recordId, value }, position) => {
      const ended = result?.outcomes[position];
      const pending = facts.pending.get(recordId);
      return {
        recordId,
        value,
        outcome: ended?.outcome ?? null,
        attempts: ended?.attempts ?? pending?.attempt ?? null,
        error: ended?.error ?? pending?.error ?? null,
      };
    }),
  };
}

/**
 * Temporal's page token, with a mark in front: the server fails on a token that it didn't make in ways that can't be told
 * from its own trouble, so what isn't ours must not reach it.
 */
const CURSOR_MARK = 'keepapart-1:';

function cursorOf(token: Uint8Array): string {
  return Buffer.concat([Buffer.from(CURSOR_MARK), token]).toString('base64url');
}

function tokenOf(cursor: string): Uint8Array {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.subarray(0, CURSOR_MARK.length).toString() === CURSOR_MARK)
    return bytes.subarray(CURSOR_MARK.length);
  throw new KeepapartError('invalid-request', 'The cursor is not one that this service gave out.', {
    problems: [
      { field: 'cursor', expected: 'a nextCursor of an earlier answer', received: describeReceived(cursor) },
    ],
  });
}
