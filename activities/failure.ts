import { ApplicationFailure } from '@temporalio/activity';
import type { FailureDetails, SaveFailure } from '../src/contracts/workflow/activities';
import { MAX_REASON_BYTES } from '../src/contracts/workflow/store-notice';
import { KIB } from '../src/domain/duration';
import { MAX_ERROR_BYTES, cutToBytes } from '../src/domain/records/outcome';
import { ERRORS, RETRIED, isKeepapartError, type ErrorCode } from '../src/domain/errors';

/** Of a message and of a stack trace in a failure, in UTF-8. */
const MAX_TEXT_BYTES = 2 * KIB;

/** Of an error: an error of a driver may stand behind one of the store's. */
const MAX_CAUSES = 3;

/**
 * The catalogue's code becomes the failure's type, which is what the Web UI shows and workflow code branches on;
 * `fallback` is for what isn't of the catalogue. An error that says when to try again is obeyed.
 * @param attempt the number of the attempt that failed
 */
export function asFailure(error: unknown, fallback: ErrorCode, attempt: number): ApplicationFailure {
  const known = isKeepapartError(error) ? error : undefined;
  // Of a call that found the store away while others succeeded: its own failure, as any other.
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
 * The error with short texts, and with as many of its causes. The server takes no failure of more than 2 MiB, and puts one
 * of its own in its place, which isn't retried.
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

/** Whether the same call can never succeed; what isn't of the catalogue may. */
export function isFinal(error: unknown): boolean {
  return isKeepapartError(error) && ERRORS[error.code].retried === RETRIED.never;
}

/** Whether a file stands in the place of a batch's file, with other content. */
export function isFileConflict(error: unknown): boolean {
  return isKeepapartError(error) && error.code === 'batch-file-conflict';
}

/** Whether the store refuses to close a batch for good, upon which all of it is rolled back. */
export function isRefusedBatch(error: unknown): boolean {
  return isKeepapartError(error) && error.code === 'batch-rejected';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why a store is away, shortened. */
export function reasonOf(error: unknown): string {
  return cutToBytes(messageOf(error), MAX_REASON_BYTES);
}
