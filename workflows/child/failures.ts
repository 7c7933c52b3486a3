import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  RetryState,
  TimeoutFailure,
} from '@temporalio/common';
import type { FailureDetails, HeldDetails } from '../../src/contracts/workflow/activities';
import type { ErrorCode } from '../../src/domain/errors';
import { MAX_ERROR_BYTES, cutToBytes, type UndoFailure } from '../../src/domain/records/outcome';

/**
 * What an outcome says of a `save` that failed for good. Rethrows what is neither the failure of an activity nor a
 * cancellation: that is a bug in workflow code and must stop the workflow task, not roll back a record.
 * @param maxAttempts how many the activity was given
 * @param before how many were made by activities before it
 */
export function describeSaveFailure(
  error: unknown,
  maxAttempts: number,
  before = 0,
): { attempts: number; message: string } {
  // What is cancelled before it could be scheduled fails with the cancellation itself, not with an ActivityFailure.
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof CancelledFailure) return CANCELLED_SAVE;
  const { attempts, message, refused } = describeFailure(error, maxAttempts);
  const made = before + attempts;
  return {
    attempts: made,
    message: refused ? describeRefusal(message, made, before + maxAttempts) : message,
  };
}

/**
 * How many attempts count of an activity that ended because the store was away, or that has attempts left as some of its
 * attempts ended so; undefined for every other end. It is to be scheduled again, with the attempts that are left.
 * @param attempts how many it was given
 */
export function attemptsBesideHolds(error: unknown, attempts: number): number | undefined {
  if (!(error instanceof ActivityFailure)) return undefined;
  const { cause, retryState } = error;
  if (cause instanceof ApplicationFailure) {
    const { attempt } = (cause.details?.[0] ?? { attempt: attempts }) as FailureDetails;
    if (cause.type === STORE_AWAY) return attempt - 1;
    const isExhausted = retryState === RetryState.MAXIMUM_ATTEMPTS_REACHED;
    return isExhausted && attempt < attempts ? attempt : undefined;
  }
  if (!(cause instanceof TimeoutFailure)) return undefined;
  const held = cause.lastHeartbeatDetails as HeldDetails | undefined;
  return held?.away === undefined ? undefined : Math.max(0, attempts - held.uncounted - 1);
}

const STORE_AWAY: ErrorCode = 'store-away';

/** How many attempts a record had that was called off isn't known. */
export const CANCELLED_SAVE = { attempts: 0, message: 'cancelled by hand before it was saved' } as const;

export function describeRefusal(message: string, attempts: number, maxAttempts: number): string {
  return `refused for good at attempt ${attempts} of ${maxAttempts}: ${message}`;
}

/** What an outcome says of a `rollback` that failed for good; rethrows a bug, as {@link describeSaveFailure} does. */
export function describeUndoFailure(error: unknown, maxAttempts: number): UndoFailure {
  return describeFailure(error, maxAttempts);
}

/** What the outcomes of a batch say that its store refused to close for good. */
export function describeBatchRefusal(message: string): string {
  return cutToBytes(`refused with its batch: ${message}`, MAX_ERROR_BYTES);
}

function describeFailure(error: unknown, maxAttempts: number): UndoFailure {
  if (!(error instanceof ActivityFailure)) throw error;
  const { cause } = error;
  if (cause instanceof TimeoutFailure) {
    return { attempts: maxAttempts, message: `no answer in time (${cause.timeoutType})`, refused: false };
  }
  const details =
    cause instanceof ApplicationFailure ? (cause.details?.[0] as FailureDetails | undefined) : undefined;
  return {
    attempts: details?.attempt ?? maxAttempts,
    message: cutToBytes(cause?.message ?? error.message, MAX_ERROR_BYTES),
    refused: error.retryState === RetryState.NON_RETRYABLE_FAILURE,
  };
}
