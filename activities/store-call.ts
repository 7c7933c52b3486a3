import { ApplicationFailure, CancelledFailure, Context, activityInfo, heartbeat } from '@temporalio/activity';
import {
  ACTIVITY_TIMEOUTS,
  type FailureDetails,
  type HeldDetails,
} from '../src/contracts/workflow/activities';
import type { StoreAway } from '../src/contracts/workflow/store-notice';
import { batcherOfChild } from '../src/domain/records/batch';
import { MINUTE } from '../src/domain/duration';
import { KeepapartError, type ErrorCode } from '../src/domain/errors';
import { asFailure } from './failure';
import type { Pass, StoreGate } from './store-gate';
import type { StoreWatch } from './store-watch';

/** An activity ends although the store is still unavailable: its worker stops, or its maximum wait has passed. */
class HoldEnded extends Error {
  override readonly name = 'HoldEnded';
}

/** Whether a wait for the store ended while it is still unavailable. */
export function isEndOfHold(error: unknown): boolean {
  return error instanceof HoldEnded || error instanceof CancelledFailure;
}

export interface StoreWork {
  gate: StoreGate;
  watch: StoreWatch;
  /** Failure type for errors that have none. */
  fallback: ErrorCode;
  /** Whether the workflow schedules the activity again if it ends while the store is unavailable; else Temporal retries it. */
  isScheduledAgain: boolean;
  /** Whether the store itself limits the duration of its calls. */
  isBounded: boolean;
}

/** How an attempt of an activity ended. */
export type AttemptEnd<T> = { attempt: number; startedAtMs: number; endedAtMs: number } & (
  { result: T } | { error: string }
);

/**
 * Runs an activity's work with the store, under a heartbeat. Calls that go through `pass` are repeated while the store is
 * unavailable, within the same attempt, so no attempt is used up.
 * @param work receives the number of this attempt, not counting those that ended while the store was unavailable
 * @param ended receives how it ended, for traces
 */
export async function storeWork<T>(
  { gate, watch, fallback, isScheduledAgain, isBounded }: StoreWork,
  work: (pass: Pass, attempt: number) => Promise<T>,
  ended?: (end: AttemptEnd<T>) => void,
): Promise<T> {
  const hold = new Hold(watch);
  const { attempt } = hold;
  const startedAtMs = Date.now();
  const begunAt = performance.now();
  const times = () => ({ attempt, startedAtMs, endedAtMs: startedAtMs + (performance.now() - begunAt) });
  const pass: Pass = (call) =>
    gate.pass(
      (noteSuccess) => (isBounded ? call(noteSuccess) : inTime(() => call(noteSuccess), fallback)),
      (away, released) => hold.until(away, released),
    );
  let result: T;
  try {
    result = await whileHeartbeating(
      () => work(pass, attempt),
      () => hold.details(),
    );
  } catch (error) {
    const failure = failureOf(error);
    ended?.({
      ...times(),
      error: failure instanceof ApplicationFailure ? (failure.type ?? '') : 'cancelled',
    });
    throw failure;
  }
  ended?.({ ...times(), result });
  return result;

  function failureOf(error: unknown): ApplicationFailure | CancelledFailure {
    if (error instanceof CancelledFailure) return error;
    if (error instanceof HoldEnded) return endOfHold(error, attempt, isScheduledAgain);
    return asFailure(error, fallback, attempt);
  }
}

function endOfHold({ message }: HoldEnded, attempt: number, isScheduledAgain: boolean): ApplicationFailure {
  const details: FailureDetails = { attempt };
  const type: ErrorCode = 'store-away';
  return ApplicationFailure.create({ message, type, nonRetryable: isScheduledAgain, details: [details] });
}

/** The waits of one activity for the store. */
class Hold {
  /** Number of this attempt, from 1, not counting those that ended while the store was unavailable. */
  readonly attempt: number;
  private readonly uncounted: number;
  private readonly endsAtMs = Date.now() + ACTIVITY_TIMEOUTS.holdMs;
  private waiting = 0;
  private away: StoreAway | undefined;

  constructor(private readonly watch: StoreWatch) {
    const info = activityInfo();
    const before = (info.heartbeatDetails ?? { uncounted: 0 }) as HeldDetails;
    this.uncounted = before.uncounted + (before.away === undefined ? 0 : 1);
    this.attempt = Math.max(1, info.attempt - this.uncounted);
  }

  details(): HeldDetails | undefined {
    const { away, uncounted } = this;
    if (away === undefined && uncounted === 0) return undefined;
    return { ...(away !== undefined && { away }), uncounted };
  }

  async until(away: StoreAway, released: Promise<void>): Promise<void> {
    const { cancelled } = Context.current();
    this.watch.noteWaiting(batcherOfChild(activityInfo().workflowExecution?.workflowId ?? ''));
    this.waiting++;
    if (this.away === undefined) {
      this.away = away;
      heartbeat(this.details());
    }
    let timer: NodeJS.Timeout | undefined;
    const ended = new Promise<never>((_, reject) => {
      const end = () => reject(new HoldEnded(away.reason));
      timer = setTimeout(end, Math.max(0, this.endsAtMs - Date.now()));
    });
    try {
      await Promise.race([released, ended, cancelled]);
    } catch (error) {
      if (error instanceof CancelledFailure && error.message === 'WORKER_SHUTDOWN')
        throw new HoldEnded(away.reason);
      throw error;
    } finally {
      clearTimeout(timer);
      if (--this.waiting === 0) this.away = undefined;
    }
    if (this.waiting === 0) heartbeat(this.details() ?? { uncounted: 0 });
  }
}

/** Fails the attempt if the store doesn't answer; a later result of the call is harmless. */
async function inTime<T>(call: () => Promise<T>, code: ErrorCode): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const { callMs } = ACTIVITY_TIMEOUTS;
  const late = new Promise<never>((_, reject) => {
    const detail = `the store did not answer within ${callMs / MINUTE} minutes`;
    timer = setTimeout(() => reject(new KeepapartError(code, detail)), callMs);
  });
  try {
    return await Promise.race([call(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Runs work under a heartbeat, so that the server notices a killed worker within the heartbeat timeout instead of the long
 * timeout of the attempt. Work shorter than the interval sends none.
 */
export async function whileHeartbeating<T>(
  work: () => Promise<T>,
  details: () => HeldDetails | undefined = () => undefined,
): Promise<T> {
  const timer = setInterval(() => heartbeat(details()), ACTIVITY_TIMEOUTS.heartbeatMs / 3);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
