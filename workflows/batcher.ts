/*
 * batcherWorkflow: the entity that owns one shard's buffer. One per shard, id `BATCHER_ID-<shard>`, for ever.
 *
 * Signal handlers only append to state and set `changed`; one loop owns every flush. What the loop waits for:
 *
 *   empty        nothing buffered, nothing due                      ► a signal
 *   filling      records buffered, no full batch, none due          ► a signal, or the timer of the oldest record
 *   pacing       a batch may go, the last one started too recently  ► the timer of BATCH_SPACING_MS
 *   kept apart   all that may go conflicts with what runs (running) ► a batch that closes, or the timer of APART_MS
 *   saturated    MAX_IN_FLIGHT batches in flight                    ► a batch that closes
 *   paused       by an operator                                     ► resume
 *   handing over this run has grown long: nothing starts any more   ► starts under way, pages, then continue-as-new
 *
 * What it trades: batches are children with ParentClosePolicy ABANDON, so neither their length nor their fate touches
 * this workflow. Within a run it awaits their results; across continue-as-new it carries their ids, and the next run
 * adopts each with a long-polling activity, so that a slow batch never delays the handing over. A batch that closes in
 * any other way than completing keeps its slot until it has been settled. A buffer that is too large to be carried is
 * moved into pages first and taken in again page by page. Under load the tasks of mere messages are answered late, so that
 * several share one. There is one timer at a time; a timer that turns out to be early wakes the loop for nothing, which
 * costs less history than cancelling it.
 */
