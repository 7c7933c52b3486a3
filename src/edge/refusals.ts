import { SECOND } from '../domain/duration';
import { isKeepapartError, KeepapartError } from '../domain/errors';
import type { ErrorCode } from '../domain/errors';

/** Retry delay for errors without one of their own. */
const DEFAULT_RETRY_AFTER_MS: Partial<Record<ErrorCode, number>> = {
  'temporal-unavailable': 2 * SECOND,
  // As often as a file of keys is read.
  'encryption-key-missing': 10 * SECOND,
  'not-ready': 5 * SECOND,
  'too-many-connections': 5 * SECOND,
};

/** After how many milliseconds a client may retry; undefined if retrying is pointless. */
export function retryAfterMsOf(error: KeepapartError): number | undefined {
  return error.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS[error.code];
}

/**
 * Turns whatever was thrown into an error that a client may see; other errors become `internal`.
 * @param inOurLog message of that error, with a reference to our log
 */
export function toClientError(thrown: unknown, inOurLog: string): KeepapartError {
  // Codes without a status belong to the store or to start-up. If one reaches a client, that is our bug.
  if (isKeepapartError(thrown) && thrown.entry.status !== undefined) return thrown;
  return new KeepapartError('internal', inOurLog);
}

/** Whether the message quotes internals, such as addresses, and so must only be logged. */
export function isForLogOnly({ entry, cause }: KeepapartError): boolean {
  return (entry.status ?? 0) >= 500 && cause !== undefined;
}
