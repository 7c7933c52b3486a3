/*
 * Gives every workflow task in which the batcher has looked at anything an event of its own.
 *
 * A question is refused with the answers, so its task decides nothing. Where something arrives while it waits or runs, the
 * server writes that task down all the same, directly behind the one before. Core takes a task without commands that is
 * followed directly by another for one that was only prolonged (`find_end_index_of_next_wft_seq`, SDK 1.24.0): in a replay
 * it hands over what the first task brought in the second, with the second one's time and length of history. Records are
 * younger then than they were, a batch that was started isn't due, and no worker can ever replay the run again. See
 * docs/decisions/0025-an-event-for-every-look.md.
 *
 * The event is that of a timer which nobody waits for: one task starts it, the next calls it off, so that it never
 * costs more than one event a task.
 */
import { CancellationScope, sleep, workflowInfo } from '@temporalio/workflow';
import { MINUTE } from '../../../src/domain/duration';

const TIMER_MS = 10 * MINUTE;

/** A timer that may have fired in the same task can't be cancelled with an event. */
const SURELY_PENDING_MS = TIMER_MS - 1 * MINUTE;

export class OwnEvents {
  /** The last task that has an event, by the history's length. */
  private task = 0;
  private timer: { scope: CancellationScope; calledOffUntilMs: number } | undefined;

  /** Records that the current task leaves an event anyway: that of a command or of an accepted update. */
  note(): void {
    this.task = workflowInfo().historyLength;
  }

  /** Makes the current task leave an event, if nothing else does. */
  leave(nowMs: number): void {
    if (this.task === workflowInfo().historyLength) return;
    this.note();
    const { timer } = this;
    if (timer === undefined || nowMs >= timer.calledOffUntilMs) this.timer = startTimer(nowMs);
    else {
      this.timer = undefined;
      timer.scope.cancel();
    }
  }
}

function startTimer(nowMs: number) {
  const scope = new CancellationScope();
  scope.run(() => sleep(TIMER_MS, { summary: 'marks a task, for replay' })).catch(() => undefined);
  return { scope, calledOffUntilMs: nowMs + SURELY_PENDING_MS };
}
