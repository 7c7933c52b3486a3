import type { WorkflowExecutionInfo } from '@temporalio/client';
import type { ChildMemo } from '../../contracts/workflow/child';
import { WORKFLOW_TYPE } from '../../contracts/workflow/ids';
import { SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';
import type { BatchSummary } from '../../contracts/api/answers/batches';
import type { BatchState } from '../../contracts/api/states';
import { batchIdIn } from '../../domain/records/batch';

/** A batch as Temporal describes its child, without reading the history. */
export interface BatchFacts {
  summary: BatchSummary;
  /** The size of each request that has records in the batch. */
  requestSizes: ReadonlyMap<string, number>;
}

/** What a listing and a description have in common. */
export type ExecutionInfo = Pick<
  WorkflowExecutionInfo,
  'type' | 'workflowId' | 'runId' | 'status' | 'typedSearchAttributes' | 'startTime'
> & { memo?: Record<string, unknown> | undefined; closeTime?: Date | undefined };

/**
 * The batches of a child; none if the workflow is of another type. A batch is completed as soon as it has its file,
 * regardless of the other batches.
 */
export function batchesIn(info: ExecutionInfo): BatchFacts[] {
  if (info.type !== WORKFLOW_TYPE.child) return [];
  const { requests = [], batches = [], closed = [] } = (info.memo ?? {}) as unknown as Partial<ChildMemo>;
  const state = stateOf(info.status.name);
  const early = new Map(
    closed.flatMap(({ atMs, batches: wave }) => wave.map((batch) => [batch[0], { atMs, batch }] as const)),
  );
  return batches.map(([flushReason, indexes], i) => {
    const own = indexes.flatMap((index) => requests.slice(index, index + 1));
    const known = early.get(i + 1);
    const completed = known !== undefined || state === 'completed';
    return {
      summary: {
        batchId: batchIdIn(info.workflowId, i + 1, batches.length),
        batcher: info.typedSearchAttributes.get(SEARCH_ATTRIBUTES.batcher) ?? '',
        state: completed ? 'completed' : state,
        flushReason,
        requestIds: own.map(([requestId]) => requestId),
        startedAt: info.startTime.toISOString(),
        closedAt: (known ? new Date(known.atMs) : info.closeTime)?.toISOString() ?? null,
        ...(known ? countsOf(known.batch) : countsOfOnly(info, completed && batches.length === 1)),
        runId: info.runId,
      },
      requestSizes: new Map(own),
    };
  });
}

type Counts = Pick<BatchSummary, 'saved' | 'rolledBack' | 'retries'>;

function countsOf([, saved, rolledBack, retries]: [number, number, number, number]): Counts {
  return { saved, rolledBack, retries };
}

/** Counts of a child's only batch, which its search attributes contain. */
function countsOfOnly({ typedSearchAttributes: attributes }: ExecutionInfo, isKnown: boolean): Counts {
  if (!isKnown) return { saved: null, rolledBack: null, retries: null };
  return {
    saved: attributes.get(SEARCH_ATTRIBUTES.saved) ?? null,
    rolledBack: attributes.get(SEARCH_ATTRIBUTES.rolledBack) ?? null,
    retries: attributes.get(SEARCH_ATTRIBUTES.retries) ?? null,
  };
}

function stateOf(status: ExecutionInfo['status']['name']): BatchState {
  if (status === 'COMPLETED') return 'completed';
  return status === 'RUNNING' || status === 'PAUSED' ? 'running' : 'failed';
}
