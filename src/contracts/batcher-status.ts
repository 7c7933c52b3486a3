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

export interface DrainStatus extends OperatorAction {
  /** Of what was accepted before it. */
  bufferedRecords: number;
  /** Batches in flight that may hold some of it. */
  inFlight: number;
}
