/*
 * batcherWorkflow: the entity that owns one shard's buffer. One per shard, id `BATCHER_ID-<shard>`, for ever.
 *
 * Handlers (messages/handlers.ts) only append to the state and wake the loop; the loop owns every flush. What the loop waits for:
 *
 *   empty        nothing buffered, nothing due                      ► a signal
 *   filling      records buffered, no full batch, none due          ► a signal, or the timer of the oldest record
 *   pacing       a batch may go, the last one started too recently  ► the timer of BATCH_SPACING_MS
 *   kept apart   all that may go conflicts with what runs (running) ► a batch that closes, or the timer of APART_MS
 *   saturated    MAX_IN_FLIGHT batches in flight                    ► a batch that closes
 *   store away   by what a worker reports (run/store-notices.ts)        ► a notice that it is back, or the lapse of the last
 *   paused       by an operator                                     ► resume
 *   catching up  what earlier runs have left is not known yet,      ► the activities that find it
 *                because the batcher was terminated or reset
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
import { adoptStarted, lieInPages } from './children/catch-up';
import { startOrAdopt, takeOverChild, type StartedChild } from './children/children';
import { looksAhead, nextWakeAtMs, startWithStrangers, takeOnScope } from './children/conflict-scope';
import { describeBatcher } from './messages/details';
import { adoptedClosing, findLeft, findStarted, settleIfNeeded } from './children/follow-children';
import { setHandlers } from './messages/handlers';
import { openBatches, recordClosing, unaccountedRecords } from './run/in-flight';
import { takeNextChildren } from './children/next-children';
import { readOldestPage, spillToPages, takeInOldestPage } from './run/pages';
import { followDrain } from './messages/requests';
import { Run } from './run/run';
import { handOverDue, nextPageIsForNextRun } from './run/run-length';
import { noteFastestSave } from './children/save-shape';
import { createTaskSharing } from './run/sharing-tasks';
import { carriedFrom, mustCatchUp, restoreBatcher, type BatcherState } from './run/state';
import { takeOverMemory } from './run/take-over';
import type { Resets } from '../reset-notice';

const { workflowTask } = proxySinks<WorkerSinks>();

/**
 * Cancellation is ignored, because it would lose acknowledged records (G3). Pause the batcher, or terminate it
 * deliberately.
 */
export async function batcherWorkflow(input: BatcherInput, resets: Resets = { count: 0 }): Promise<void> {
  await CancellationScope.nonCancellable(async () => {
    const state = restoreBatcher(input, workflowInfo());
    takeOnScope(state, input.carried, Date.now());
    const run = new Run(state);
    setHandlers(state, run);
    await new Loop(state, run, resets).work();
  });
}

/** The loop of one run. Its private members are what the next run does not get. */
class Loop {
  private timerAtMs: number | undefined;
  /** Starts of children and reads of pages that are under way; they can't be carried. */
  private underWay = 0;
  private takingIn = false;
  private handingOver = false;
  /** Whether records that must leave the buffer after a reset may be in its next page. */
  private wantsPage = false;
  /** Whether this run has put children from before a reset in flight. */
  private hasAdopted = false;
  /** Whether the last child has started under an id that was free. Until then one starts at a time. */
  private idsAreFree = false;
  /** How many resets have been noticed. */
  private resetsSeen = 0;
  /** Bytes of the batches that the current workflow task has started; the history's length identifies the task. */
  private started = { historyLength: 0, bytes: 0 };
  /** As last logged; see {@link unaccountedRecords}. */
  private unaccounted = 0;
  private readonly shareTasks = createTaskSharing((ms) => workflowTask.hold(ms));

  constructor(
    private readonly state: BatcherState,
    private readonly run: Run,
    private readonly resets: Resets,
  ) {}

  /** Never returns: it ends by continue-as-new. */
  async work(): Promise<never> {
    // In each run, so that its first task has a command. Where a run follows another within a second, the server delays its
    // first task; one that then answers questions and does nothing else the server drops, and after that the worker leaves
    // out the first events of the run, whatever messages they are (G3).
    this.run.showState();
    for (const { childId } of this.state.inFlight.values())
      void this.follow(childId, adoptedClosing(childId));
    this.noticesReset();
    if (mustCatchUp(this.state)) void this.catchUp();

    for (;;) {
      await condition(() => this.run.changed || this.resets.count > this.resetsSeen);
      this.run.changed = false;
      if (this.noticesReset()) void this.catchUp();
      if (handOverDue(this.state, workflowInfo())) await this.handOver();
      if (this.nextPageIsDue()) {
        if (nextPageIsForNextRun(this.state, workflowInfo())) await this.handOver();
        else void this.takeInPage();
      }
      this.startBatches();
      if (this.underWay === 0 && !mustCatchUp(this.state)) followDrain(this.state);
      this.checkSum();
      this.armTimer();
      this.run.ownEvents.leave(Date.now());
      setCurrentDetails(describeBatcher(this.state, Date.now(), this.timerAtMs));
      const { historySize } = workflowInfo();
      this.shareTasks({ messages: this.state.messages, historySize, acted: this.run.acted }, Date.now());
      this.run.acted = false;
    }
  }

