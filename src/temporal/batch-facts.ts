import type { WorkflowExecutionInfo } from '@temporalio/client';
import type { BatchGroupMemo, BatchMemo } from '../contracts/batch';
import { WORKFLOW_TYPE } from '../contracts/ids';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';
import type { BatchState, BatchSummary } from '../contracts/views';
import { idInGroup } from '../domain/batch';
import type { FlushReason } from '../domain/batch';

/** A batch as Temporal tells it without its history. */
export interface BatchFacts {
  summary: BatchSummary;
  requestSizes: Record<string, number>;
}

/** What a listing and a description have in common. */
export type ExecutionInfo = Pick<
  WorkflowExecutionInfo,
  'type' | 'workflowId' | 'runId' | 'status' | 'typedSearchAttributes' | 'startTime'
> & { memo?: Record<string, unknown> | undefined; closeTime?: Date | undefined };

/** The batches that a workflow holds: none where it isn't of that kind. */
export function batchesIn(info: ExecutionInfo): BatchFacts[] {
  if (info.type === WORKFLOW_TYPE.batch) return [factsOfBatch(info)];
  return info.type === WORKFLOW_TYPE.batchGroup ? factsOfGroup(info) : [];
}

function factsOfBatch(info: ExecutionInfo): BatchFacts {
  const attributes = info.typedSearchAttributes;
  const state = stateOf(info.status.name);
  const known = <T>(value: T | undefined): T | null => (state === 'completed' ? (value ?? null) : null);
  const { requestSizes = {} } = (info.memo ?? {}) as unknown as Partial<BatchMemo>;
  return {
    summary: {
      batchId: info.workflowId,
      batcher: attributes.get(SEARCH_ATTRIBUTES.batcher) ?? '',
      state,
      flushReason: (attributes.get(SEARCH_ATTRIBUTES.flushReason) ?? '') as FlushReason,
      // The attribute leaves them out where they are too many.
      requestIds: Object.keys(requestSizes),
      startedAt: info.startTime.toISOString(),
      closedAt: info.closeTime?.toISOString() ?? null,
      saved: known(attributes.get(SEARCH_ATTRIBUTES.saved)),
      rolledBack: known(attributes.get(SEARCH_ATTRIBUTES.rolledBack)),
      retries: known(attributes.get(SEARCH_ATTRIBUTES.retries)),
      runId: info.runId,
    },
    requestSizes,
  };
}

/** A batch of a group is completed as soon as it has its file, whatever becomes of the others. */
function factsOfGroup(info: ExecutionInfo): BatchFacts[] {
  const {
    requests = [],
    batches = [],
    closed = {},
  } = (info.memo ?? {}) as unknown as Partial<BatchGroupMemo>;
  const batcher = info.typedSearchAttributes.get(SEARCH_ATTRIBUTES.batcher) ?? '';
  const state = stateOf(info.status.name);
  return batches.map(([flushReason, places], i) => {
    const own = places.flatMap((place) => requests.slice(place, place + 1));
    const ended = closed[i + 1];
    return {
      summary: {
        batchId: idInGroup(info.workflowId, i + 1),
        batcher,
        state: ended === undefined ? state : 'completed',
        flushReason,
        requestIds: own.map(([requestId]) => requestId),
        startedAt: info.startTime.toISOString(),
        closedAt:
          ended === undefined ? (info.closeTime?.toISOString() ?? null) : new Date(ended.atMs).toISOString(),
        saved: ended?.saved ?? null,
        rolledBack: ended?.rolledBack ?? null,
        retries: ended?.retries ?? null,
        runId: info.runId,
      },
      requestSizes: Object.fromEntries(own),
    };
  });
}

function stateOf(status: ExecutionInfo['status']['name']): BatchState {
  if (status === 'COMPLETED') return 'completed';
  return status === 'RUNNING' || status === 'PAUSED' ? 'running' : 'failed';
}
