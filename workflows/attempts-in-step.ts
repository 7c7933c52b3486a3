/*
 * Local attempts that end together, so that what follows from them is the same when it is replayed.
 *
 *   attempts ──► each ends for itself, within one workflow task ──► none is under way any more ──► all go on, in the
 *                                                                                                 order they began in
 *
 * A worker tells a workflow of local activities one by one, as they end, with the clock going on. To a worker that
 * replays they have all ended already, and it tells of them in one activation. A workflow that acts on each by itself can
 * therefore give its commands (timers, rollbacks) in another order, or, by the clock, others. So none is acted on before
 * all have ended. That costs nothing: what a workflow asks for isn't sent to the server before its local activities are
 * through.
 */
import { CancellationScope, condition, sleep } from '@temporalio/workflow';

export class AttemptsInStep {
  private unfinished = 0;
  /** In the order that the attempts began in. */
  private waiting: (() => void)[] = [];
  /** Those that have begun since attempts last ended, by their length. */
  private pauses = new Map<number, Promise<void>>();

  /** While there are any, nothing that the workflow asks for reaches the server. */
  get underWay(): boolean {
    return this.waiting.length > 0;
  }

  /** Makes a local attempt; returns or throws what it does, when those that are under way have ended as well. */
  async make<T>(attempt: () => Promise<T>): Promise<T> {
    const inStep = new Promise<void>((resolve) => this.waiting.push(resolve));
    this.unfinished++;
    if (this.waiting.length === 1) void this.goOnTogether();
    try {
      return await attempt();
    } finally {
      this.unfinished--;
      await inStep;
    }
  }

  /** Waits before another attempt. What goes on together waits by one timer, where it waits equally long. */
  pause(ms: number): Promise<void> {
    const pause = this.pauses.get(ms) ?? sleep(ms);
    this.pauses.set(ms, pause);
    return pause;
  }

  private async goOnTogether(): Promise<void> {
    // A condition holds only when all else that an activation brings has been acted on: other orders of it, as between
    // a timer and an attempt that end in one workflow task, make no difference.
    await CancellationScope.nonCancellable(() => condition(() => this.unfinished === 0));
    this.pauses.clear();
    for (const goOn of this.waiting.splice(0)) goOn();
  }
}
