import { setTimeout as sleep } from 'node:timers/promises';
import { KIB, SECOND } from '../../domain/duration';

/** How a run that is to be followed by another is getting on. */
export interface RunProgress {
  runId: string;
  /** Grows with everything that the run does. */
  historyLength: number;
}

export interface GivingWayLimits {
  /** What one run may be sent, in bytes of values. */
  bytesPerRun: number;
  /** For how long a run may stand still before it is sent more all the same: there may be no worker at all. */
  patienceMs: number;
  lookEveryMs: number;
}

/** A run that was sent nothing else is due to hand over a little below this (`RUN_LIMITS`), and has the rest for it. */
export const GIVING_WAY: GivingWayLimits = {
  bytesPerRun: 512 * KIB,
  patienceMs: 3 * SECOND,
  lookEveryMs: 25,
};

/**
 * Lets a batcher's run that has grown long hand over before it is sent more. A run can't end while messages arrive, moves
 * into pages what came meanwhile, and writes each byte of it twice: on a busy machine, runs that had handing over to do
 * came to more than 2 MiB that way. So once a run has taken its share, the next message waits for the run after it; not
 * longer than the run gets on, as without a worker none ever comes.
 * @param look tells of the batcher's current run
 * @returns sends something of so many bytes, one call at a time; `send` tells which run has taken it
 */
export function createGivingWay(
  look: () => Promise<RunProgress>,
  { bytesPerRun, patienceMs, lookEveryMs }: GivingWayLimits = GIVING_WAY,
): (bytes: number, send: () => Promise<string>) => Promise<void> {
  let run = '';
  let taken = 0;

  async function nextRun(): Promise<void> {
    let historyLength = 0;
    // Counted in looks: a process that is held up itself doesn't see a run stand still.
    for (let still = 0; still * lookEveryMs < patienceMs; still++) {
      const now = await look();
      if (now.runId !== run) return;
      if (now.historyLength !== historyLength) still = 0;
      historyLength = now.historyLength;
      await sleep(lookEveryMs);
    }
  }

  return async (bytes, send) => {
    if (taken > 0 && taken + bytes > bytesPerRun) {
      // Whatever keeps it from being seen keeps it from being sent too, and is told of there.
      await nextRun().catch(() => undefined);
      taken = 0;
    }
    const takenBy = await send();
    if (takenBy !== run) taken = 0;
    run = takenBy;
    taken += bytes;
  };
}
