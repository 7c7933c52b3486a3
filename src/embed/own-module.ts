import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { KeepapartError } from '../domain/errors';
import { describeReceived, problemLines } from '../domain/field-problems';

/**
 * Loads the module that STORE names, ESM or CommonJS, from the working directory.
 * @throws `invalid-config` with the module's own error when it can't be loaded
 */
export async function loadOwnModule(name: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(resolve(name)).href);
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND';
    const shown =
      cause instanceof Error ? ((isMissing ? undefined : cause.stack) ?? cause.message) : String(cause);
    const expected = 'the path of a module that can be loaded, from the working directory';
    const problems = [{ field: 'STORE', expected, received: describeReceived(name) }];
    throw new KeepapartError('invalid-config', `${name} can't be loaded: ${shown}${problemLines(problems)}`, {
      problems,
      cause,
    });
  }
}
