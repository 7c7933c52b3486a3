import { KeepapartTimeoutError, type KeepapartClient, type RequestView } from '../../client';
import { progressLine } from '../terminal/progress-line';
import { count, counted } from '../../domain/format';

/** How long commands wait for outcomes unless told otherwise. */
export const WAIT_SECONDS = '300';

/** Waits for the outcomes of a request, showing on a terminal how many are left; after the time, what was seen last. */
export async function followRequest(
  client: KeepapartClient,
  requestId: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<RequestView> {
  const progress = progressLine(process.stderr);
  const startedAtMs = performance.now();
  try {
    return await client.waitForOutcomes(requestId, {
      timeoutMs,
      signal,
      onView: (view) => {
        if (!process.stderr.isTTY) return;
        const message = `waiting for ${count(leftOf(view))} of ${counted(view.records.length, 'record')}`;
        progress.show({ message, elapsedMs: performance.now() - startedAtMs });
      },
    });
  } catch (error) {
    if (!(error instanceof KeepapartTimeoutError)) throw error;
    if (error.view === undefined) throw error.cause;
    progress.end();
    process.stderr.write(`keepapart: ${error.message}\n`);
    return error.view;
  } finally {
    progress.end();
  }
}

/** Whether every record was saved. */
export function isWhole(view: RequestView): boolean {
  return leftOf(view) === 0 && view.counts.rolled_back === 0;
}

function leftOf({ counts }: RequestView): number {
  return counts.buffered + counts.in_batch;
}
