import type { Batch } from '../domain/batch';
import type { OutcomeFormat, RecordOutcome } from '../domain/outcome';

/** Input of `batchWorkflow`. What is in force for this batch stands with it, whatever the settings are later. */
export interface BatchInput {
  batch: Batch;
  maxAttempts: number;
  retryIntervalMs: number;
  outcomeFormat: OutcomeFormat;
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
