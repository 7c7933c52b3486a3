import {
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  log,
  proxyActivities,
  sleep,
  startChild,
  workflowInfo,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import { TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ACTIVITY_TIMEOUTS,
  CHILD_CLOSING,
  completedWith,
  type Activities,
  type ChildClosing,
  type HeldByChild,
  type RecordRun,
} from '../../src/contracts/activities';
import type {
  BatchInChild,
  ChildInput,
  ChildMemo,
  ChildPolicy,
  ChildWorkflow,
} from '../../src/contracts/child';
import { WORKFLOW_TYPE, adoptionTaskQueue } from '../../src/contracts/ids';
import { MIXED_REASONS, SEARCH_ATTRIBUTES, indexedRequestIds } from '../../src/contracts/search-attributes';
import { SAVE_ACTIVITY, type SaveShape } from '../../src/contracts/settings';
import { ruleIndexOf } from '../../src/domain/apart/rule-index';
import { childIdOf } from '../../src/domain/batch';
import {
  bufferedRecordId,
  inOrder,
  putBack,
  removeRecords,
  type BufferedRecord,
} from '../../src/domain/buffer';
import { SECOND } from '../../src/domain/duration';
import { storedReason } from '../../src/domain/explain/cut-reason';
import type { Flush } from '../../src/domain/flush-policy';
import type { RequestDigest } from '../../src/domain/key-window';
import { packBatch } from '../../src/domain/packed-batch';
import { recordIdOf } from '../../src/domain/record';
import { holdFor } from './conflict-scope';
import type { BatcherState } from './state';

/** A child that is settled and ends early again, which only an operator can do to it, is settled again after 1 s, 2 s, … */
const MAX_SETTLE_PAUSE_MS = 300 * SECOND;

/** A child that is in flight, and how it will close. */
export interface StartedChild {
  childId: string;
  closing: Promise<ChildClosing | undefined>;
  /** Whether an earlier run has started it, so that it may hold other batches than those that were to start. */
  adopted: boolean;
  /**
   * Starts it anew to be settled for a reason, where the server doesn't know it any more: only this run has its records.
   * False when its id is taken, as somebody was faster.
   */
  again?: (reason: string) => Promise<boolean>;
}

/**
 * Starts a child under the next free id. An id is taken when this batcher was terminated and starts again at 1 while
 * Temporal still retains children from before; the gap that is skipped doubles each time, so that n used ids cost log n
 * tries, and no id names two batches (G4).
 *
 * It is also taken when this batcher was reset to a point before the start. Then the child holds records that are
 * buffered here again, perhaps cut into other batches, as what came one by one has come at once: it is adopted, its records
 * leave the buffer, and the rest of what was to start waits for the next look.
 */
export async function startOrAdopt(
  state: BatcherState,
  flushes: readonly Flush[],
  shape: SaveShape,
  openedAtMs: number,
): Promise<StartedChild> {
  const requestIds = [
    ...new Set(flushes.flatMap(({ records }) => records.map((record) => record.requestId))),
  ];
  const input = childInput(state, flushes, shape, openedAtMs);
  const records = flushes.flatMap((flush) => flush.records);
  for (let gap = 1; ; gap *= 2) {
    const seq = nextChildSeq(state);
    const childId = childIdOf(workflowInfo().workflowId, seq);
    holdFor(state, seq, records);
    const bulk = input.bulk !== undefined;
    state.inFlight.set(childId, {
      childId,
      batches: flushes.length,
      records: records.length,
      bulk,
      startedAtMs: openedAtMs,
      requestIds,
    });
    try {
      const handle = await startChildWith(childId, input, flushes, requestIds);
      state.counters.batchesStarted += flushes.length;
      const again = (reason: string): Promise<boolean> =>
        startToSettle(childId, { ...input, settle: { reason } }, flushes, requestIds);
      return { childId, closing: childClosing(handle), adopted: false, again };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      const held = await supervising(childId).readChild({ childId });
      state.apart?.held.callOff(seq);
      if (adopt(state, seq, held, records, openedAtMs)) {
        state.counters.batchesStarted += held.batches;
        return { childId, closing: adoptedClosing(childId), adopted: true };
      }
      state.inFlight.delete(childId);
      state.nextChildSeq += gap - 1;
    }
  }
}

/** Of what an earlier batcher has started and this one follows, nothing is to be started again. */
function nextChildSeq(state: BatcherState): number {
  const { workflowId } = workflowInfo();
  while (state.inFlight.has(childIdOf(workflowId, state.nextChildSeq))) state.nextChildSeq++;
  return state.nextChildSeq++;
}

/**
 * What an earlier batcher of this id has left, as somebody terminated it: its keys, and the children that have not
 * completed, with what they hold.
 */
export async function findLeft(): Promise<{
  children: [childId: string, held: HeldByChild][];
  keys: RequestDigest[];
}> {
  const { workflowId } = workflowInfo();
  const { childIds, keys } = await supervising(workflowId).findLeft({ batcher: workflowId });
  const children = await Promise.all(
    childIds.map(async (childId): Promise<[string, HeldByChild]> => [
      childId,
      await supervising(childId).readChild({ childId }),
    ]),
  );
  return { children, keys };
}

/** Puts such a child in flight. After a reset some of its records are buffered here as well, and leave the buffer. */
export function takeOverChild(
  state: BatcherState,
  childId: string,
  { batches, bulk, records: runs }: HeldByChild,
): void {
  const { head, tail } = state.buffer;
  const records = runs.reduce((sum, [, , count]) => sum + count, 0);
  const ids = countIds(runs);
  const known = removeRecords(head, ids).length + removeRecords(tail, ids).length;
  state.counters.accepted += records - known;
  state.counters.batchesStarted += batches;
  state.inFlight.set(childId, { childId, batches, records, bulk, startedAtMs: 0, requestIds: [] });
}

/**
 * Takes over a child that was started before, if any of its records is among those that were to start or are buffered.
 * Several records may have the same id, where a key was forgotten: the child then has the oldest.
 */
function adopt(
  state: BatcherState,
  seq: number,
  { batches, bulk, records: runs }: HeldByChild,
  toStart: readonly BufferedRecord[],
  startedAtMs: number,
): boolean {
  const { head, tail } = state.buffer;
  const ids = countIds(runs);
  const isHeld = (record: BufferedRecord) => ids.has(bufferedRecordId(record));
  if (![toStart, inOrder(head), inOrder(tail)].some((records) => records.some(isHeld))) return false;
  putBack(head, toStart);
  const taken = [...removeRecords(head, ids), ...removeRecords(tail, ids)];
  holdFor(state, seq, taken);
  const childId = childIdOf(workflowInfo().workflowId, seq);
  const requestIds = [...new Set(runs.map(([requestId]) => requestId))];
  state.inFlight.set(childId, { childId, batches, records: taken.length, bulk, startedAtMs, requestIds });
  return true;
}

/** How often each record is there. */
function countIds(runs: readonly RecordRun[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [requestId, first, length] of runs) {
    for (let index = first; index < first + length; index++) {
      const id = recordIdOf(requestId, index);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  }
  return counts;
}

function startChildWith(
  workflowId: string,
  input: ChildInput,
  flushes: readonly Flush[],
  requestIds: readonly string[],
): Promise<ChildWorkflowHandle<ChildWorkflow>> {
  const reasons = new Set(flushes.map(({ reason }) => reason));
  const [first] = reasons;
  const reason = first !== undefined && reasons.size === 1 ? first : MIXED_REASONS;
  return startChild<ChildWorkflow>(WORKFLOW_TYPE.child, {
    workflowId,
    args: [input],
    memo: { ...childMemo(flushes, requestIds) },
    parentClosePolicy: ParentClosePolicy.ABANDON,
    workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
    staticSummary: summaryOf(flushes, reason, requestIds),
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_ATTRIBUTES.batcher, value: workflowInfo().workflowId },
      { key: SEARCH_ATTRIBUTES.flushReason, value: reason },
      { key: SEARCH_ATTRIBUTES.requestIds, value: indexedRequestIds(requestIds) },
    ]),
  });
}

