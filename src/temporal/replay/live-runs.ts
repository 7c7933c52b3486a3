import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { WORKFLOW_TYPE, batcherWorkflowId, isBatcherOf } from '../../contracts/workflow/ids';
import { SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';
import { isKeepapartError } from '../../domain/errors';
import { HOLDS_BATCHES, literal } from '../children/batch-queries';
import type { BatcherAddress } from '../shard/shards';
import { callTemporal, ifKnown } from '../server/calls';
import { describeIfKnown } from '../server/describe';
import { GRPC_STATUS, hasFailedWith } from '../server/grpc-status';
import { allEventsOf } from '../server/history';
import { recordedRun, type RecordedRun } from './recorded-history';

/** A run in a server's listing; its history is fetched when it is replayed. */
export interface ListedRun {
  workflowId: string;
  runId: string;
}

const PAGE_SIZE = 500;

/**
 * The runs of an installation that a new version of the code may encounter or should be compared with: every open batcher,
 * child and page of a buffer, then the most recently closed ones, newest first. There may have been more shards before.
 * @param closed number of closed runs of each type
 */
export async function listLiveRuns(
  client: Client,
  { batcherId, shards }: Pick<BatcherAddress, 'batcherId' | 'shards'>,
  closed: number,
): Promise<ListedRun[]> {
  const isBatcher = `WorkflowType = ${literal(WORKFLOW_TYPE.batcher)}`;
  const configured = Array.from({ length: shards }, (_, shard) => batcherWorkflowId(batcherId, shard));
  const open = (await listRuns(client, `${isBatcher} AND CloseTime IS NULL`, Infinity))
    .map(({ workflowId }) => workflowId)
    .filter((workflowId) => isBatcherOf(batcherId, workflowId));
  const batchers = [...new Set([...configured, ...open])];
  const ids = batchers.map(literal).join(', ');
  const runsOfBatchers = `${isBatcher} AND WorkflowId IN (${ids})`;
  const ofBatchers = (kind: string) => `${kind} AND ${SEARCH_ATTRIBUTES.batcher.name} IN (${ids})`;
  const children = ofBatchers(HOLDS_BATCHES);
  const pages = ofBatchers(`WorkflowType = ${literal(WORKFLOW_TYPE.bufferPage)}`);
  const current = await Promise.all(batchers.map((workflowId) => currentRun(client, workflowId)));
  const listed = [
    current.flatMap((run) => run ?? []),
    await listIfKnown(client, `${children} AND CloseTime IS NULL`, Infinity),
    await listIfKnown(client, `${pages} AND CloseTime IS NULL`, Infinity),
    await listRuns(client, `${runsOfBatchers} AND CloseTime IS NOT NULL`, closed),
    await listIfKnown(client, `${children} AND CloseTime IS NOT NULL`, closed),
    await listIfKnown(client, `${pages} AND CloseTime IS NOT NULL`, closed),
  ].flat();
  return [...new Map(listed.map((run) => [run.runId, run])).values()];
}

/** Fetches a history. Undefined if the run is gone: its retention period may end while others are replayed. */
export async function fetchRun(
  client: Client,
  { workflowId, runId }: ListedRun,
): Promise<RecordedRun | undefined> {
  const events = await ifKnown(allEventsOf(client, workflowId, runId));
  return events && { ...recordedRun(temporal.api.history.v1.History.create({ events })), runId };
}

/** By id, which is exact: a listing lags. */
async function currentRun(client: Client, workflowId: string): Promise<ListedRun | undefined> {
  const described = await describeIfKnown(client, workflowId);
  const isOpen = described?.status.name === 'RUNNING' || described?.status.name === 'PAUSED';
  return isOpen ? { workflowId, runId: described.runId } : undefined;
}

async function listIfKnown(client: Client, query: string, limit: number): Promise<ListedRun[]> {
  try {
    return await listRuns(client, query, limit);
  } catch (error) {
    if (isUnknownAttribute(error)) return [];
    throw error;
  }
}

async function listRuns(client: Client, query: string, limit: number): Promise<ListedRun[]> {
  const runs: ListedRun[] = [];
  let nextPageToken: Uint8Array | undefined;
  while (runs.length < limit && nextPageToken?.length !== 0) {
    const after = nextPageToken;
    const page = await callTemporal(client, 'could not list workflows', () =>
      client.workflowService.listWorkflowExecutions({
        namespace: client.options.namespace,
        query,
        pageSize: Math.min(PAGE_SIZE, limit - runs.length),
        ...(after !== undefined && { nextPageToken: after }),
      }),
    );
    for (const { execution } of page.executions) {
      runs.push({ workflowId: execution?.workflowId ?? '', runId: execution?.runId ?? '' });
    }
    nextPageToken = page.nextPageToken;
  }
  return runs;
}

/** A server that doesn't know the attribute never had a batch or a page. */
function isUnknownAttribute(error: unknown): boolean {
  const cause = isKeepapartError(error) ? error.cause : undefined;
  return (
    hasFailedWith(cause, GRPC_STATUS.invalidArgument) &&
    cause.details.includes(SEARCH_ATTRIBUTES.batcher.name)
  );
}
