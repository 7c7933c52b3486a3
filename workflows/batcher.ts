/*
 * batcherWorkflow: the entity that owns one shard's buffer. One per shard, id `BATCHER_ID-<shard>`, for ever.
 *
 * Signal handlers only append to state and set `changed`; one loop owns every flush. What the loop waits for:
 *
 *   empty        nothing buffered, nothing due                      ► a signal
 *   filling      records buffered, no full batch, none due          ► a signal, or the timer of the oldest record
 *   pacing       a batch may go, the last one started too recently  ► the timer of BATCH_SPACING_MS
 *   saturated    MAX_IN_FLIGHT batches in flight                    ► a batch that closes
 *   paused       by an operator                                     ► resume
 *   handing over this run has grown long: nothing starts any more   ► starts under way, then continue-as-new
 *
 * What it trades: batches are children with ParentClosePolicy ABANDON, so neither their length nor their fate touches
 * this workflow. Within a run it awaits their results; across continue-as-new it carries their ids, and the next run
 * adopts each with a long-polling activity, so that a slow batch never delays the handing over. There is one timer at a
 * time; a timer that turns out to be early wakes the loop for nothing, which costs less history than cancelling it.
 */
import {
  CancellationScope,
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  condition,
  continueAsNew,
  log,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ACTIVITY_TIMEOUTS,
  BATCH_CLOSING,
  type Activities,
  type BatchClosing,
} from '../src/contracts/activities';
import type { BatchInput, BatchMemo, BatchWorkflow } from '../src/contracts/batch';
import {
  addRecordsSignal,
  configureSignal,
  flushSignal,
  pauseSignal,
  requestQuery,
  resumeSignal,
  statusQuery,
  type BatcherInput,
  type BatcherWorkflow,
  type InFlightBatch,
} from '../src/contracts/batcher';
import { WORKFLOW_TYPE, adoptionTaskQueue } from '../src/contracts/ids';
import { SEARCH_ATTRIBUTES, indexedRequestIds } from '../src/contracts/search-attributes';
import { batchIdOf } from '../src/domain/batch';
import { appendRequest, bufferedRecordId, flushAll, uncutAll } from '../src/domain/buffer';
import { takeFlushes, type Flush } from '../src/domain/flush-policy';
import { tallyOutcomes } from '../src/domain/outcome';
import {
  carriedFrom,
  describeBatcher,
  freeSlots,
  handOverDue,
  nextWakeAtMs,
  recordClosing,
  restoreBatcher,
  statusOf,
  traceOf,
} from './batcher-state';

/** A cancellation is not obeyed: it would lose acknowledged records (G3). Pause it, or terminate it knowingly. */
export async function batcherWorkflow(input: BatcherInput): Promise<void> {
  await CancellationScope.nonCancellable(() => runBatcher(input));
}

