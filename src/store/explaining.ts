import { isKeepapartError, KeepapartError, type ErrorCode } from '../domain/errors';
import { isStoreAway } from '../domain/records/store-away';
import { describeErrno, hasErrno } from './durable-fs';

/** How errors of one kind of store are described. */
export interface Explaining {
  describe: (error: unknown) => string;
  /** Whether the store as a whole is unavailable. */
  isAway: (error: unknown) => boolean;
}

/**
 * Errors for a folder that is missing or not writable. The folders of a store are its own, so these mean that the store is
 * unavailable, besides the errors that mean so everywhere.
 */
const FOLDERS_LOST = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'];

const IN_FILES: Explaining = {
  describe: describeErrno,
  isAway: (error) => isStoreAway(error) || hasErrno(error, ...FOLDERS_LOST),
};

/**
 * Runs an action of a store. Errors of the catalogue are passed on. Any other error becomes one, which says what could not be
 * done and why: `store-away` (waited for) if the store as a whole is unavailable, else `code`.
 */
export async function explaining<T>(
  code: ErrorCode,
  what: string,
  action: () => Promise<T>,
  { describe, isAway }: Explaining = IN_FILES,
): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (isKeepapartError(cause)) throw cause;
    throw new KeepapartError(isAway(cause) ? 'store-away' : code, `${what}: ${describe(cause)}`, { cause });
  }
}