import {
  CancellationScope,
  condition,
  continueAsNew,
  patched,
  proxySinks,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { BatchClosing } from '../src/contracts/activities';
import {
  addRecordsSignal,
  batchesClosedSignal,
  configureSignal,
  drainSignal,
  flushSignal,
  keysQuery,
  pauseSignal,
  requestQuery,
  resumeSignal,
  statusQuery,
  streamQuery,
  type BatcherInput,
  type BatcherWorkflow,
} from '../src/contracts/batcher';
import { limitsUpdate } from '../src/contracts/limits';
import { SEARCH_ATTRIBUTES } from '../src/contracts/search-attributes';
import type { WorkerSinks } from '../src/contracts/worker-sinks';
import { FLUSH_REASON, batchSeqOf } from '../src/domain/batch';
import { bytesOf } from '../src/domain/flush-cut';
import type { Flush } from '../src/domain/flush-policy';
import { flushEverything, headRunsLow, needsSpill } from '../src/domain/paged-buffer';
import type { PartitionVersion } from '../src/domain/partition';
import { adoptedClosing, childClosing, settleIfNeeded, startUnderFreeId } from './batch-children';
import { batchesTogether, groupFlushes } from './child-bounds';
import {
  beginDrain,
  carriedFrom,
  fitsWithoutPages,
  followDrain,
  freeSlots,
  handOverDue,
  limitsOfNextRun,
  nextPageIsForNextRun,
  openBatches,
  recordClosedBatches,
  recordClosing,
  restoreBatcher,
  takeRequest,
  waitsForPages,
} from './batcher-state';
import { followScope, looksAhead, nextWakeAtMs, takeFlushesOfScope, takeOnScope } from './conflict-scope';
import { describeBatcher, knownKeys, progressOf, statusOf, traceOf } from './batcher-view';
import { noteCuts } from './cut-notes';
import { changeLimits, configure, refuseBadLimits } from './limits';
import { readOldestPage, spillToPages, takeInOldestPage, type ReadPage } from './page-keeping';
import { createTaskSharing } from './sharing-tasks';
import { waitsOf } from './waits';

const { workflowTask } = proxySinks<WorkerSinks>();

/** Runs of 0.1.0 carried their whole buffer, or flushed until it could be carried. */
const KEEPS_PAGES = 'buffer-pages';

/** Runs of before 0.3.0 cut batches by the first version of the partitioner, to their end. */
const CUTS_AS_VERSION_2 = 'partition-2';

/**
 * Runs of before 0.3.0 took no notice of CONFLICT_SCOPE. Asked where it is first obeyed in a run; one in which a worker
 * went on without that cuts as scope `file` to its end.
 */
const KEEPS_APART_RUNNING = 'running-scope';

/** A cancellation is not obeyed: it would lose acknowledged records (G3). Pause it, or terminate it knowingly. */
export async function batcherWorkflow(input: BatcherInput): Promise<void> {
  // Once for the whole run: what has been cut by one version may not be cut on by another. And by a marker in history,
  // not in the input: a worker that doesn't know the version then fails on it, where it would cut otherwise in silence.
  const partitioner = patched(CUTS_AS_VERSION_2) ? 2 : 1;
  await CancellationScope.nonCancellable(() => runBatcher(input, partitioner));
}

/** One run of a batcher, which cuts batches by a version of the partitioner. */
export async function runBatcher(input: BatcherInput, partitioner: PartitionVersion): Promise<void> {
  const { workflowId } = workflowInfo();
  const state = restoreBatcher(input, workflowInfo(), partitioner);
  /** Set by whatever gives the loop something to look at. True at first: a carried buffer may hold due records. */
  let changed = true;
  let timerAtMs: number | undefined;
  /** Batches that are being started, and pages whose records are being taken over: what can't be carried. */
  let underWay = 0;
  let takingIn = false;
  let handingOver = false;
  let mayKeepApart: boolean | undefined;
  /** Bytes of the batches that the current workflow task has started; a task is known by the history's length. */
  let started = { historyLength: 0, bytes: 0 };
  /** Since the loop's last look, for {@link createTaskSharing}. */
  let acted = false;
  let asksFirst = false;
  const shareTasks = createTaskSharing((ms) => workflowTask.hold(ms));
  takeOnScope(state, input.carried, Date.now(), mayObeyScope);

  setHandler(addRecordsSignal, (requests) => {
    for (const request of requests) {
      takeRequest(state, request, Date.now());
      asksFirst ||= request.digest !== undefined;
    }
    noteMessage();
  });
  setHandler(configureSignal, (settings) => {
    configure(state, settings);
    followScope(state, Date.now(), mayObeyScope);
    noteMessage();
  });
  setHandler(
    limitsUpdate,
    (patch, action) => {
      noteMessage();
      const inForce = changeLimits(state, patch, action);
      followScope(state, Date.now(), mayObeyScope);
      return inForce;
    },
    { validator: refuseBadLimits },
  );
  setHandler(flushSignal, () => {
    flushEverything(state.buffer, FLUSH_REASON.manual);
    noteMessage();
  });
  setHandler(drainSignal, (action) => {
    beginDrain(state, action);
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
  setHandler(batchesClosedSignal, (childId, closed) => {
    recordClosedBatches(state, childId, closed);
    noteMessage();
  });
  setHandler(statusQuery, () => statusOf(state, workflowInfo()));
  setHandler(requestQuery, (requestId, withWaits) => ({
    ...traceOf(state, requestId),
    ...(withWaits && { waits: waitsOf(state, requestId, Date.now()) }),
  }));
  setHandler(keysQuery, (keys) => knownKeys(state, keys, Date.now()));
  setHandler(streamQuery, (key) => progressOf(state, key, Date.now()));

  if (input.carried === undefined) showState();
  for (const { batchId } of state.inFlight.values()) void follow(batchId, adoptedClosing(batchId));

  for (;;) {
    await condition(() => changed);
    changed = false;
    if (handOverDue(state, workflowInfo())) await handOver();
    if (nextPageIsDue()) {
      if (nextPageIsForNextRun(state, workflowInfo())) await handOver();
      else void takeInPage();
    }
    startBatches();
    if (underWay === 0) followDrain(state);
    armTimer();
    setCurrentDetails(describeBatcher(state));
    const { historySize } = workflowInfo();
    shareTasks({ messages: state.messages, historySize, asksFirst, acted }, Date.now());
    asksFirst = acted = false;
  }

  function mayObeyScope(): boolean {
    return (mayKeepApart ??= patched(KEEPS_APART_RUNNING));
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

  /** Continues as new, unless this is a run of 0.1.0 that had to flush first. */
  async function handOver(): Promise<void> {
    handingOver = true;
    await condition(() => underWay === 0);
    if (needsSpill(state.buffer)) {
      if (patched(KEEPS_PAGES)) await spillToPages(state);
      else if (!fitsWithoutPages(state)) {
        handingOver = false;
        return;
      }
    }
    await continueAsNew<BatcherWorkflow>({
      settings: state.configured,
      limits: limitsOfNextRun(input),
      carried: carriedFrom(state),
    });
  }

  function startBatches(): void {
    const { historyLength } = workflowInfo();
    if (started.historyLength !== historyLength) started = { historyLength, bytes: 0 };
    // What doesn't start in this task does in the next, which the starts of this one bring.
    const maxBytes = (state.limits.startBytes ?? Infinity) - started.bytes;
    const unconfirmed = (state.limits.startsUnderWay ?? Infinity) - underWay;
    const slots = Math.min(freeSlots(state, Date.now()), unconfirmed * batchesTogether(state.settings));
    const flushes = takeFlushesOfScope(state, Date.now(), slots, maxBytes);
    for (const together of groupFlushes(noteCuts(state, flushes, Date.now()), state.settings)) {
      for (const { records } of together) started.bytes += bytesOf(records);
      void runChild(together);
    }
  }

  function armTimer(): void {
    const wakeAtMs = nextWakeAtMs(state, Date.now());
    if (wakeAtMs === undefined || (timerAtMs !== undefined && timerAtMs <= wakeAtMs)) return;
    timerAtMs = wakeAtMs;
    acted = true;
    void sleep(Math.max(1, wakeAtMs - Date.now())).then(() => {
      if (timerAtMs === wakeAtMs) timerAtMs = undefined;
      changed = true;
    });
  }

  /** Counts work that has to end before this run may, and has the loop look again when it has. */
  async function asUnderWay<T>(work: () => Promise<T>): Promise<T> {
    underWay++;
    acted = true;
    try {
      return await work();
    } finally {
      underWay--;
      changed = true;
    }
  }

  function nextPageIsDue(): boolean {
    if (takingIn || state.paused !== null) return false;
    return headRunsLow(state.buffer) || looksAhead(state, workflowInfo().historySize, Date.now());
  }

  async function takeInPage(): Promise<void> {
    takingIn = true;
    if (waitsForPages(state)) {
      await asUnderWay(async () => keepPage(await readOldestPage(state)));
    } else {
      const page = await readOldestPage(state);
      // It stays where it is, for the next run.
      if (handingOver) return;
      await asUnderWay(() => keepPage(page));
    }
    takingIn = false;
  }

  async function keepPage(page: ReadPage | undefined): Promise<void> {
    if (page !== undefined) await takeInOldestPage(state, page);
  }

  async function runChild(flushes: readonly Flush[]): Promise<void> {
    const openedAtMs = Date.now();
    state.lastBatchStartedAtMs = openedAtMs;
    state.counters.batchesStarted += flushes.length;
    const handle = await asUnderWay(() => startUnderFreeId(state, flushes, openedAtMs));
    await follow(handle.workflowId, childClosing(handle));
  }

  /** Releases the slot of a batch when all its records have an outcome. */
  async function follow(batchId: string, closing: Promise<BatchClosing | undefined>): Promise<void> {
    const settled = await settleIfNeeded(batchId, await closing, () => {
      const child = state.inFlight.get(batchId);
      state.counters.batchesFailed += child === undefined ? 1 : openBatches(child);
    });
    recordClosing(state, batchId, settled);
    state.apart?.held.end(batchSeqOf(batchId), Date.now());
    changed = true;
  }
}
