import { SECOND } from '../domain/duration';
import { isKeepapartError, KeepapartError } from '../domain/errors';
import type { ErrorCode } from '../domain/errors';

/** What a client is told to wait when the error itself doesn't know. */
const DEFAULT_RETRY_AFTER_MS: Partial<Record<ErrorCode, number>> = {
  'temporal-unavailable': 2 * SECOND,
  'not-ready': 5 * SECOND,
  'too-many-connections': 5 * SECOND,
};

/** After how many milliseconds a client may send the same again; `undefined` when there is nothing to wait for. */
export function retryAfterMsOf(error: KeepapartError): number | undefined {
  return error.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS[error.code];
}

/** What was thrown, as an error that a client may see: all that isn't made for clients becomes `internal`. */
export function toClientError(thrown: unknown, inOurLog: string): KeepapartError {
  // Codes without a status belong to the store or to start-up: reaching a client, they are our mistake.
  if (isKeepapartError(thrown) && thrown.entry.status !== undefined) return thrown;
  return new KeepapartError('internal', inOurLog);
}

/** Whether its message quotes what lies beneath us, such as addresses: that is for the log alone. */
export function isForLogOnly({ entry, cause }: KeepapartError): boolean {
  return (entry.status ?? 0) >= 500 && cause !== undefined;
}
