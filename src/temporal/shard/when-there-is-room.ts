import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../../domain/duration';
import { KeepapartError, isKeepapartError } from '../../domain/errors';

/** How long to wait for room in a full buffer; after that, the client should retry instead. */
const MAX_WAIT_MS = 30 * SECOND;
const RETRY_INTERVAL_MS = 250;

/**
 * Retries an attempt while it fails with `buffer-full`, for at most 30 seconds, and then passes that error on.
 * @throws `not-ready` when the client is gone or this process is stopping
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
      throw new KeepapartError('not-ready', 'This process is shutting down, or the client is gone');
    await sleep(RETRY_INTERVAL_MS);
  }
}
