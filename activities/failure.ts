import { ApplicationFailure } from '@temporalio/activity';
import type { FailureDetails, SaveFailure } from '../src/contracts/workflow/activities';
import { MAX_REASON_BYTES } from '../src/contracts/workflow/store-notice';
import { KIB } from '../src/domain/duration';
import { MAX_ERROR_BYTES, cutToBytes } from '../src/domain/records/outcome';
import { ERRORS, RETRIED, isKeepapartError, type ErrorCode } from '../src/domain/errors';

/** Maximum size of a message and of a stack trace in a failure, in UTF-8. */
const MAX_TEXT_BYTES = 2 * KIB;

/** Maximum length of the chain of causes: a driver's error may be the cause of a store's error. */
const MAX_CAUSES = 3;

/**
 * Converts an error to a failure for Temporal. The catalogue's code becomes the failure's type, which the Web UI shows and
 * workflow code branches on. If the error says when to retry, the failure does too.
 * @param fallback type for errors that aren't in the catalogue
 * @param attempt number of the attempt that failed
 */
export function asFailure(error: unknown, fallback: ErrorCode, attempt: number): ApplicationFailure {
  const known = isKeepapartError(error) ? error : undefined;
  // This call found the store unavailable while others succeeded, so it counts as a failure of its own.
  const code = known === undefined || known.code === 'store-away' ? fallback : known.code;
  const details: FailureDetails = {
    attempt,
    ...(known?.retryAfterMs !== undefined && { retryAfterMs: known.retryAfterMs }),
  };
  return ApplicationFailure.create({
    message: cutToBytes(messageOf(error), MAX_TEXT_BYTES),
    type: code,
    nonRetryable: isFinal(error),
    details: [details],
    ...(known?.retryAfterMs !== undefined && { nextRetryDelay: known.retryAfterMs }),
    ...(error instanceof Error && { cause: shortened(error, MAX_CAUSES) }),
  });
}

/**
 * The error with shortened texts and at most this many causes. The server accepts no failure of more than 2 MiB, and
 * replaces it with one of its own, which isn't retried.
 */
function shortened(error: Error, causes: number): Error {
  const { name, message, stack = '', cause } = error;
  const further = cause instanceof Error && causes > 0 ? shortened(cause, causes - 1) : undefined;
  const short = new Error(cutToBytes(message, MAX_TEXT_BYTES), further && { cause: further });
  short.name = name;
  short.stack = cutToBytes(stack, MAX_TEXT_BYTES);
  return short;
}

/** Why one of several records could not be saved. */
export function saveFailureOf(error: unknown): SaveFailure {
  const retryAfterMs = isKeepapartError(error) ? error.retryAfterMs : undefined;
  return {
    message: cutToBytes(messageOf(error), MAX_ERROR_BYTES),
    refused: isFinal(error),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** Whether the same call can never succeed; errors that aren't in the catalogue may. */
export function isFinal(error: unknown): boolean {
  return isKeepapartError(error) && ERRORS[error.code].retried === RETRIED.never;
}

/** Whether another file has the name of a batch's file. */
export function isFileConflict(error: unknown): boolean {
  return isKeepapartError(error) && error.code === 'batch-file-conflict';
}

/** Whether the store permanently refuses to close a batch, so all of it is rolled back. */
export function isRefusedBatch(error: unknown): boolean {
  return isKeepapartError(error) && error.code === 'batch-rejected';
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why a store is unavailable, shortened. */
export function awayReasonOf(error: unknown): string {
  return cutToBytes(messageOf(error), MAX_REASON_BYTES);
}
