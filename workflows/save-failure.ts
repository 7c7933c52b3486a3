import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  RetryState,
  TimeoutFailure,
} from '@temporalio/common';
import type { FailureDetails, SaveFailure } from '../src/contracts/activities';
import type { ErrorCode } from '../src/domain/errors';
import { MAX_ERROR_LENGTH, type UndoFailure } from '../src/domain/outcome';

/**
 * What an outcome tells of a `save` that failed for good, with attempts that were made in another way before. Rethrows
 * what is neither the failure of an activity nor a cancellation: that is a bug in workflow code and must stop the workflow
 * task, not roll back a record.
 */
export function describeSaveFailure(
  error: unknown,
  maxAttempts: number,
  attemptsBefore = 0,
): { attempts: number; message: string } {
  // What is cancelled before it could be scheduled fails with the cancellation itself, not with an ActivityFailure.
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof CancelledFailure) return CANCELLED_SAVE;
  const { attempts: last, message, refused } = describeFailure(error, maxAttempts - attemptsBefore);
  const attempts = attemptsBefore + last;
  return { attempts, message: refused ? describeRefusal(message, attempts, maxAttempts) : message };
}

/** How many attempts a record had that was called off isn't known. */
export const CANCELLED_SAVE = { attempts: 0, message: 'cancelled by hand before it was saved' } as const;

export function describeRefusal(message: string, attempts: number, maxAttempts: number): string {
  return `refused for good at attempt ${attempts} of ${maxAttempts}: ${message}`;
}

/** What a single attempt of a local activity failed with; rethrows a bug, as {@link describeSaveFailure} does. */
export function describeAttempt(error: unknown): SaveFailure {
  // What a local activity throws itself comes as it is; only its time-outs and cancellations come wrapped.
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) {
    return { message: `no answer in time (${cause.timeoutType})`, refused: false };
  }
  if (cause instanceof CancelledFailure) return { message: 'its worker was stopped', refused: false };
  if (!(cause instanceof ApplicationFailure)) throw error;
  const { retryAfterMs } = (cause.details?.[0] as FailureDetails | undefined) ?? {};
  return {
    message: cause.message.slice(0, MAX_ERROR_LENGTH),
    refused: cause.nonRetryable === true,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** What an outcome tells of a `rollback` that failed for good; rethrows a bug, as {@link describeSaveFailure} does. */
export function describeUndoFailure(error: unknown, maxAttempts: number): UndoFailure {
  return describeFailure(error, maxAttempts);
}

const BATCH_REJECTED: ErrorCode = 'batch-rejected';

/** What the outcomes of a batch tell that its store refused to close for good; rethrows anything else. */
export function describeBatchRefusal(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure) || cause.type !== BATCH_REJECTED) throw error;
  return `refused with its batch: ${cause.message}`.slice(0, MAX_ERROR_LENGTH);
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
    message: (cause?.message ?? error.message).slice(0, MAX_ERROR_LENGTH),
    refused: error.retryState === RetryState.NON_RETRYABLE_FAILURE,
  };
}
