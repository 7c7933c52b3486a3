/*
 * batcherWorkflow: the entity that owns one shard's buffer. One per shard, id `BATCHER_ID-<shard>`, for ever.
 *
 * Handlers (handlers.ts) only append to the state and wake the loop; the loop owns every flush. What the loop waits for:
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
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { CHILD_CLOSING, type ChildClosing } from '../../src/contracts/workflow/activities';
import type { BatcherInput, BatcherWorkflow } from '../../src/contracts/workflow/batcher';
import type { SaveShape } from '../../src/contracts/workflow/settings';
import type { WorkerSinks } from '../../src/contracts/workflow/worker-sinks';
import { childSeqOf } from '../../src/domain/records/batch';
import { totalBytes } from '../../src/domain/records/record';
import type { ExplainedFlush } from '../../src/domain/explain/cut-reason';
import { headRunsLow, needsSpill } from '../../src/domain/buffer/paged-buffer';
import { startOrAdopt, takeOverChild, type StartedChild } from './children';
import { looksAhead, nextWakeAtMs, startWithStrangers, takeOnScope } from './conflict-scope';
import { adoptedClosing, findLeft, settleIfNeeded } from './follow-children';
import { setHandlers } from './handlers';
import { openBatches, recordClosing, unaccountedRecords } from './in-flight';
import { takeNextChildren } from './next-children';
import { readOldestPage, spillToPages, takeInOldestPage } from './pages';
import { followDrain, takeOverKeys } from './requests';
import { Run } from './run';
import { handOverDue, nextPageIsForNextRun } from './run-length';
import { noteFastestSave } from './save-shape';
import { createTaskSharing } from './sharing-tasks';
import { carriedFrom, restoreBatcher, type BatcherState } from './state';
import { describeBatcher } from './view';

const { workflowTask } = proxySinks<WorkerSinks>();

/** A cancellation is not obeyed: it would lose acknowledged records (G3). Pause it, or terminate it knowingly. */
export async function batcherWorkflow(input: BatcherInput): Promise<void> {
  await CancellationScope.nonCancellable(async () => {
    const state = restoreBatcher(input, workflowInfo());
    takeOnScope(state, input.carried, Date.now());
    const run = new Run(state);
    setHandlers(state, run);
    await new Loop(state, run).work();
  });
}

/** The loop of one run. Its private members are what the next run does not get. */
class Loop {
  private timerAtMs: number | undefined;
  /** Children that are being started, and pages whose records are being taken over: what can't be carried. */
  private underWay = 0;
  private takingIn = false;
  private handingOver = false;
  /**
   * Whether the last child has started under an id that was free. Until then one starts at a time: after a reset, records
   * that are buffered are in children of before as well, under the next ids.
   */
  private idsAreFree = false;
  /** Bytes of the batches that the current workflow task has started; a task is known by the history's length. */
  private started = { historyLength: 0, bytes: 0 };
  /** As last logged; see {@link unaccountedRecords}. */
  private unaccounted = 0;
  private readonly shareTasks = createTaskSharing((ms) => workflowTask.hold(ms));

  constructor(
    private readonly state: BatcherState,
    private readonly run: Run,
  ) {}

  /** Never returns: it ends by continue-as-new. */
  async work(): Promise<never> {
    // In each run, so that its first task has a command. Where a run follows another within a second, the server delays its
    // first task; one that then answers questions and does nothing else the server drops, and after that the worker leaves
    // out the first events of the run, whatever messages they are (G3).
    this.run.showState();
    for (const { childId } of this.state.inFlight.values())
      void this.follow(childId, adoptedClosing(childId));
    if (this.state.takeOver) void this.takeOver();

    for (;;) {
      await condition(() => this.run.changed);
      this.run.changed = false;
      if (handOverDue(this.state, workflowInfo())) await this.handOver();
      if (this.nextPageIsDue()) {
        if (nextPageIsForNextRun(this.state, workflowInfo())) await this.handOver();
        else void this.takeInPage();
      }
      this.startBatches();
      if (this.underWay === 0 && !this.state.takeOver) followDrain(this.state);
      this.checkSum();
      this.armTimer();
      this.run.ownEvents.leave(Date.now());
      setCurrentDetails(describeBatcher(this.state, Date.now()));
      const { historySize } = workflowInfo();
      this.shareTasks({ messages: this.state.messages, historySize, acted: this.run.acted }, Date.now());
      this.run.acted = false;
    }
  }

  /** Tells, once, when records have vanished or are there twice: nothing else would (G4). */
  private checkSum(): void {
    const missing = unaccountedRecords(this.state);
    if (missing === this.unaccounted) return;
    this.unaccounted = missing;
    log.error('records are unaccounted for', { records: missing, counters: this.state.counters });
  }

