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
 *   store away   by what a worker reports (store-notices.ts)        ► a notice that it is back, or the lapse of the last
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
  log,
  proxySinks,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';
import { CHILD_CLOSING, type ChildClosing } from '../../src/contracts/activities';
import {
  ANSWERS,
  addRecordsSignal,
  childProgressSignal,
  configureSignal,
  drainSignal,
  flushSignal,
  layoutUpdate,
  pauseSignal,
  readUpdate,
  requestQuery,
  resumeSignal,
  statusQuery,
  takeUpdate,
  type AcceptedRequest,
  type BatcherInput,
  type BatcherWorkflow,
} from '../../src/contracts/batcher';
import { limitsUpdate } from '../../src/contracts/limits';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes';
import type { SaveShape } from '../../src/contracts/settings';
import { storeNoticeSignal } from '../../src/contracts/store-notice';
import type { WorkerSinks } from '../../src/contracts/worker-sinks';
import { FLUSH_REASON, childSeqOf } from '../../src/domain/batch';
import { bytesOf } from '../../src/domain/flush-cut';
import type { Flush } from '../../src/domain/flush-policy';
import { adoptLayout } from '../../src/domain/layout';
import { flushEverything, headRunsLow, needsSpill } from '../../src/domain/paged-buffer';
import { noteMessage as noteSender } from '../../src/domain/sender-window';
import {
  adoptedClosing,
  findLeft,
  settleIfNeeded,
  startOrAdopt,
  takeOverChild,
  type StartedChild,
} from './children';
import { followScope, looksAhead, nextWakeAtMs, startWithStrangers, takeOnScope } from './conflict-scope';
import { changeLimits, configure, refuseBadLimits } from './limits';
import {
  actionFrom,
  isOrigin,
  isProgress,
  isSettings,
  questionsFrom,
  refuseBadLayout,
  refuseBadRequests,
  requestsFrom,
} from './messages';
import { takeNextChildren } from './next-children';
import { OwnEvents } from './own-events';
import { readOldestPage, spillToPages, takeInOldestPage } from './pages';
import { noteFastestSave } from './save-shape';
import { createTaskSharing } from './sharing-tasks';
import { isStoreNotice } from './store-notices';
import {
  beginDrain,
  carriedFrom,
  followDrain,
  handOverDue,
  nextPageIsForNextRun,
  openBatches,
  recordClosing,
  recordProgress,
  restoreBatcher,
  takeOverKeys,
  takeRequest,
  unaccountedRecords,
} from './state';
import { answersTo, describeBatcher, statusOf, takeAnswers, traceOf } from './view';

const { workflowTask } = proxySinks<WorkerSinks>();

/** A cancellation is not obeyed: it would lose acknowledged records (G3). Pause it, or terminate it knowingly. */
export async function batcherWorkflow(input: BatcherInput): Promise<void> {
  await CancellationScope.nonCancellable(() => runBatcher(input));
}

