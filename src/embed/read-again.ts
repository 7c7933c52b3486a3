import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../domain/duration';

/** Small files cost nothing to read, and nobody waits longer for what is new in them. */
const EVERY_MS = 10 * SECOND;

export interface ReadingAgain {
  /** Ends it. */
  signal: AbortSignal;
  /** Ten seconds by default. */
  everyMs?: number | undefined;
}

/**
 * Reads files again and again, until it is ended. What is in them is to be compared, rather than waiting for a signal or
 * for the system's events: those miss folders that are swapped whole, network file systems and what happens outside of a
 * container, while a file that was read half-written is simply read again.
 * @param read reads them, and puts into force what is new
 * @param onProblem receives why that failed, once for as long as the reason stays the same
 */
export function readAgain(
  read: () => Promise<void>,
  onProblem: (reason: string) => void,
  { signal, everyMs = EVERY_MS }: ReadingAgain,
): void {
  let complaint: string | undefined;
  const reading = async (): Promise<void> => {
    while (!signal.aborted) {
      await sleep(everyMs, undefined, { ref: false, signal });
      try {
        await read();
        complaint = undefined;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (reason !== complaint) onProblem(reason);
        complaint = reason;
      }
    }
  };
  // Only the end of it can make this fail.
  reading().catch(() => undefined);
}
