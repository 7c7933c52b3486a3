import { KeepapartError } from '../../../domain/errors';

/** A place in a file that isn't what it was said to be. */
export function unreadable(
  place: string,
  expected: string,
  received: string,
  cause?: unknown,
): KeepapartError {
  return new KeepapartError('import-unreadable', `${place}: expected ${expected}; received ${received}`, {
    cause,
  });
}
