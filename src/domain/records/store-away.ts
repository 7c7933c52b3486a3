import { isKeepapartError } from '../errors';
import { isObject } from '../json';

/**
 * System errors after which no record can be saved, whatever is in it: nobody listens, the network is gone, the disk is
 * full, read-only or failing, the process has no more descriptors. As `code`, they are the same wherever they come from,
 * so a store of somebody's own is understood as well.
 */
const AWAY = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL'],
  ...['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_SOCKET'],
  ...['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'ENXIO', 'ENODEV', 'ESTALE', 'ENOTCONN'],
  ...['EMFILE', 'ENFILE', 'ENOMEM'],
]);

/** Of an error: what a library threw may stand behind what a store says. */
const MAX_CAUSES = 5;

/**
 * Whether an error says that the store as a whole can't work, so that it isn't the fault of what was to be stored: either
 * `store-away`, or one of the system errors above, also as the cause of a failure. An error of the catalogue that isn't
 * retried is final, whatever its cause.
 */
export function isStoreAway(error: unknown): boolean {
  let at: unknown = error;
  // Not by `instanceof`, which errors of other realms aren't.
  for (let depth = 0; depth <= MAX_CAUSES && isObject(at); depth++) {
    const { code, cause, errors }: { code?: unknown; cause?: unknown; errors?: unknown } = at;
    if (isKeepapartError(at)) {
      if (code === 'store-away') return true;
      if (code !== 'save-failed' && code !== 'store-failed') return false;
    } else if (AWAY.has(String(code))) return true;
    // Of a host name every address was tried.
    at = cause ?? (Array.isArray(errors) ? (errors as unknown[])[0] : undefined);
  }
  return false;
}