function childInput(
  state: BatcherState,
  flushes: readonly Flush[],
  shape: SaveShape,
  openedAtMs: number,
): ChildInput {
  const policy = policyFor(state, flushes, shape);
  const batches = flushes.map(({ reason, records, cut }): BatchInChild => ({
    flushReason: reason,
    records: packBatch(records),
    ...(cut !== undefined && { cut: storedReason(cut, policy.cutBy.rules) }),
  }));
  return { openedAtMs, batches, ...policy };
}

function policyFor(
  { settings, saving }: BatcherState,
  flushes: readonly Flush[],
  shape: SaveShape,
): ChildPolicy {
  const { maxAttempts, retryIntervalMs, outcomeFormat, onFailure, maxBatchSize, conflicts } = settings;
  const records = flushes.flatMap((flush) => flush.records);
  return {
    maxAttempts,
    retryIntervalMs,
    outcomeFormat,
    onFailure,
    cutBy: { maxBatchSize, rules: ruleIndexOf(conflicts).applyingTo(records) },
    ...(shape === SAVE_ACTIVITY.batch && { bulk: saving.due === null ? {} : { due: saving.due } }),
  };
}

function childMemo(flushes: readonly Flush[], requestIds: readonly string[]): ChildMemo {
  const sizes = new Map(
    flushes.flatMap(({ records }) => records.map((record) => [record.requestId, record.requestSize])),
  );
  const indexes = new Map(requestIds.map((requestId, index) => [requestId, index]));
  return {
    requests: requestIds.map((requestId) => [requestId, sizes.get(requestId) ?? 0]),
    batches: flushes.map(({ reason, records }) => [
      reason,
      [...new Set(records.map(({ requestId }) => indexes.get(requestId) ?? 0))],
    ]),
  };
}

