import { WorkflowNotFoundError, isGrpcServiceError, type Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { WORKFLOW_TYPE, batcherWorkflowId, isBatcherOf } from '../../contracts/workflow/ids';
import { SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';
import { isKeepapartError } from '../../domain/errors';
import { HOLDS_BATCHES, literal } from '../children/batch-queries';
import type { BatcherAddress } from '../shard/shards';
import { callTemporal } from '../server/calls';
import { recordedRun, type HistoryEvent, type RecordedRun } from './recorded-history';

/** A run as a server lists it; its history is fetched when its turn comes. */
export interface ListedRun {
  workflowId: string;
  runId: string;
}

const PAGE_SIZE = 500;

/** gRPC's numbers; the package that names them is a dependency of the SDK, not ours. */
const GRPC = { invalidArgument: 3, notFound: 5 } as const;

/**
 * The runs of a deployment that a new version of the code may meet, or has to be held against: every open batcher, child
 * and page of a buffer, then those that closed last, newest first. There may have been more shards before than now.
 * @param closed how many closed runs of each type
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

/** Fetches a history. Undefined when the run is gone: the namespace's retention may end while others are replayed. */
export async function fetchRun(
  client: Client,
  { workflowId, runId }: ListedRun,
): Promise<RecordedRun | undefined> {
  const events: HistoryEvent[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const after = nextPageToken;
    try {
      const page = await callTemporal(client, `could not read the history of ${workflowId}`, () =>
        client.workflowService.getWorkflowExecutionHistory({
          namespace: client.options.namespace,
          execution: { workflowId, runId },
          ...(after !== undefined && { nextPageToken: after }),
        }),
      );
      for (const event of page.history?.events ?? []) events.push(event);
      nextPageToken = page.nextPageToken;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  } while (nextPageToken.length > 0);
  return { ...recordedRun(temporal.api.history.v1.History.create({ events })), runId };
}

/** By its id, which is exact: what is listed is some time behind. */
async function currentRun(client: Client, workflowId: string): Promise<ListedRun | undefined> {
  try {
    const { runId, status } = await callTemporal(client, `could not ask for ${workflowId}`, () =>
      client.workflow.getHandle(workflowId).describe(),
    );
    return status.name === 'RUNNING' || status.name === 'PAUSED' ? { workflowId, runId } : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
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

function isNotFound(error: unknown): boolean {
  return grpcCause(error)?.code === GRPC.notFound;
}

/** A server that doesn't know the attribute has never had a batch or a page. */
function isUnknownAttribute(error: unknown): boolean {
  const { code, details = '' } = grpcCause(error) ?? {};
  return code === GRPC.invalidArgument && details.includes(SEARCH_ATTRIBUTES.batcher.name);
}

function grpcCause(error: unknown): { code: number; details: string } | undefined {
  const cause = isKeepapartError(error) ? error.cause : undefined;
  return isGrpcServiceError(cause) ? cause : undefined;
}
