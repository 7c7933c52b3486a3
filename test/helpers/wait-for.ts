import { setTimeout as sleep } from 'node:timers/promises';

/** Many looks are calls that a server and a worker have to answer, so a long wait looks less and less often. */
const LONGEST_PAUSE_MS = 250;
/** Beyond what a machine needs that is many times as busy as it should be; a test may take longer still. */
const PATIENCE_MS = 150_000;

/**
 * Waits for a condition, never for time: resolves with the first value that isn't undefined, false or null, and fails
 * with what was seen last.
 * @param intervalMs between two looks; by default pauses grow from 25 ms to a quarter of a second
 */
export async function waitFor<T>(
  what: string,
  look: () => Promise<T | undefined | false | null> | T | undefined | false | null,
  { timeoutMs = PATIENCE_MS, intervalMs }: { timeoutMs?: number; intervalMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let pauseMs = intervalMs ?? 25;
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
    await sleep(pauseMs);
    if (intervalMs === undefined) pauseMs = Math.min(1.3 * pauseMs, LONGEST_PAUSE_MS);
  }
}
