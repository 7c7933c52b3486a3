import { MINUTE, SECOND } from '../domain/duration';
import type { RequestView } from '../contracts/api/answers/requests';
import type { Asked } from './call-options';
import { KeepapartTimeoutError } from './errors';
import { isTemporary, pause } from './retry';

export interface WaitOptions extends Asked {
  /** How long to wait, in milliseconds. Default: five minutes. */
  timeoutMs?: number | undefined;
  /** Called with each answer. */
  onView?: ((view: RequestView) => void) | undefined;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5 * SECOND;
const GROWTH = 1.5;

/**
 * Asks at growing intervals until every record has its outcome. Temporary failures of the API are retried.
 * @throws `KeepapartTimeoutError` after `timeoutMs`, and permanent errors of `look`
 */
export async function waitForOutcomes(
  look: () => Promise<RequestView>,
  { timeoutMs = 5 * MINUTE, signal, onView }: WaitOptions,
): Promise<RequestView> {
  const deadlineMs = performance.now() + timeoutMs;
  let view: RequestView | undefined;
  let problem: Error | undefined;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * GROWTH)) {
    let askedMs = 0;
    try {
      view = await look();
      problem = undefined;
      onView?.(view);
      if (view.counts.buffered + view.counts.in_batch === 0) return view;
    } catch (error) {
      if (!isTemporary(error)) throw error;
      problem = error;
      askedMs = error.retryAfterMs ?? 0;
    }
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0) {
      const left = view && view.counts.buffered + view.counts.in_batch;
      const open = left === undefined ? 'no answer' : `${left} ${left === 1 ? 'record' : 'records'}`;
      const message = `Not every record has its outcome after ${timeoutMs / SECOND} s: ${open} left`;
      throw new KeepapartTimeoutError(message, view, problem);
    }
    await pause(Math.min(leftMs, Math.max(askedMs, pauseMs)), signal);
  }
}