function summaryOf(flushes: readonly Flush[], reason: string, requestIds: readonly string[]): string {
  const batches = flushes.length === 1 ? '' : `${flushes.length} batches, `;
  const records = flushes.reduce((sum, flush) => sum + flush.records.length, 0);
  const from = requestIds.length === 1 ? `request ${requestIds[0]}` : `${requestIds.length} requests`;
  return `${batches}${records} records (${reason}) from ${from}`;
}

/** Waits for a child that this run has started. Every way in which it can close is an answer. */
async function childClosing(handle: ChildWorkflowHandle<ChildWorkflow>): Promise<ChildClosing | undefined> {
  try {
    return completedWith(await handle.result());
  } catch (error) {
    log.warn('a child closed without completing', { childId: handle.workflowId, error });
    return undefined;
  }
}

/** Waits for a child that another run has started, or an activity that settles it. */
export async function adoptedClosing(childId: string): Promise<ChildClosing | undefined> {
  try {
    return await supervising(childId).adoptChild({ childId });
  } catch (error) {
    log.warn('an adopted child could not be followed to its end', { childId, error });
    return undefined;
  }
}

const DELETED = 'its batch was deleted by an operator';

async function startToSettle(
  childId: string,
  input: ChildInput,
  flushes: readonly Flush[],
  requestIds: readonly string[],
): Promise<boolean> {
  try {
    await startChildWith(childId, input, flushes, requestIds);
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

/**
 * Has a child that closed without completing settled, so that its records get an outcome (G4).
 * @param onEarlyEnd called each time it closes without completing, this time included
 * @param again starts one that was deleted anew; see {@link StartedChild}
 * @returns how it closed in the end; not completed only when nobody knows it any more
 */
export async function settleIfNeeded(
  childId: string,
  closing: ChildClosing | undefined,
  onEarlyEnd: () => void,
  again?: (reason: string) => Promise<boolean>,
): Promise<ChildClosing | undefined> {
  let last = closing;
  for (let pauseMs = 1 * SECOND; last?.status !== CHILD_CLOSING.completed; pauseMs *= 2) {
    onEarlyEnd();
    if (pauseMs > 1 * SECOND) await sleep(Math.min(pauseMs, MAX_SETTLE_PAUSE_MS));
    if (!(await supervising(childId).restartChild({ childId }))) {
      if (again === undefined) return last;
      await again(DELETED);
    }
    last = await adoptedClosing(childId);
  }
  return last;
}

function supervising(childId: string) {
  return proxyActivities<Activities>({
    taskQueue: adoptionTaskQueue(workflowInfo().taskQueue),
    startToCloseTimeout: ACTIVITY_TIMEOUTS.adoptMs,
    heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
    summary: childId,
  });
}
