import { isKeepapartError, KeepapartError, type ErrorCode } from '../domain/errors';
import { isStoreAway } from '../domain/records/store-away';
import { describeErrno, hasErrno } from './durable-fs';

/** How errors of a store's own kind are told. */
export interface Explaining {
  describe: (error: unknown) => string;
  /** Whether the store as a whole can't work. */
  isAway: (error: unknown) => boolean;
}

/**
 * What no file can be written with: besides what means so anywhere, a folder that is gone or may not be written, as those
 * of a store are its own.
 */
const FOLDERS_LOST = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'];

const IN_FILES: Explaining = {
  describe: describeErrno,
  isAway: (error) => isStoreAway(error) || hasErrno(error, ...FOLDERS_LOST),
};

/**
 * Errors of the catalogue go on as they are; any other one becomes one of it, saying what could not be done and why:
 * `store-away` where the store as a whole can't work, else the code.
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
