import type { BatchRef } from '../domain/batch';
import { HOUR, MINUTE, SECOND } from '../domain/duration';
import type { OutcomeFormat, OutcomeTally, SettledRecord } from '../domain/outcome';
import type { KeptRecord } from '../domain/record';
import type { ClosedBatch } from '../domain/record-store';

export interface SaveInput {
  record: KeptRecord;
  batch: BatchRef;
}

export interface SaveResult {
  /** The attempt that succeeded, from 1. */
  attempt: number;
}

export interface CloseBatchInput {
  batch: BatchRef;
  records: SettledRecord[];
  format: OutcomeFormat;
}

export interface AdoptBatchInput {
  batchId: string;
}

/** How a batch workflow ended, as the batcher counts it; the tally is all zeros unless it completed. */
export interface BatchClosing extends OutcomeTally {
  status: BatchClosingStatus;
}

export const BATCH_CLOSING = {
  completed: 'completed',
  failed: 'failed',
  terminated: 'terminated',
  canceled: 'canceled',
  timedOut: 'timed_out',
  /** The server doesn't know the workflow any more: it closed longer ago than the namespace retains. */
  notFound: 'not_found',
} as const;
export type BatchClosingStatus = (typeof BATCH_CLOSING)[keyof typeof BATCH_CLOSING];

/** Everything that workflows have done outside the sandbox. Each may run again at any time (G4). */
export interface Activities {
  /** One attempt to store one record. Fails with `save-failed` (retried) or `record-rejected` (not retried). */
  save(input: SaveInput): Promise<SaveResult>;
  /** Undoes what an exhausted save left behind; retried until it succeeds. */
  rollback(input: SaveInput): Promise<void>;
  /** Publishes the batch's outcomes; retried until it succeeds. */
  closeBatch(input: CloseBatchInput): Promise<ClosedBatch>;
  /** Waits, heartbeating, until a batch that an earlier run of the batcher started has closed, however it does. */
  adoptBatch(input: AdoptBatchInput): Promise<BatchClosing>;
}

/** What `save` attaches to its failures, so that an outcome can tell the attempts of a record that failed for good. */
export interface SaveFailureDetails {
  attempt: number;
}

/**
 * Time-outs of the activities, in milliseconds. A killed worker is noticed after `heartbeatMs`, which must leave room
 * for a worker whose event loop is busy; a single attempt may take `saveMs`, so a slow store gets its time.
 */
export const ACTIVITY_TIMEOUTS = {
  heartbeatMs: 10 * SECOND,
  saveMs: 5 * MINUTE,
  closeMs: 5 * MINUTE,
  /** A batch may stay in flight for long; the adopting activity is started anew when this is over. */
  adoptMs: 1 * HOUR,
} as const;
