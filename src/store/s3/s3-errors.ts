import { isObject } from '../../domain/json';
import { isStoreAway } from '../../domain/records/store-away';
import { describeErrno } from '../durable-fs';

/** What the server says of itself, and not of the object: it is busy, failing or elsewhere, or doesn't let us in. */
const AWAY_STATUSES = new Set([301, 307, 401, 403, 404, 407, 408, 421, 425, 429]);

/** The same, where the status could also mean the request. */
const AWAY_NAMES = new Set([
  ...['RequestTimeout', 'RequestTimeTooSkewed', 'AuthorizationHeaderMalformed'],
  ...['ExpiredToken', 'ExpiredTokenException', 'InvalidToken', 'TokenRefreshRequired'],
]);

/** The HTTP status of an answer; undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  const metadata = isObject(error) ? error['$metadata'] : undefined;
  const status = isObject(metadata) ? metadata['httpStatusCode'] : undefined;
  return typeof status === 'number' ? status : undefined;
}

/** S3's name for an error, such as `AccessDenied`. */
function nameOf(error: unknown): string {
  return isObject(error) && typeof error['name'] === 'string' ? error['name'] : '';
}

/** Whether there is no such object. A missing bucket is something else, except to HEAD, whose answer has no body. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && ['NoSuchKey', 'NotFound'].includes(nameOf(error));
}

/**
 * Whether it is S3 that can't work at the moment, whatever the record. Without an answer, what the client fails with is
 * the connection, its encryption, or credentials that it doesn't get; all of that has passed its repetitions, which note
 * themselves in `$metadata`.
 */
export function isAway(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== undefined)
    return status >= 500 || AWAY_STATUSES.has(status) || AWAY_NAMES.has(nameOf(error));
  if (isStoreAway(error)) return true;
  const isBug = ['TypeError', 'RangeError'].includes(nameOf(error));
  return isObject(error) && '$metadata' in error && !isBug;
}

/** What happened, in the server's words where it has any. */
export function describeS3Error(error: unknown): string {
  const status = statusOf(error);
  const name = nameOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (status === undefined) {
    const code = isObject(error) && typeof error['code'] === 'string';
    // Every address of a host name was tried.
    const [first = error] =
      isObject(error) && Array.isArray(error['errors']) ? (error['errors'] as unknown[]) : [];
    if (code || first !== error) return describeErrno(first);
    return name === '' || name === 'Error' ? message : `${name}: ${message}`;
  }
  // Of an answer without a body, as to HEAD, the client makes `Unknown` and `UnknownError`.
  const said = [name, message].filter((text) => text !== '' && !/^Unknown(Error)?$/.test(text));
  return `${[...new Set(said)].join(': ') || 'an answer without a reason'} (HTTP ${status})`;
}
