import { setTimeout as sleep } from 'node:timers/promises';
import { KeepapartError } from '../../domain/errors';

/** Asks again and again until the answer is yes; throws `temporal-unavailable` after `timeoutMs`. */
export async function waitUntil(
  isTrue: () => Promise<boolean>,
  { timeoutMs, intervalMs, what }: { timeoutMs: number; intervalMs: number; what: string },
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) {
      throw new KeepapartError('temporal-unavailable', `waited ${timeoutMs} ms in vain for ${what}`);
    }
    await sleep(intervalMs);
  }
}
