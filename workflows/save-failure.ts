import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/common';
import type { SaveFailureDetails } from '../src/contracts/activities';

/** Error texts longer than this are cut: they are repeated in history, in the result and in the file. */
const MAX_MESSAGE_LENGTH = 500;

/**
 * What an outcome tells of a `save` that failed for good. Rethrows what is neither the failure of an activity nor a
 * cancellation: that is a bug in workflow code and must stop the workflow task, not roll back a record.
 */
export function describeSaveFailure(
  error: unknown,
  maxAttempts: number,
): { attempts: number; message: string } {
  if (!(error instanceof ActivityFailure || error instanceof CancelledFailure)) throw error;
  // What is cancelled before it could be scheduled fails with the cancellation itself, not with an ActivityFailure.
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof CancelledFailure) {
    return { attempts: 0, message: 'cancelled by hand before it was saved' };
  }
  if (cause instanceof TimeoutFailure) {
    return { attempts: maxAttempts, message: `no answer in time (${cause.timeoutType})` };
  }
  const details =
    cause instanceof ApplicationFailure ? (cause.details?.[0] as SaveFailureDetails | undefined) : undefined;
  return {
    attempts: details?.attempt ?? maxAttempts,
    message: (cause?.message ?? error.message).slice(0, MAX_MESSAGE_LENGTH),
  };
}
