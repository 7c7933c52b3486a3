import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../../domain/duration';
import { KeepapartError, isKeepapartError } from '../../domain/errors';

/** How long a full buffer is waited for: longer, and whoever sends should rather come back. */
const MAX_WAIT_MS = 30 * SECOND;
const LOOK_AGAIN_MS = 250;

/**
 * Tries something again while it is refused with `buffer-full`, and then passes that on.
 * @throws `not-ready` when nobody wants it any more
 */
export async function whenThereIsRoom<T>(attempt: () => Promise<T>, stillWanted: () => boolean): Promise<T> {
  const deadline = performance.now() + MAX_WAIT_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isKeepapartError(error) || error.code !== 'buffer-full' || performance.now() >= deadline)
        throw error;
    }
    if (!stillWanted())
      throw new KeepapartError('not-ready', 'This process is about to stop, or the client has gone');
    await sleep(LOOK_AGAIN_MS);
  }
}
