import { sleep } from '@temporalio/workflow';

/** By how much of its length a pause may be longer, so that others can join it. */
const STRETCH = 1 / 20;

/**
 * Pauses that end together where they were begun at nearly the same time: batches side by side fail within a few
 * milliseconds of each other, and each timer is two events and, at worst, a workflow task. None is shorter than asked.
 */
export function createSharedPause(): (ms: number) => Promise<void> {
  const running = new Map<number, Promise<void>>();
  return (ms) => {
    const endsAtMs = Date.now() + ms;
    const latestMs = endsAtMs + Math.ceil(ms * STRETCH);
    for (const [atMs, pause] of running) if (atMs >= endsAtMs && atMs <= latestMs) return pause;
    const pause = sleep(latestMs - Date.now()).finally(() => running.delete(latestMs));
    running.set(latestMs, pause);
    return pause;
  };
}
