import type { BatcherStatus } from '../../contracts/workflow/batcher';
import { MINUTE, SECOND } from '../../domain/duration';
import type { Load } from './admission';

/** Answers closer together than this say nothing about the rate, because outcomes arrive batch by batch. */
const LEAST_SAMPLE_MS = 1 * SECOND;
/** Time constant of the average. */
const MEMORY_MS = 10 * SECOND;

/** Before the first measurement. */
const UNKNOWN_WAIT_MS = 1 * SECOND;
const LEAST_WAIT_MS = 1 * SECOND;
const MOST_WAIT_MS = 1 * MINUTE;

/**
 * How fast the records of a shard reach their outcomes, from the batcher's counters in successive answers: an exponentially
 * weighted average over about ten seconds.
 */
export function createDrainRate() {
  let sample: { settled: number; atMs: number } | undefined;
  let perMs: number | undefined;
  let paused = false;

  return {
    /** @param atMs when the answer arrived */
    note({ counters, paused: pausedBy }: Pick<BatcherStatus, 'counters' | 'paused'>, atMs: number): void {
      paused = pausedBy !== null;
      const settled = counters.saved + counters.rolledBack;
      const elapsedMs = sample === undefined ? 0 : atMs - sample.atMs;
      if (sample !== undefined && elapsedMs < LEAST_SAMPLE_MS) return;
      if (sample !== undefined) {
        const measured = Math.max(0, settled - sample.settled) / elapsedMs;
        const weight = perMs === undefined ? 1 : 1 - Math.exp(-elapsedMs / MEMORY_MS);
        perMs = (perMs ?? 0) + weight * (measured - (perMs ?? 0));
      }
      sample = { settled, atMs };
    },

    /**
     * Estimated time until `beyond` has left a buffer that holds `held`, in milliseconds, from a second to a minute. A minute
     * while nothing drains.
     */
    waitMsFor(beyond: Load, held: Load): number {
      if (paused) return MOST_WAIT_MS;
      if (perMs === undefined) return UNKNOWN_WAIT_MS;
      const bytesPerRecord = held.records === 0 ? 1 : Math.max(1, held.bytes / held.records);
      const records = Math.max(beyond.records, beyond.bytes / bytesPerRecord);
      return Math.min(MOST_WAIT_MS, Math.max(LEAST_WAIT_MS, Math.ceil(records / perMs)));
    },
  };
}
