import {
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  log,
  patched,
  proxyActivities,
  sleep,
  startChild,
  workflowInfo,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import { TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ACTIVITY_TIMEOUTS,
  BATCH_CLOSING,
  type Activities,
  type BatchClosing,
} from '../src/contracts/activities';
import type { BatchInput, BatchMemo, BatchWorkflow } from '../src/contracts/batch';
import { WORKFLOW_TYPE, adoptionTaskQueue } from '../src/contracts/ids';
import { SEARCH_ATTRIBUTES, indexedRequestIds } from '../src/contracts/search-attributes';
import { SAVE_ACTIVITY } from '../src/contracts/settings';
import { batchIdOf } from '../src/domain/batch';
import { bufferedRecordId } from '../src/domain/buffer';
import { SECOND } from '../src/domain/duration';
import type { Flush } from '../src/domain/flush-policy';
import { tallyOutcomes } from '../src/domain/outcome';
import type { BatcherState } from './batcher-state';
import { saveActivityFor } from './child-bounds';

/** Histories of 0.1.0 may hold a batch that closed without completing, and nothing that followed from it. */
const SETTLES_CLOSED_BATCHES = 'settle-closed-batches';

/** A batch that is settled and ends early again, as only somebody's hand makes it, is settled again after 1 s, 2 s, … */
const MAX_SETTLE_PAUSE_MS = 300 * SECOND;

/**
 * Starts the child under the next free id. An id is taken when this batcher was terminated and starts anew at 1 while
 * Temporal still retains batches of before: the gap that is skipped doubles each time, so that n used ids cost log n
 * tries, and no id names two batches (G4).
 */
export async function startUnderFreeId(
  state: BatcherState,
  flush: Flush,
  openedAtMs: number,
): Promise<ChildWorkflowHandle<BatchWorkflow>> {
  const requestIds = [...new Set(flush.records.map((record) => record.requestId))];
  for (let gap = 1; ; gap *= 2) {
    const batchId = batchIdOf(workflowInfo().workflowId, state.nextBatchSeq);
    state.nextBatchSeq++;
    state.inFlight.set(batchId, { batchId, requestIds });
    try {
      return await startBatch(batchId, state, flush, requestIds, openedAtMs);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      state.inFlight.delete(batchId);
      state.nextBatchSeq += gap - 1;
    }
  }
}

function startBatch(
  batchId: string,
  { settings }: BatcherState,
  flush: Flush,
  requestIds: readonly string[],
  openedAtMs: number,
) {
  const { workflowId } = workflowInfo();
  const { maxAttempts, retryIntervalMs, outcomeFormat, onFailure } = settings;
  const saveActivity = saveActivityFor(flush.records.length, settings);
  const input: BatchInput = {
    batch: {
      batchId,
      openedAtMs,
      flushReason: flush.reason,
      records: flush.records.map((record) => ({ recordId: bufferedRecordId(record), value: record.value })),
    },
    maxAttempts,
    retryIntervalMs,
    outcomeFormat,
    onFailure,
    ...(saveActivity !== SAVE_ACTIVITY.regular && { saveActivity }),
  };
  const memo: BatchMemo = {
    requestSizes: Object.fromEntries(flush.records.map((record) => [record.requestId, record.requestSize])),
  };
  return startChild<BatchWorkflow>(WORKFLOW_TYPE.batch, {
    workflowId: batchId,
    args: [input],
    memo: { ...memo },
    parentClosePolicy: ParentClosePolicy.ABANDON,
    workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
    staticSummary: summaryOf(flush, requestIds),
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_ATTRIBUTES.batcher, value: workflowId },
      { key: SEARCH_ATTRIBUTES.flushReason, value: flush.reason },
      { key: SEARCH_ATTRIBUTES.requestIds, value: indexedRequestIds(requestIds) },
    ]),
  });
}

function summaryOf(flush: Flush, requestIds: readonly string[]): string {
  const of = requestIds.length === 1 ? `request ${requestIds[0]}` : `${requestIds.length} requests`;
  return `${flush.records.length} records (${flush.reason}) of ${of}`;
}

/** Waits for a batch that this run has started. Every way in which it can close is an answer. */
export async function childClosing(
  handle: ChildWorkflowHandle<BatchWorkflow>,
): Promise<BatchClosing | undefined> {
  try {
    const { outcomes } = await handle.result();
    return { status: BATCH_CLOSING.completed, ...tallyOutcomes(outcomes) };
  } catch (error) {
    log.warn('a batch closed without completing', { batchId: handle.workflowId, error });
    return undefined;
  }
}

/** Waits for a batch that another run has started, or whoever settles it. */
export async function adoptedClosing(batchId: string): Promise<BatchClosing | undefined> {
  const { adoptBatch } = supervising(batchId);
  try {
    return await adoptBatch({ batchId });
  } catch (error) {
    log.warn('an adopted batch could not be followed to its end', { batchId, error });
    return undefined;
  }
}

/**
 * Has a batch that closed without completing settled, so that its records get an outcome (G4).
 * @param onEarlyEnd told each time it closes without completing, this time included
 * @returns how it closed in the end; not completed only when nothing is known of it any more
 */
export async function settleIfNeeded(
  batchId: string,
  closing: BatchClosing | undefined,
  onEarlyEnd: () => void,
): Promise<BatchClosing | undefined> {
  let last = closing;
  for (let pauseMs = 1 * SECOND; last?.status !== BATCH_CLOSING.completed; pauseMs *= 2) {
    onEarlyEnd();
    if (!patched(SETTLES_CLOSED_BATCHES)) return last;
    if (pauseMs > 1 * SECOND) await sleep(Math.min(pauseMs, MAX_SETTLE_PAUSE_MS));
    const { restartBatch } = supervising(batchId);
    if (!(await restartBatch({ batchId }))) return last;
    last = await adoptedClosing(batchId);
  }
  return last;
}

function supervising(batchId: string) {
  return proxyActivities<Activities>({
    taskQueue: adoptionTaskQueue(workflowInfo().taskQueue),
    startToCloseTimeout: ACTIVITY_TIMEOUTS.adoptMs,
    heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
    summary: batchId,
  });
}
