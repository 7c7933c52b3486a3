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
import {
  countClosed,
  type BatchGroupInput,
  type BatchGroupMemo,
  type BatchGroupWorkflow,
  type BatchInput,
  type BatchPolicy,
  type BatchWorkflow,
} from '../src/contracts/batch';
import { WORKFLOW_TYPE, adoptionTaskQueue } from '../src/contracts/ids';
import { MIXED_REASONS, SEARCH_ATTRIBUTES, indexedRequestIds } from '../src/contracts/search-attributes';
import { SAVE_ACTIVITY } from '../src/contracts/settings';
import { ruleIndexOf } from '../src/domain/apart/rule-index';
import { batchIdOf } from '../src/domain/batch';
import { bufferedRecordId } from '../src/domain/buffer';
import { SECOND } from '../src/domain/duration';
import { storedReason } from '../src/domain/explain/cut-reason';
import type { Flush } from '../src/domain/flush-policy';
import { packBatch } from '../src/domain/packed-batch';
import type { BatcherState } from './batcher-state';
import { saveActivityFor } from './child-bounds';
import { holdFor } from './conflict-scope';

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
  flushes: readonly Flush[],
  openedAtMs: number,
): Promise<ChildHandle> {
  const requestIds = [
    ...new Set(flushes.flatMap(({ records }) => records.map((record) => record.requestId))),
  ];
  for (let gap = 1; ; gap *= 2) {
    const seq = state.nextBatchSeq++;
    const batchId = batchIdOf(workflowInfo().workflowId, seq);
    holdFor(state, seq, flushes);
    const several = flushes.length > 1 && { batches: flushes.length };
    state.inFlight.set(batchId, { batchId, requestIds, ...several });
    try {
      return await startChildWith(batchId, state, flushes, requestIds, openedAtMs);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      state.inFlight.delete(batchId);
      state.apart?.held.callOff(seq);
      state.nextBatchSeq += gap - 1;
    }
  }
}

type ChildHandle = ChildWorkflowHandle<BatchWorkflow> | ChildWorkflowHandle<BatchGroupWorkflow>;

function startChildWith(
  workflowId: string,
  state: BatcherState,
  flushes: readonly Flush[],
  requestIds: readonly string[],
  openedAtMs: number,
): Promise<ChildHandle> {
  const [first, ...others] = flushes;
  if (first === undefined) throw new TypeError('a child holds a batch at least');
  const records = flushes.reduce((sum, flush) => sum + flush.records.length, 0);
  const reason = others.every((flush) => flush.reason === first.reason) ? first.reason : MIXED_REASONS;
  const options = {
    workflowId,
    parentClosePolicy: ParentClosePolicy.ABANDON,
    workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
    staticSummary: summaryOf(flushes.length, records, reason, requestIds),
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_ATTRIBUTES.batcher, value: workflowInfo().workflowId },
      { key: SEARCH_ATTRIBUTES.flushReason, value: reason },
      { key: SEARCH_ATTRIBUTES.requestIds, value: indexedRequestIds(requestIds) },
    ]),
  };
  const policy = policyFor(state, flushes);
  if (others.length > 0) {
    return startChild<BatchGroupWorkflow>(WORKFLOW_TYPE.batchGroup, {
      ...options,
      args: [groupInput(flushes, policy, openedAtMs)],
      memo: { ...groupMemo(flushes, requestIds) },
    });
  }
  return startChild<BatchWorkflow>(WORKFLOW_TYPE.batch, {
    ...options,
    args: [batchInput(workflowId, first, policy, openedAtMs)],
    memo: { requestSizes: sizesOf([first]) },
  });
}

function policyFor(state: BatcherState, flushes: readonly Flush[]): BatchPolicy {
  const { settings } = state;
  const records = flushes.flatMap((flush) => flush.records);
  const { maxAttempts, retryIntervalMs, outcomeFormat, onFailure } = settings;
  const saveActivity = saveActivityFor(records.length, settings);
  return {
    maxAttempts,
    retryIntervalMs,
    outcomeFormat,
    onFailure,
    ...cutByOf(state, records),
    ...(saveActivity !== SAVE_ACTIVITY.regular && { saveActivity }),
  };
}

/**
 * What stands with the batches of a workflow. Not in a run that may start any number of batches in one task, as those of
 * before 0.3.0: rules may take 64 KiB, and what a task starts is one message, of which the server takes 4 MiB.
 */
function cutByOf({ settings, limits }: BatcherState, records: Flush['records']): Pick<BatchPolicy, 'cutBy'> {
  if (limits.startsUnderWay === undefined) return {};
  const { maxBatchSize, conflicts } = settings;
  return { cutBy: { maxBatchSize, rules: ruleIndexOf(conflicts).applyingTo(records) } };
}

function batchInput(batchId: string, flush: Flush, policy: BatchPolicy, openedAtMs: number): BatchInput {
  const records = flush.records.map((record) => ({
    recordId: bufferedRecordId(record),
    value: record.value,
  }));
  return {
    batch: { batchId, openedAtMs, flushReason: flush.reason, records },
    ...policy,
    ...cutOf(flush, policy),
  };
}

/** Why a batch was cut where it was, where what it was cut by stands with it too. */
function cutOf({ cut }: Flush, { cutBy }: BatchPolicy): Pick<BatchInput, 'cut'> {
  return cut && cutBy ? { cut: storedReason(cut, cutBy.rules) } : {};
}

function groupInput(flushes: readonly Flush[], policy: BatchPolicy, openedAtMs: number): BatchGroupInput {
  const batches = flushes.map((flush) => ({
    flushReason: flush.reason,
    records: packBatch(flush.records),
    ...cutOf(flush, policy),
  }));
  return { openedAtMs, batches, ...policy };
}

function groupMemo(flushes: readonly Flush[], requestIds: readonly string[]): BatchGroupMemo {
  const sizes = sizesOf(flushes);
  const places = new Map(requestIds.map((requestId, place) => [requestId, place]));
  return {
    requests: requestIds.map((requestId) => [requestId, sizes[requestId] ?? 0]),
    batches: flushes.map(({ reason, records }) => [
      reason,
      [...new Set(records.map(({ requestId }) => places.get(requestId) ?? 0))],
    ]),
  };
}

function sizesOf(flushes: readonly Flush[]): Record<string, number> {
  return Object.fromEntries(
    flushes.flatMap(({ records }) => records.map((record) => [record.requestId, record.requestSize])),
  );
}

function summaryOf(batches: number, records: number, reason: string, requestIds: readonly string[]): string {
  const of = requestIds.length === 1 ? `request ${requestIds[0]}` : `${requestIds.length} requests`;
  return `${batches > 1 ? `${batches} batches, ` : ''}${records} records (${reason}) of ${of}`;
}

/** Waits for a child that this run has started. Every way in which it can close is an answer. */
export async function childClosing(handle: ChildHandle): Promise<BatchClosing | undefined> {
  try {
    return { status: BATCH_CLOSING.completed, ...countClosed(await handle.result()) };
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
