// Types that `keepapart/client` shows: nothing here may import Temporal's SDK.

/** Who did something by hand, and when. */
export interface OperatorAction {
  by: string;
  atMs: number;
}

/** Since the batcher's first run. */
export interface BatcherCounters {
  accepted: number;
  batchesStarted: number;
  batchesCompleted: number;
  /** How often a batch closed in any other way than completing; it is then settled by another run of the same id. */
  batchesFailed: number;
  /** Requests that added nothing, as their key was known. */
  duplicateRequests: number;
  /** Messages that added nothing, as they had arrived before: the sender repeated them when the reply was lost. */
  repeatedMessages: number;
  /** Messages that are none of ours, sent with Temporal's own tools for example; they changed nothing. */
  malformedMessages: number;
  saved: number;
  rolledBack: number;
  retries: number;
  /** Records whose page or child the server doesn't know any more, as somebody deleted it: they have no outcome. */
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

export interface DrainStatus extends OperatorAction {
  /** Of what was accepted before it. */
  bufferedRecords: number;
  /** Batches in flight that may hold some of it. */
  inFlight: number;
}

/** That a store as a whole can't work. */
export interface StoreAway {
  /** When that was first seen, in milliseconds since the epoch, on the worker's clock. */
  sinceMs: number;
  /** In the words of the store, shortened. */
  reason: string;
}

/** That the store is away, as workers report it. */
export interface StoreStatus extends StoreAway {
  /** How many workers report it. */
  workers: number;
  /** Whether no batch starts for that; false while batches close all the same, by other workers. */
  holdsBack: boolean;
}
