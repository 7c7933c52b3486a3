import { isKeepapartError, KeepapartError, type ErrorCode } from '../domain/errors';
import { describeErrno } from './durable-fs';

/** Errors of the catalogue go on as they are; any other one becomes one of it, saying what could not be done and why. */
export async function explaining<T>(
  code: ErrorCode,
  what: string,
  action: () => Promise<T>,
  describe: (error: unknown) => string = describeErrno,
): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (isKeepapartError(cause)) throw cause;
    throw new KeepapartError(code, `${what}: ${describe(cause)}`, { cause });
  }
}
