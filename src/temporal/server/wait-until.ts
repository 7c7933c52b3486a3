import { setTimeout as sleep } from 'node:timers/promises';
import { KeepapartError } from '../../domain/errors';

/** Polls until the condition is true. @throws `temporal-unavailable` after `timeoutMs` */
export async function waitUntil(
  isTrue: () => Promise<boolean>,
  { timeoutMs, intervalMs, what }: { timeoutMs: number; intervalMs: number; what: string },
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) {
      throw new KeepapartError('temporal-unavailable', `gave up after waiting ${timeoutMs} ms for ${what}`);
    }
    await sleep(intervalMs);
  }
}
