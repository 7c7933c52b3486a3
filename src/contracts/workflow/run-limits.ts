import { KIB } from '../../domain/duration';

/** Of a summary: Temporal takes 400 bytes, and encryption adds up to 160. */
export const MAX_SUMMARY_BYTES = 200;

/** Bounds of a run. It continues as new when it reaches any of the first three. */
export interface RunLimits {
  historyEvents: number;
  /** Size of the history beyond the run's first workflow task. */
  historyBytes: number;
  /** Signals and updates. The server's own suggestion to continue as new counts neither. */
  messages: number;
  /** Bound of the values in the batches that start in one workflow task, in bytes. */
  startBytes: number;
  /**
   * Bound of the records that arrive while a run moves its buffer to pages and are carried directly, in bytes as packed
   * JSON. If more arrive, the run makes further pages first.
   */
  lateBytes: number;
  /**
   * Bound of the children whose start the server hasn't confirmed. A run can't continue as new before all starts are
   * confirmed, and messages meanwhile add to its history: on a busy server, fifty starts took 15 s, in which 2 MB arrived.
   */
  startsUnderWay: number;
}

/**
 * Well below the server's limits for a run (10,000 signals, 2,000 updates, 51,200 events, 50 MiB), which leaves room for
 * messages that arrive before continue-as-new, and for moving the buffer to pages.
 */
export const RUN_LIMITS = {
  historyEvents: 4000,
  historyBytes: 448 * KIB,
  messages: 1500,
  startBytes: 256 * KIB,
  lateBytes: 24 * KIB,
  startsUnderWay: 10,
} as const satisfies RunLimits;
