import type { BatchState, Redriven } from './states';

/* What callers select. */

/** Which batches to list. */
export interface BatchFilter {
  state?: BatchState;
  /** Only batches with records of this request. */
  requestId?: string;
  limit: number;
  cursor?: string;
}

/** Which dead letters to list. */
export interface DeadLetterFilter {
  /**
   * How many batches with dead letters a page covers. The page has all their dead letters that match, possibly none.
   */
  limit: number;
  cursor?: string;
  requestId?: string;
  batchId?: string;
  redriven: Redriven;
}

/** Which dead letters to redrive. With `error`, all of a `DeadLetterGroup`. */
export type RedriveSelection =
  | { records: readonly string[] }
  | { batchId: string }
  | { requestId: string }
  | { error: string }
  | { all: true };
