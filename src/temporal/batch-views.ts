import type { Client } from '@temporalio/client';
import { executionInfoFromRaw } from '@temporalio/client/lib/helpers';
import { batcherWorkflowId, WORKFLOW_TYPE } from '../contracts/ids';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';
import type { BatchPage, BatchState, BatchView } from '../contracts/views';
import { KeepapartError, describeReceived } from '../domain/errors';
import { factsOf, literal, type BatchReader } from './batch-reader';
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
  { state, limit, cursor }: { state?: BatchState; limit: number; cursor?: string },
): Promise<BatchPage> {
  const batchers = Array.from({ length: address.shards }, (_, shard) =>
    literal(batcherWorkflowId(address.batcherId, shard)),
  );
  const conditions = [
    `WorkflowType = ${literal(WORKFLOW_TYPE.batch)}`,
    `${SEARCH_ATTRIBUTES.batcher.name} IN (${batchers.join(', ')})`,
    ...(state === undefined ? [] : [CONDITION_OF_STATE[state]]),
  ];
  const { executions, nextPageToken } = await callTemporal(client, 'could not list batches', async () => {
    try {
      return await client.workflowService.listWorkflowExecutions({
        namespace: client.options.namespace,
        query: conditions.join(' AND '),
        pageSize: limit,
        ...(cursor !== undefined && { nextPageToken: tokenOf(cursor) }),
      });
    } catch (error) {
      if (cursor !== undefined && isInvalidArgument(error)) throw unknownCursor(cursor);
      throw error;
    }
  });
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
  const next = nextPageToken.length > 0 ? Buffer.from(nextPageToken).toString('base64url') : null;
  return { batches, nextCursor: next };
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

function tokenOf(cursor: string): Uint8Array {
  const token = Buffer.from(cursor, 'base64url');
  if (token.length === 0 || token.toString('base64url') !== cursor) throw unknownCursor(cursor);
  return token;
}

function unknownCursor(cursor: string): KeepapartError {
  return new KeepapartError('invalid-request', 'The cursor is not one that this service gave out.', {
    problems: [
      { field: 'cursor', expected: 'a nextCursor of an earlier answer', received: describeReceived(cursor) },
    ],
  });
}

function isInvalidArgument(error: unknown): boolean {
  const INVALID_ARGUMENT = 3;
  return error instanceof Error && 'code' in error && error.code === INVALID_ARGUMENT;
}
