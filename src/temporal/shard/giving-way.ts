import { setTimeout as sleep } from 'node:timers/promises';
import { KIB, MIB, SECOND } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';

/** How a run that is to be followed by another is getting on. */
export interface RunProgress {
  runId: string;
  /** Grows with everything that the run does. */
  historyLength: number;
  /** In bytes. */
  historySize: number;
}

export interface GivingWayLimits {
  /** What one run may be sent, in bytes of values. */
  bytesPerRun: number;
  /** For how long a run may stand still before it is sent more all the same: there may be no worker at all. */
  patienceMs: number;
  lookEveryMs: number;
  /** What a message takes of a history beside its values, at least. */
  messageBytes: number;
  /** What the history of a run that stands still may take, in bytes and in events: then there is no worker. */
  standingBytes: number;
  standingEvents: number;
}

/** A run that was sent nothing else is due to hand over a little below this (`RUN_LIMITS`), and has the rest for it. */
export const GIVING_WAY: GivingWayLimits = {
  bytesPerRun: 512 * KIB,
  patienceMs: 3 * SECOND,
  lookEveryMs: 25,
  messageBytes: 300,
  /**
   * The server ends a run at 50 MiB of history and 51,200 events, and takes no more than 10,000 signals. What has come
   * without a worker is written a second time when the run hands over, into pages.
   */
  standingBytes: 16 * MIB,
  standingEvents: 8000,
};

/** How soon to come back where there is no worker. */
const COME_BACK_AFTER_MS = 5 * SECOND;

/**
 * Lets a batcher's run that has grown long hand over before it is sent more. A run can't end while messages arrive, moves
 * into pages what came meanwhile, and writes each byte of it twice: on a busy machine, runs that had handing over to do
 * came to more than 2 MiB that way. So once a run has taken its share, the next message waits for the run after it; not
 * longer than the run gets on, as without a worker none ever comes.
 *
 * Without a worker nothing is counted but by the server: a run that stands still takes messages until its history has
 * grown so long that a worker can still hand it over, however many processes have filled it, and started how often.
 * @param look tells of the batcher's current run
 * @returns sends something of so many bytes, one call at a time; `send` tells which run has taken it. Rejects with
 *   `buffer-full` where the run waits for a worker and can take no more.
 */
export function createGivingWay(
  look: () => Promise<RunProgress>,
  limits: GivingWayLimits = GIVING_WAY,
): (bytes: number, send: () => Promise<string>) => Promise<void> {
  const { bytesPerRun, patienceMs, lookEveryMs, messageBytes, standingBytes, standingEvents } = limits;
  /** That has taken something last; undefined before anything was sent. */
  let run: string | undefined;
  let taken = 0;

  /** The run after the last one, or the last one if it stands still. */
  async function nextRun(): Promise<RunProgress> {
    let historyLength = 0;
    // Counted in looks: a process that is held up itself doesn't see a run stand still.
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
      `No worker takes up what has come: ${historyLength} events of ${historySize} bytes wait for one, and no more than ` +
        `${standingEvents} of ${standingBytes} bytes may.`,
      { retryAfterMs: COME_BACK_AFTER_MS },
    );
  }

  return async (bytes, send) => {
    if (run === undefined || (taken > 0 && taken + bytes > bytesPerRun)) {
      // Whatever keeps it from being seen keeps it from being sent too, and is told of there.
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