async function runBatcher(input: BatcherInput): Promise<void> {
  const { workflowId } = workflowInfo();
  const state = restoreBatcher(input, workflowInfo());
  /** Set by whatever gives the loop something to look at. True at first: a carried buffer may hold due records. */
  let changed = true;
  let timerAtMs: number | undefined;
  /** Children that are being started, and pages whose records are being taken over: what can't be carried. */
  let underWay = 0;
  let takingIn = false;
  let handingOver = false;
  /**
   * Whether the last child has started under an id that was free. Until then one starts at a time: after a reset, records
   * that are buffered are in children of before as well, under the next ids.
   */
  let idsAreFree = false;
  /** Bytes of the batches that the current workflow task has started; a task is known by the history's length. */
  let started = { historyLength: 0, bytes: 0 };
  /** Since the loop's last look, for {@link createTaskSharing}. */
  let acted = false;
  /** As told last; see {@link unaccountedRecords}. */
  let unaccounted = 0;
  const shareTasks = createTaskSharing((ms) => workflowTask.hold(ms));
  const ownEvents = new OwnEvents();
  takeOnScope(state, input.carried, Date.now());

  // No handler throws, whatever a message contains: it would fail the workflow task, and every one after it.
  setHandler(addRecordsSignal, (...args: unknown[]) => {
    noteMessage();
    const requests = requestsFrom(args[0]);
    if (requests === undefined) reject('addRecords');
    else takeAll(requests, args[1]);
  });
  setHandler(
    takeUpdate,
    (requests, origin) => {
      noteMessage();
      noteAct();
      takeAll(requests, origin);
      return takeAnswers(state, requests, Date.now());
    },
    { validator: refuseBadRequests },
  );
  setHandler(
    layoutUpdate,
    (layout) => {
      noteMessage();
      noteAct();
      state.layout = adoptLayout(state.layout, layout, state.settings.idempotencyWindowMs, Date.now());
      return state.layout;
    },
    { validator: refuseBadLayout },
  );
  setHandler(readUpdate, () => undefined as never, {
    validator(questions: unknown) {
      // Whoever asks waits for the end of this task.
      acted = true;
      const answers = answersTo(state, workflowInfo(), questionsFrom(questions));
      throw ApplicationFailure.create({ type: ANSWERS, nonRetryable: true, details: [answers] });
    },
  });
  setHandler(configureSignal, (settings: unknown) => {
    noteMessage();
    if (!isSettings(settings)) {
      reject('configure');
      return;
    }
    configure(state, settings);
    followScope(state, Date.now());
  });
  setHandler(
    limitsUpdate,
    (patch, action) => {
      noteMessage();
      noteAct();
      const inForce = changeLimits(state, patch, action);
      followScope(state, Date.now());
      return inForce;
    },
    { validator: refuseBadLimits },
  );
  setHandler(flushSignal, () => {
    noteMessage();
    flushEverything(state.buffer, FLUSH_REASON.manual);
  });
  setHandler(drainSignal, (action: unknown) => {
    noteMessage();
    beginDrain(state, actionFrom(action, Date.now()));
  });
  setHandler(pauseSignal, (action: unknown) => {
    noteMessage();
    state.paused = actionFrom(action, Date.now());
    showState();
  });
  setHandler(resumeSignal, () => {
    noteMessage();
    state.paused = null;
    showState();
  });
  setHandler(childProgressSignal, (childId: unknown, progress: unknown) => {
    noteMessage();
    if (typeof childId === 'string' && isProgress(progress)) {
      recordProgress(state, childId, progress);
      state.store.noteClosed(Date.now());
    } else reject('childProgress');
  });
  setHandler(storeNoticeSignal, (notice: unknown) => {
    noteMessage();
    if (isStoreNotice(notice)) state.store.note(notice, Date.now());
    else reject('storeNotice');
  });
  setHandler(statusQuery, () => statusOf(state, workflowInfo()));
  setHandler(requestQuery, (requestId) => traceOf(state, requestId));

  // In each run, so that its first task has a command. Where a run follows another within a second, the server delays its
  // first task; one that then answers questions and does nothing else the server drops, and after that the worker leaves
  // out the first events of the run, whatever messages they are (G3).
  showState();
  for (const { childId } of state.inFlight.values()) void follow(childId, adoptedClosing(childId));
  if (state.takeOver) void takeOver();

  for (;;) {
    await condition(() => changed);
    changed = false;
    if (handOverDue(state, workflowInfo())) await handOver();
    if (nextPageIsDue()) {
      if (nextPageIsForNextRun(state, workflowInfo())) await handOver();
      else void takeInPage();
    }
    startBatches();
    if (underWay === 0 && !state.takeOver) followDrain(state);
    checkSum();
    armTimer();
    ownEvents.leave(Date.now());
    setCurrentDetails(describeBatcher(state, Date.now()));
    const { historySize } = workflowInfo();
    shareTasks({ messages: state.messages, historySize, acted }, Date.now());
    acted = false;
  }

  /** Takes requests, unless their message has been taken before. */
  function takeAll(requests: readonly AcceptedRequest[], origin: unknown): void {
    if (isOrigin(origin) && !noteSender(state.senders, origin)) {
      state.counters.repeatedMessages++;
      return;
    }
    for (const request of requests) takeRequest(state, request, Date.now());
  }

  /** Counts a message that is none of ours, as somebody may send anything with Temporal's own tools. */
  function reject(name: string): void {
    state.counters.malformedMessages++;
    log.warn('a message to the batcher is malformed and was ignored', { name });
  }

  /** Tells, once, when records have vanished or are there twice: nothing else would (G4). */
  function checkSum(): void {
    const missing = unaccountedRecords(state);
    if (missing === unaccounted) return;
    unaccounted = missing;
    log.error('records are unaccounted for', { records: missing, counters: state.counters });
  }

  function noteMessage(): void {
    state.messages++;
    changed = true;
  }

  /** Of what leaves an event in history. */
  function noteAct(): void {
    acted = true;
    ownEvents.note();
  }

  function showState(): void {
    ownEvents.note();
    upsertSearchAttributes([
      { key: SEARCH_ATTRIBUTES.batcher, value: workflowId },
      { key: SEARCH_ATTRIBUTES.batcherState, value: state.paused === null ? 'running' : 'paused' },
    ]);
  }

  async function takeOver(): Promise<void> {
    ownEvents.note();
    const { children, keys } = await findLeft();
    // Then the next run looks for them.
    if (handingOver) {
      ownEvents.leave(Date.now());
      return;
    }
    state.takeOver = false;
    changed = true;
    for (const [childId, held] of children) {
      takeOverChild(state, childId, held);
      void follow(childId, adoptedClosing(childId));
    }
    takeOverKeys(state, keys, Date.now());
    if (children.length > 0) startWithStrangers(state, Date.now());
  }

  async function handOver(): Promise<void> {
    handingOver = true;
    do {
      await condition(() => underWay === 0);
      if (needsSpill(state.buffer)) await spillToPages(state);
    } while (underWay > 0);
    await continueAsNew<BatcherWorkflow>({
      settings: state.configured,
      limits: state.limits,
      carried: carriedFrom(state),
    });
  }

  function startBatches(): void {
    if (state.takeOver) return;
    const { historyLength } = workflowInfo();
    if (started.historyLength !== historyLength) started = { historyLength, bytes: 0 };
    const nowMs = Date.now();
    for (;;) {
      const { shape, children } = takeNextChildren(state, nowMs, {
        children: (idsAreFree ? state.limits.startsUnderWay : 1) - underWay,
        // What doesn't start in this task does in the next, which the starts of this one bring.
        bytes: state.limits.startBytes - started.bytes,
      });
      if (children.length === 0) return;
      for (const flushes of children) {
        for (const { records } of flushes) started.bytes += bytesOf(records);
        void runChild(flushes, shape);
      }
    }
  }

  function armTimer(): void {
    // What is under way has the loop look again when it ends.
    if (underWay > 0 || state.takeOver) return;
    const wakeAtMs = nextWakeAtMs(state, Date.now());
    if (wakeAtMs === undefined || (timerAtMs !== undefined && timerAtMs <= wakeAtMs)) return;
    timerAtMs = wakeAtMs;
    noteAct();
    void sleep(Math.max(1, wakeAtMs - Date.now())).then(() => {
      if (timerAtMs === wakeAtMs) timerAtMs = undefined;
      changed = true;
    });
  }

  /** Counts work that has to end before this run may, and has the loop look again when it has. */
  async function asUnderWay<T>(work: () => Promise<T>): Promise<T> {
    underWay++;
    noteAct();
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
    const page = await readOldestPage(state);
    // While this run hands over, it stays where it is, for the next run.
    if (handingOver) {
      ownEvents.leave(Date.now());
      return;
    }
    if (page !== undefined) await asUnderWay(() => takeInOldestPage(state, page));
    takingIn = false;
  }

  async function runChild(flushes: readonly Flush[], shape: SaveShape): Promise<void> {
    const openedAtMs = Date.now();
    state.lastBatchStartedAtMs = openedAtMs;
    const { childId, closing, again } = await asUnderWay(async () => {
      const child = await startOrAdopt(state, flushes, shape, openedAtMs);
      idsAreFree = !child.adopted;
      return child;
    });
    await follow(childId, closing, again && ((reason) => asUnderWay(() => again(reason))));
  }

  /** Releases the slots of a child when all its records have an outcome. */
  async function follow(
    childId: string,
    closing: Promise<ChildClosing | undefined>,
    again?: StartedChild['again'],
  ): Promise<void> {
    const noteEarlyEnd = (): void => {
      const child = state.inFlight.get(childId);
      state.counters.batchesFailed += child === undefined ? 1 : openBatches(child);
    };
    const settled = await settleIfNeeded(childId, await closing, noteEarlyEnd, again);
    const lost = recordClosing(state, childId, settled);
    if (lost > 0) log.error('a child was deleted, and its records are lost', { childId, records: lost });
    if (settled?.status === CHILD_CLOSING.completed) state.store.noteClosed(Date.now());
    noteFastestSave(state, settled?.fastestMs);
    state.apart?.held.end(childSeqOf(childId), Date.now());
    changed = true;
  }
}
