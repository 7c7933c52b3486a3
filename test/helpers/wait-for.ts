import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for a condition, never for time: resolves with the first value that isn't undefined, false or null, and fails
 * with what was seen last.
 */
export async function waitFor<T>(
  what: string,
  look: () => Promise<T | undefined | false | null> | T | undefined | false | null,
  { timeoutMs = 40_000, intervalMs = 50 } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await look();
      if (value !== undefined && value !== false && value !== null) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}; last: ${String(last)}`);
    await sleep(intervalMs);
  }
}