async function runBatcher(input: BatcherInput): Promise<void> {
  const { workflowId, taskQueue } = workflowInfo();
  const state = restoreBatcher(input, workflowInfo());
  /** Set by whatever gives the loop something to look at. True at first: a carried buffer may hold due records. */
  let changed = true;
  let timerAtMs: number | undefined;
  let startsUnderWay = 0;

  setHandler(addRecordsSignal, (requests) => {
    for (const request of requests) {
      appendRequest(state.buffer, request, Date.now());
      state.counters.accepted += request.values.length;
    }
    noteMessage();
  });
  setHandler(configureSignal, (settings) => {
    state.settings = settings;
    uncutAll(state.buffer);
    noteMessage();
  });
  setHandler(flushSignal, () => {
    flushAll(state.buffer);
    noteMessage();
  });
  setHandler(pauseSignal, (action) => {
    state.paused = action;
    showState();
    noteMessage();
  });
  setHandler(resumeSignal, () => {
    state.paused = null;
    showState();
    noteMessage();
  });
  setHandler(statusQuery, () => statusOf(state, workflowInfo()));
  setHandler(requestQuery, (requestId) => traceOf(state, requestId));

  if (input.carried === undefined) showState();
  for (const batch of state.inFlight.values()) void adopt(batch);

  for (;;) {
    await condition(() => changed);
    changed = false;
    if (handOverDue(state, workflowInfo())) {
      await condition(() => startsUnderWay === 0);
      // Signals may have come meanwhile and made the state too large to be carried: then it is flushed first.
      if (handOverDue(state, workflowInfo())) {
        const { settings } = state;
        await continueAsNew<BatcherWorkflow>({ ...input, settings, carried: carriedFrom(state) });
      }
    }
    for (const flush of takeFlushes(state.buffer, state.settings, Date.now(), freeSlots(state, Date.now()))) {
      void runBatch(flush);
    }
    armTimer();
    setCurrentDetails(describeBatcher(state));
  }

  function noteMessage(): void {
    state.messages++;
    changed = true;
  }

  function showState(): void {
    upsertSearchAttributes([
      { key: SEARCH_ATTRIBUTES.batcher, value: workflowId },
      { key: SEARCH_ATTRIBUTES.batcherState, value: state.paused === null ? 'running' : 'paused' },
    ]);
  }

  function armTimer(): void {
    const wakeAtMs = nextWakeAtMs(state, Date.now());
    if (wakeAtMs === undefined || (timerAtMs !== undefined && timerAtMs <= wakeAtMs)) return;
    timerAtMs = wakeAtMs;
    void sleep(Math.max(1, wakeAtMs - Date.now())).then(() => {
      if (timerAtMs === wakeAtMs) timerAtMs = undefined;
      changed = true;
    });
  }

  /** Starts a batch and releases its slot when it has closed, in whatever way. */
  async function runBatch(flush: Flush): Promise<void> {
    const openedAtMs = Date.now();
    state.lastBatchStartedAtMs = openedAtMs;
    state.counters.batchesStarted++;
    const requestIds = [...new Set(flush.records.map((record) => record.requestId))];
    const handle = await startUnderFreeId(flush, requestIds, openedAtMs);
    try {
      const { outcomes } = await handle.result();
      release(handle.workflowId, { status: BATCH_CLOSING.completed, ...tallyOutcomes(outcomes) });
    } catch (error) {
      log.warn('a batch closed without completing', { batchId: handle.workflowId, error });
      release(handle.workflowId, undefined);
    }
  }

  /**
   * Starts the child under the next free id. An id is taken when this batcher was terminated and starts anew at 1 while
   * Temporal still retains batches of before: the gap that is skipped doubles each time, so that n used ids cost log n
   * tries, and no id names two batches (G4).
   */
  async function startUnderFreeId(flush: Flush, requestIds: string[], openedAtMs: number) {
    startsUnderWay++;
    try {
      for (let gap = 1; ; gap *= 2) {
        const batchId = batchIdOf(workflowId, state.nextBatchSeq);
        state.nextBatchSeq++;
        state.inFlight.set(batchId, { batchId, requestIds });
        try {
          return await startBatch(batchId, flush, requestIds, openedAtMs);
        } catch (error) {
          if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
          state.inFlight.delete(batchId);
          state.nextBatchSeq += gap - 1;
        }
      }
    } finally {
      startsUnderWay--;
      changed = true;
    }
  }

  function startBatch(batchId: string, flush: Flush, requestIds: string[], openedAtMs: number) {
    const { maxAttempts, retryIntervalMs, outcomeFormat } = state.settings;
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

  async function adopt({ batchId }: InFlightBatch): Promise<void> {
    const { adoptBatch } = proxyActivities<Activities>({
      taskQueue: adoptionTaskQueue(taskQueue),
      startToCloseTimeout: ACTIVITY_TIMEOUTS.adoptMs,
      heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
      retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
      summary: batchId,
    });
    try {
      release(batchId, await adoptBatch({ batchId }));
    } catch (error) {
      log.warn('an adopted batch could not be followed to its end', { batchId, error });
      release(batchId, undefined);
    }
  }

  function release(batchId: string, closing: BatchClosing | undefined): void {
    recordClosing(state, batchId, closing);
    changed = true;
  }
}

function summaryOf(flush: Flush, requestIds: readonly string[]): string {
  const of = requestIds.length === 1 ? `request ${requestIds[0]}` : `${requestIds.length} requests`;
  return `${flush.records.length} records (${flush.reason}) of ${of}`;
}