  private async takeOver(): Promise<void> {
    this.run.ownEvents.note();
    const { children, keys } = await findLeft();
    // Then the next run looks for them.
    if (this.handingOver) {
      this.run.ownEvents.leave(Date.now());
      return;
    }
    this.state.takeOver = false;
    this.run.changed = true;
    for (const [childId, held] of children) {
      takeOverChild(this.state, childId, held);
      void this.follow(childId, adoptedClosing(childId));
    }
    takeOverKeys(this.state, keys, Date.now());
    if (children.length > 0) startWithStrangers(this.state, Date.now());
  }

  private async handOver(): Promise<void> {
    this.handingOver = true;
    do {
      await condition(() => this.underWay === 0);
      if (needsSpill(this.state.buffer)) await spillToPages(this.state);
    } while (this.underWay > 0);
    await continueAsNew<BatcherWorkflow>({
      settings: this.state.configured,
      limits: this.state.limits,
      carried: carriedFrom(this.state),
    });
  }

  private startBatches(): void {
    if (this.state.takeOver) return;
    const { historyLength } = workflowInfo();
    if (this.started.historyLength !== historyLength) this.started = { historyLength, bytes: 0 };
    const nowMs = Date.now();
    for (;;) {
      const { shape, children } = takeNextChildren(this.state, nowMs, {
        children: (this.idsAreFree ? this.state.limits.startsUnderWay : 1) - this.underWay,
        // What doesn't start in this task does in the next, which the starts of this one bring.
        bytes: this.state.limits.startBytes - this.started.bytes,
      });
      if (children.length === 0) return;
      for (const flushes of children) {
        for (const { records } of flushes) this.started.bytes += totalBytes(records);
        void this.runChild(flushes, shape);
      }
    }
  }

  private armTimer(): void {
    // What is under way has the loop look again when it ends.
    if (this.underWay > 0 || this.state.takeOver) return;
    const wakeAtMs = nextWakeAtMs(this.state, Date.now());
    if (wakeAtMs === undefined || (this.timerAtMs !== undefined && this.timerAtMs <= wakeAtMs)) return;
    this.timerAtMs = wakeAtMs;
    this.run.noteAct();
    void sleep(Math.max(1, wakeAtMs - Date.now())).then(() => {
      if (this.timerAtMs === wakeAtMs) this.timerAtMs = undefined;
      this.run.changed = true;
    });
  }

  /** Counts work that has to end before this run may, and has the loop look again when it has. */
  private async asUnderWay<T>(work: () => Promise<T>): Promise<T> {
    this.underWay++;
    this.run.noteAct();
    try {
      return await work();
    } finally {
      this.underWay--;
      this.run.changed = true;
    }
  }

  private nextPageIsDue(): boolean {
    if (this.takingIn || this.state.paused !== null) return false;
    return headRunsLow(this.state.buffer) || looksAhead(this.state, workflowInfo().historySize, Date.now());
  }

  private async takeInPage(): Promise<void> {
    this.takingIn = true;
    const page = await readOldestPage(this.state);
    // While this run hands over, it stays where it is, for the next run.
    if (this.handingOver) {
      this.run.ownEvents.leave(Date.now());
      return;
    }
    if (page !== undefined) await this.asUnderWay(() => takeInOldestPage(this.state, page));
    this.takingIn = false;
  }

  private async runChild(flushes: readonly ExplainedFlush[], shape: SaveShape): Promise<void> {
    const openedAtMs = Date.now();
    this.state.lastBatchStartedAtMs = openedAtMs;
    const { childId, closing, again } = await this.asUnderWay(async () => {
      const child = await startOrAdopt(this.state, flushes, shape, openedAtMs);
      this.idsAreFree = !child.adopted;
      return child;
    });
    await this.follow(childId, closing, again && ((reason) => this.asUnderWay(() => again(reason))));
  }

  /** Releases the slots of a child when all its records have an outcome. */
  private async follow(
    childId: string,
    closing: Promise<ChildClosing | undefined>,
    again?: StartedChild['again'],
  ): Promise<void> {
    const noteEarlyEnd = (): void => {
      const child = this.state.inFlight.get(childId);
      this.state.counters.batchesFailed += child === undefined ? 1 : openBatches(child);
    };
    const settled = await settleIfNeeded(childId, await closing, noteEarlyEnd, again);
    const lost = recordClosing(this.state, childId, settled);
    if (lost > 0) log.error('a child was deleted, and its records are lost', { childId, records: lost });
    if (settled?.status === CHILD_CLOSING.completed) this.state.store.noteClosed(Date.now());
    noteFastestSave(this.state, settled?.fastestMs);
    this.state.apart?.held.end(childSeqOf(childId), Date.now());
    this.run.changed = true;
  }
}
