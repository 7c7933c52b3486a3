import type { Batch } from '../domain/batch';
import type { OutcomeFormat, RecordOutcome } from '../domain/outcome';
import type { OnFailure, SaveActivity } from './settings';

/** Input of `batchWorkflow`. What is in force for this batch stands with it, whatever the settings are later. */
export interface BatchInput {
  batch: Batch;
  maxAttempts: number;
  retryIntervalMs: number;
  outcomeFormat: OutcomeFormat;
  /** Absent in what 0.1.0 started: `keep`. */
  onFailure?: OnFailure;
  /** Absent: `regular`, as in all that was started before 0.3.0. */
  saveActivity?: Exclude<SaveActivity, 'regular'>;
  /**
   * Given when an earlier run of this id closed without completing: nothing is saved any more. If the earlier run had
   * got as far as the file, its outcomes stand; else every record is rolled back for this reason.
   */
  settle?: { reason: string };
}

/** Result of `batchWorkflow`: outcomes in batch order. Values are left out: they stand in the input. */
export interface BatchResult {
  /** Where the store put the batch, e.g. the file's name. */
  location: string;
  outcomes: RecordOutcome[];
}

/** Memo of `batchWorkflow`: comes with every listing, isn't indexed. */
export interface BatchMemo {
  /** Length of each request that has records here, so that a reader knows when it has seen all of a request. */
  requestSizes: Record<string, number>;
}

export type BatchWorkflow = (input: BatchInput) => Promise<BatchResult>;
