// `keepapart/client` exports these types, so nothing here may import Temporal's SDK.

/** Who performed an operator's action, and when. */
export interface OperatorAction {
  by: string;
  /** Milliseconds since the epoch. */
  atMs: number;
}

/** Totals since the batcher's first run; records unless noted. */
export interface BatcherCounters {
  accepted: number;
  batchesStarted: number;
  batchesCompleted: number;
  /** How often a batch ended early; another run of its child then settles it. */
  batchesFailed: number;
  /** Requests that added nothing, because their idempotency key was known. */
  duplicateRequests: number;
  /** Messages that added nothing, because they had arrived before: their sender repeated them after a lost reply. */
  repeatedMessages: number;
  /** Messages that keepapart doesn't send, for example sent with Temporal's own tools. They changed nothing. */
  malformedMessages: number;
  saved: number;
  rolledBack: number;
  /** Save attempts beyond the first of each record. */
  retries: number;
  /** Records without an outcome, because somebody deleted their page or child. */
  lost: number;
}

/** What `MAX_SAVES_PER_SECOND` holds back in one shard. */
export interface PaceStatus {
  /** How many records of any value may start now; null without a rate for all records. */
  room: number | null;
  /** How many values have started records so recently that their rate limits them; at most 500. */
  values: number;
  /** How many buffered records may not start by the rate of their value, of those that batches are cut from. */
  heldRecords: number;
  /** When the next record that is held back may start, in milliseconds since the epoch; null when none is. */
  untilMs: number | null;
}

/** Progress of a drain. */
export interface DrainStatus extends OperatorAction {
  /** Records accepted before the drain that are still buffered. */
  bufferedRecords: number;
  /** Batches in flight that may have such records. */
  inFlight: number;
}

/** An unavailable store. */
export interface StoreAway {
  /** When a worker first noticed it, in milliseconds since the epoch, on the worker's clock. */
  sinceMs: number;
  /** The store's error, shortened. */
  reason: string;
}

/** An unavailable store, as reported by workers. */
export interface StoreStatus extends StoreAway {
  /** How many workers report it. */
  workers: number;
  /** Whether no batch starts because of it; false while other workers still close batches. */
  holdsBack: boolean;
}
