import { KIB } from '../../domain/duration';

/** When a run continues as new, and what it may do until then. Bytes are those beyond the run's first task. */
export interface RunLimits {
  historyEvents: number;
  historyBytes: number;
  /** Signals and updates. The server's own suggestion to continue as new counts neither. */
  messages: number;
  /** Most bytes of values in the batches that start in one workflow task. */
  startBytes: number;
  /**
   * Most bytes, as packed JSON, that may arrive while a run moves its buffer into pages and be carried all the same: more
   * makes further pages first.
   */
  lateBytes: number;
  /**
   * Most children whose start the server hasn't confirmed. A run can't hand over before all are, and what arrives
   * meanwhile lengthens its history: on a busy server fifty took 15 s, in which 2 MB came.
   */
  startsUnderWay: number;
}

/**
 * Well below the server's own limits (10,000 signals, 2,000 updates, 51,200 events and 50 MiB a run): a run must have room
 * for what arrives while it hands over, and for what it moves out of its state then.
 */
export const RUN_LIMITS = {
  historyEvents: 4000,
  historyBytes: 448 * KIB,
  messages: 1500,
  startBytes: 256 * KIB,
  lateBytes: 24 * KIB,
  startsUnderWay: 10,
} as const satisfies RunLimits;
