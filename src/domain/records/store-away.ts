import { isKeepapartError } from '../errors';
import { isObject } from '../json';

/**
 * Codes of system errors that affect every record alike: connection refused or lost, disk full, read-only or failing, no
 * file descriptors left. All libraries report them as `code`, so they are recognised in custom stores as well.
 */
const AWAY = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL'],
  ...['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_SOCKET'],
  ...['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'ENXIO', 'ENODEV', 'ESTALE', 'ENOTCONN'],
  ...['EMFILE', 'ENFILE', 'ENOMEM'],
]);

/** How deep to look for the error of a library among the causes of a store's error. */
const MAX_CAUSES = 5;

/**
 * Whether an error means that the store as a whole is unavailable, so that the attempt must not count against the record:
 * a `store-away` error, or one of the system errors above, also as a cause of `save-failed` or `store-failed`. Other
 * errors of the catalogue are final, whatever their cause.
 */
export function isStoreAway(error: unknown): boolean {
  let at: unknown = error;
  // No `instanceof`: it fails for errors of other realms.
  for (let depth = 0; depth <= MAX_CAUSES && isObject(at); depth++) {
    const { code, cause, errors }: { code?: unknown; cause?: unknown; errors?: unknown } = at;
    if (isKeepapartError(at)) {
      if (code === 'store-away') return true;
      if (code !== 'save-failed' && code !== 'store-failed') return false;
    } else if (AWAY.has(String(code))) return true;
    // An AggregateError has one error for each address of the host.
    at = cause ?? (Array.isArray(errors) ? (errors as unknown[])[0] : undefined);
  }
  return false;
}