  /** Reports, once, when records are missing or doubled; nothing else would (G4). */
  private checkSum(): void {
    const missing = unaccountedRecords(this.state);
    if (missing === this.unaccounted) return;
    this.unaccounted = missing;
    log.error('records are unaccounted for', { records: missing, counters: this.state.counters });
  }

  /** Whether there was a reset since the last call. If so, the children started before it must be found. */
  private noticesReset(): boolean {
    if (this.resets.count === this.resetsSeen) return false;
    this.resetsSeen = this.resets.count;
    this.state.resetRun = workflowInfo().runId;
    return true;
  }

  /**
   * Finds what earlier runs left. If this run continues as new meanwhile, the next run does the rest; after another
   * reset, a new call does.
   */
  private async catchUp(): Promise<void> {
    const seen = this.resetsSeen;
    const isOver = (): boolean => this.handingOver || seen !== this.resetsSeen;
    while (this.state.resetRun !== null) {
      // A start under way may still take the next number.
      await condition(() => isOver() || this.underWay === 0);
      if (isOver()) return;
      this.run.ownEvents.note();
      const { children, next } = await findStarted(this.state.resetRun, this.state.nextChildSeq);
      while (!isOver() && lieInPages(this.state, children) && this.mayWantPage()) {
        const pages = this.state.buffer.pages.length;
        this.wantsPage = true;
        this.run.changed = true;
        await condition(() => isOver() || this.state.buffer.pages.length < pages);
      }
      this.wantsPage = false;
      if (isOver()) {
        this.run.ownEvents.leave(Date.now());
        return;
      }
      adoptStarted(this.state, children);
      this.hasAdopted = true;
      for (const { childId, closing } of children)
        void this.follow(childId, closing === undefined ? adoptedClosing(childId) : Promise.resolve(closing));
      if (next === undefined) this.state.resetRun = null;
    }
    this.run.changed = true;
    if (this.state.takeOver) await this.takeOver();
  }

  /** A run that has only taken in pages doesn't continue as new for another one: the next run would do the same. */
  private mayWantPage(): boolean {
    return this.hasAdopted || !nextPageIsForNextRun(this.state, workflowInfo());
  }

  private async takeOver(): Promise<void> {
    this.run.ownEvents.note();
    // These may complete during the search, and would then be counted twice.
    const followed = new Set(this.state.inFlight.keys());
    const { children, before } = await findLeft();
    // Then the next run looks for them.
    if (this.handingOver) {
      this.run.ownEvents.leave(Date.now());
      return;
    }
    this.state.takeOver = false;
    this.run.changed = true;
    const strangers = children.filter(([childId]) => !followed.has(childId));
    for (const [childId, held] of strangers) {
      takeOverChild(this.state, childId, held);
      void this.follow(childId, adoptedClosing(childId));
    }
    if (before !== undefined) takeOverMemory(this.state, before, Date.now());
    this.state.takenMeanwhile = [];
    if (strangers.length > 0) startWithStrangers(this.state, Date.now());
  }

  private async handOver(): Promise<void> {
    this.handingOver = true;
    do {
      await condition(() => this.underWay === 0);
      if (needsSpill(this.state.buffer)) await spillToPages(this.state);
    } while (this.underWay > 0);
    this.noticesReset();
    await continueAsNew<BatcherWorkflow>({
      settings: this.state.configured,
      limits: this.state.limits,
      ...(this.state.idKey !== undefined && { idKey: this.state.idKey }),
      carried: carriedFrom(this.state),
    });
  }

  private startBatches(): void {
    if (mustCatchUp(this.state)) return;
    const { historyLength } = workflowInfo();
    if (this.started.historyLength !== historyLength) this.started = { historyLength, bytes: 0 };
    const nowMs = Date.now();
    for (;;) {
      const { shape, children } = takeNextChildren(this.state, nowMs, {
        children: (this.idsAreFree ? this.state.limits.startsUnderWay : 1) - this.underWay,
        // Whatever doesn't start in this task starts in the next one, which the starts of this task cause.
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
    // Work under way wakes the loop when it ends.
    if (this.underWay > 0 || mustCatchUp(this.state)) return;
    const wakeAtMs = nextWakeAtMs(this.state, Date.now());
    if (wakeAtMs === undefined || (this.timerAtMs !== undefined && this.timerAtMs <= wakeAtMs)) return;
    this.timerAtMs = wakeAtMs;
    this.run.noteAct();
    void sleep(Math.max(1, wakeAtMs - Date.now()), { summary: 'until the next batch' }).then(() => {
      if (this.timerAtMs === wakeAtMs) this.timerAtMs = undefined;
      this.run.changed = true;
    });
  }

  /** Counts work that must end before this run does, and wakes the loop when it has ended. */
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
    if (this.takingIn) return false;
    if (this.wantsPage) return this.state.buffer.pages.length > 0;
    if (this.state.paused !== null) return false;
    return headRunsLow(this.state.buffer) || looksAhead(this.state, workflowInfo().historySize, Date.now());
  }

  private async takeInPage(): Promise<void> {
    this.takingIn = true;
    const page = await readOldestPage(this.state);
    // While this run continues as new, the page stays where it is, for the next run.
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
