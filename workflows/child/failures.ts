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
 * Attempts and error text for the outcome of a record whose `save` failed permanently. Rethrows any error that is neither
 * an activity failure nor a cancellation: it is a bug in workflow code, which must fail the workflow task and not roll
 * back a record.
 * @param maxAttempts the activity's limit of attempts
 * @param before number of attempts of earlier activities for this record
 */
export function describeSaveFailure(
  error: unknown,
  maxAttempts: number,
  before = 0,
): { attempts: number; message: string } {
  // An activity that is cancelled before it is scheduled fails with a CancelledFailure, not with an ActivityFailure.
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof CancelledFailure) return CANCELLED_SAVE;
  const { attempts, message, refused } = describeFailure(error, maxAttempts);
  const made = before + attempts;
  return {
    attempts: made,
    message: refused ? describeRejection(message, made, before + maxAttempts) : message,
  };
}

/**
 * Decides whether to schedule a failed activity again because the store was unavailable: either the activity ended for
 * that reason, or attempts that did so used up its limit. So it is for an activity whose input no worker could decrypt, as
 * that says nothing of its records. Returns the number of its attempts that count against the
 * record, or undefined if the activity failed for another reason.
 * @param attempts the activity's limit of attempts
 */
export function countedAttempts(error: unknown, attempts: number): number | undefined {
  if (!(error instanceof ActivityFailure)) return undefined;
  const { cause, retryState } = error;
  if (cause instanceof ApplicationFailure) {
    if (cause.type === KEY_MISSING) return 0;
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
/** The class of the codec's error: the SDK itself makes a failure of it, before any of our activities is called. */
const KEY_MISSING = 'EncryptionKeyMissing';

/** For records that were not saved when their child was cancelled. Their number of attempts is unknown. */
export const CANCELLED_SAVE = { attempts: 0, message: 'cancelled manually before it was saved' } as const;

/** Error text for a record that the store permanently rejected. */
export function describeRejection(message: string, attempts: number, maxAttempts: number): string {
  return `permanently rejected at attempt ${attempts} of ${maxAttempts}: ${message}`;
}

/**
 * Describes a `rollback` that failed permanently. Rethrows other errors, and has the same parameters, as
 * {@link describeSaveFailure}.
 */
export function describeUndoFailure(error: unknown, maxAttempts: number, before = 0): UndoFailure {
  const failure = describeFailure(error, maxAttempts);
  return { ...failure, attempts: before + failure.attempts };
}

/** Error text for the records of a batch that the store permanently rejected. */
export function describeBatchRejection(message: string): string {
  return cutToBytes(`its batch was rejected: ${message}`, MAX_ERROR_BYTES);
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
