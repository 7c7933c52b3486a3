import {
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowExecutionInfo,
} from '@temporalio/client';
import { LRUCache } from 'lru-cache';
import type { Activities } from '../contracts/activities';
import type { BatchInput, BatchMemo, BatchResult, BatchWorkflow } from '../contracts/batch';
import { WORKFLOW_TYPE } from '../contracts/ids';
import { MORE_REQUEST_IDS, SEARCH_ATTRIBUTES } from '../contracts/search-attributes';
import type { BatchState, BatchSummary } from '../contracts/views';
import type { FlushReason } from '../domain/batch';
import { inputOf, readStart } from './first-event';
import { callTemporal } from './rpc';

/** A batch as Temporal tells it without its history. */
export interface BatchFacts {
  summary: BatchSummary;
  requestSizes: Record<string, number>;
}

/** One run of a batch's workflow. */
export type BatchRun = Pick<BatchSummary, 'batchId' | 'runId'>;

/** How far the save of a record has come that isn't through yet. */
export interface PendingSave {
  /** The attempt that runs or is waited for, from 1. */
  attempt: number;
  /** What the attempt before it failed with. */
  error: string | undefined;
}

/** Results never change, and clients poll: the last few thousand are kept (some hundred bytes each). */
const CACHED_RESULTS = 5000;

/** Reads batches out of Temporal: the only copy of the truth about them besides their files. */
export function createBatchReader(client: Client) {
  const results = new LRUCache<string, BatchResult>({ max: CACHED_RESULTS });

  return {
    /** `undefined` when there is no workflow of that id or it isn't a batch. */
    async facts(batchId: string): Promise<(BatchFacts & { pending: Map<string, PendingSave> }) | undefined> {
      try {
        const info = await callTemporal(client, `could not ask for batch ${batchId}`, () =>
          client.workflow.getHandle(batchId).describe(),
        );
        if (info.type !== WORKFLOW_TYPE.batch) return undefined;
        return { ...factsOf(info), pending: pendingSaves(info.raw.pendingActivities ?? []) };
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return undefined;
        throw error;
      }
    },

    /** The result of a batch that completed. */
    async result({ batchId, runId }: BatchRun): Promise<BatchResult> {
      const cached = results.get(runId);
      if (cached !== undefined) return cached;
      const result = await callTemporal(client, `could not read the outcomes of batch ${batchId}`, () =>
        client.workflow.getHandle<BatchWorkflow>(batchId, runId).result(),
      );
      results.set(runId, result);
      return result;
    },

    /** What the batch was started with, records and all: from the first event of its history. */
    async input({ batchId, runId }: BatchRun): Promise<BatchInput> {
      return inputOf(await readStart(client, batchId, runId), batchId) as BatchInput;
    },
  };
}

export type BatchReader = ReturnType<typeof createBatchReader>;

/** By recordId, which is the id of the activity that saves it. */
function pendingSaves(activities: readonly PendingActivity[]): Map<string, PendingSave> {
  return new Map(
    activities
      .filter(({ activityType }) => activityType?.name === SAVE)
      .map(({ activityId, attempt, lastFailure }) => [
        activityId ?? '',
        { attempt: attempt ?? 1, error: lastFailure?.message ?? undefined },
      ]),
  );
}

type PendingActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];
const SAVE: keyof Activities = 'save';

/** A visibility query's string literal. */
export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Selects the batches that hold, or may hold, records of a request. */
export function batchesOfRequest(requestId: string): string {
  return `WorkflowType = ${literal(WORKFLOW_TYPE.batch)} AND ${holdingAnyOf([requestId])}`;
}

/** The condition that a batch holds, or may hold, records of these requests; see `indexedRequestIds`. */
export function holdingAnyOf(requestIds: readonly string[]): string {
  const ids = [...requestIds, MORE_REQUEST_IDS].map(literal).join(', ');
  return `${SEARCH_ATTRIBUTES.requestIds.name} IN (${ids})`;
}

/** What a listing and a description have in common. */
type ExecutionInfo = Pick<
  WorkflowExecutionInfo,
  'workflowId' | 'runId' | 'status' | 'typedSearchAttributes' | 'startTime'
> & { memo?: Record<string, unknown> | undefined; closeTime?: Date | undefined };

export function factsOf(info: ExecutionInfo): BatchFacts {
  const attributes = info.typedSearchAttributes;
  const state = stateOf(info.status.name);
  const known = <T>(value: T | undefined): T | null => (state === 'completed' ? (value ?? null) : null);
  const memo = info.memo as unknown as BatchMemo | undefined;
  return {
    summary: {
      batchId: info.workflowId,
      batcher: attributes.get(SEARCH_ATTRIBUTES.batcher) ?? '',
      state,
      flushReason: (attributes.get(SEARCH_ATTRIBUTES.flushReason) ?? '') as FlushReason,
      // The attribute leaves them out where they are too many.
      requestIds: Object.keys(memo?.requestSizes ?? {}),
      startedAt: info.startTime.toISOString(),
      closedAt: info.closeTime?.toISOString() ?? null,
      saved: known(attributes.get(SEARCH_ATTRIBUTES.saved)),
      rolledBack: known(attributes.get(SEARCH_ATTRIBUTES.rolledBack)),
      retries: known(attributes.get(SEARCH_ATTRIBUTES.retries)),
      runId: info.runId,
    },
    requestSizes: memo?.requestSizes ?? {},
  };
}

function stateOf(status: WorkflowExecutionInfo['status']['name']): BatchState {
  if (status === 'COMPLETED') return 'completed';
  return status === 'RUNNING' || status === 'PAUSED' ? 'running' : 'failed';
}
