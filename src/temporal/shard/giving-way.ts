import { setTimeout as sleep } from 'node:timers/promises';
import { KIB, MIB, SECOND } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';

/** Progress of a run that should hand over to the next one. */
export interface RunProgress {
  runId: string;
  /** Grows with every event of the run. */
  historyLength: number;
  /** In bytes. */
  historySize: number;
}

/** Bounds of {@link createGivingWay}. */
export interface GivingWayLimits {
  /** Maximum bytes of values sent to one run. */
  bytesPerRun: number;
  /** How long a run may make no progress before more is sent to it anyway, because there may be no worker at all. */
  patienceMs: number;
  lookEveryMs: number;
  /** Minimum bytes of history per message, besides its values. */
  messageBytes: number;
  /** Maximum history of a run that makes no progress, in bytes and in events: then there is no worker. */
  standingBytes: number;
  standingEvents: number;
}

/** With nothing else sent, a run is due to hand over slightly below this (`RUN_LIMITS`); the rest is for handing over. */
export const GIVING_WAY: GivingWayLimits = {
  bytesPerRun: 512 * KIB,
  patienceMs: 3 * SECOND,
  lookEveryMs: 25,
  messageBytes: 300,
  /**
   * The server ends a run at 50 MiB of history and at 51,200 events, and accepts at most 10,000 signals. What arrives
   * without a worker is written a second time at the handover, into pages.
   */
  standingBytes: 16 * MIB,
  standingEvents: 8000,
};

/** Retry delay for clients while there is no worker. */
const RETRY_AFTER_MS = 5 * SECOND;

/**
 * Lets a batcher's run that has grown long hand over before more is sent to it. A run can't end while messages arrive: it
 * moves what arrived into pages, and so writes each byte twice. On a busy machine, such runs grew beyond 2 MiB. So once a
 * run has received its share, the next message waits for the next run, as long as the current one makes progress;
 * without a worker the next run would never come.
 *
 * Without a worker, only the server counts: a run that makes no progress receives messages until its history is so long
 * that a worker can just hand it over, regardless of how many processes have filled it or how often they restarted.
 * @param look returns the batcher's current run
 * @returns a function that sends a message of `bytes` bytes, one call at a time; `send` returns the id of the run that
 *   accepted it. Rejects with `buffer-full` (retried by the client) if the run waits for a worker and is full
 */
export function createGivingWay(
  look: () => Promise<RunProgress>,
  limits: GivingWayLimits = GIVING_WAY,
): (bytes: number, send: () => Promise<string>) => Promise<void> {
  const { bytesPerRun, patienceMs, lookEveryMs, messageBytes, standingBytes, standingEvents } = limits;
  /** The run that accepted the last message; undefined before the first one. */
  let run: string | undefined;
  let taken = 0;

  /** The run after the last one, or the last one if it makes no progress. */
  async function nextRun(): Promise<RunProgress> {
    let historyLength = 0;
    // Counted in looks rather than in time: a process that is itself held up must not conclude that the run is.
    for (let still = 0; ; still++) {
      const now = await look();
      if (now.runId !== run) return now;
      if (now.historyLength !== historyLength) still = 0;
      if (still * lookEveryMs >= patienceMs) return now;
      historyLength = now.historyLength;
      await sleep(lookEveryMs);
    }
  }

  function refuseIfTooLong({ historyLength, historySize }: RunProgress, bytes: number): void {
    if (historySize + bytes <= standingBytes && historyLength < standingEvents) return;
    throw new KeepapartError(
      'buffer-full',
      `No worker processes this shard's messages: ${historyLength} events of ${historySize} bytes wait for one, and the ` +
        `maximum is ${standingEvents} events and ${standingBytes} bytes.`,
      { retryAfterMs: RETRY_AFTER_MS },
    );
  }

  return async (bytes, send) => {
    if (run === undefined || (taken > 0 && taken + bytes > bytesPerRun)) {
      // If the run can't be read, sending fails for the same reason and reports it.
      const now = await (run === undefined ? look() : nextRun()).catch(() => undefined);
      if (now !== undefined) refuseIfTooLong(now, bytes);
      taken = 0;
    }
    const takenBy = await send();
    if (takenBy !== run) taken = 0;
    run = takenBy;
    taken += bytes + messageBytes;
  };
}
