import type { Kill } from './faults';

/** How long it took from the restart of what was killed to the first new batch file. */
export interface Recovery {
  kills: number;
  /** Kills after which no file came before the end of the run, as there was nothing left to do. */
  withoutWork: number;
  medianMs: number | null;
  worstMs: number | null;
}

/** @param filesAtMs when each batch file appeared, oldest first */
export function recoveryOf(kills: readonly Kill[], filesAtMs: readonly number[]): Recovery {
  const tookMs = kills.map((kill) => tookAfter(kill, filesAtMs));
  const known = tookMs.filter((ms) => ms !== undefined).sort((a, b) => a - b);
  return {
    kills: kills.length,
    withoutWork: tookMs.length - known.length,
    medianMs: known[Math.floor(known.length / 2)] ?? null,
    worstMs: known.at(-1) ?? null,
  };
}

function tookAfter({ killed }: Kill, filesAtMs: readonly number[]): number | undefined {
  // Of several that were killed together, the one that was started again first.
  const restarts = killed.flatMap(({ process, starts }) => process.startsAtMs[starts] ?? []);
  const restartedAtMs = Math.min(...restarts);
  const fileAtMs = filesAtMs.find((atMs) => atMs >= restartedAtMs);
  return fileAtMs === undefined ? undefined : fileAtMs - restartedAtMs;
}
