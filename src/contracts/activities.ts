import type { Batch, BatchRef } from '../domain/batch';
import type { PackedBuffer } from '../domain/buffer';
import { HOUR, MINUTE, SECOND } from '../domain/duration';
import type { OutcomeFormat, OutcomeTally, SettledRecord } from '../domain/outcome';
import type { KeptRecord } from '../domain/record';
import type { ClosedBatch } from '../domain/record-store';
import type { PackedBatch, PackedOutcomes } from '../domain/packed-batch';
import type { BatchResult } from './batch';

export interface SaveInput {
  record: KeptRecord;
  batch: BatchRef;
}

export interface SaveResult {
  /** The attempt that succeeded, from 1. */
  attempt: number;
}

export interface SaveRecordsInput {
  /** Of one batch: all, or those that are to be tried again. */
  records: KeptRecord[];
  batch: BatchRef;
}

/** The records that are neither failed nor slow are saved. */
export interface SaveRecordsResult {
  failed: FailedSave[];
  /** Places in the input of those that were not through within {@link LOCAL_PATIENCE_MS}: `save` waits for them. */
  slow?: number[];
}

/** What one attempt to save a record failed with. */
export interface FailedSave extends SaveFailure {
  /** Of the record in the input, from 0. */
  place: number;
}

export interface SaveFailure {
  message: string;
  /** Whether no further attempt can succeed. */
  refused: boolean;
  /** When it may be tried again, where the store says so. */
  retryAfterMs?: number;
}

export interface CloseBatchInput {
  batch: BatchRef;
  records: SettledRecord[];
  format: OutcomeFormat;
}

export interface CloseBatchesInput {
  format: OutcomeFormat;
  batches: (BatchRef & { records: PackedBatch; outcomes: PackedOutcomes })[];
}

/** In their order; a batch that could not be closed tells why, and is for `closeBatch` then. */
export interface CloseBatchesResult {
  batches: ({ location: string } | { failed: string })[];
}

export interface AdoptBatchInput {
  /** Id of the workflow that holds the batch, or several. */
  batchId: string;
}

export interface SettleBatchInput {
  batch: Batch;
  format: OutcomeFormat;
  /** Why its workflow closed without outcomes; stands in each outcome's error. */
  reason: string;
  /** When that was found, in milliseconds since the epoch: the same in every attempt, as it may stand in the file. */
  atMs: number;
}

export interface ReadPageInput {
  pageId: string;
}

/** How a workflow of one batch or several ended, as the batcher counts it; all zeros unless it completed. */
export interface BatchClosing extends OutcomeTally {
  status: BatchClosingStatus;
  /** How many batches it held. Absent for one, as older workers tell it. */
  batches?: number;
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
  /**
   * One attempt to store one record, or what is left of one that `saveRecords` found slow. Fails with `save-failed`
   * (retried) or `record-rejected` (not retried). A store's error may say when to try again (`retryAfterMs`); that then
   * goes before the interval, here and below.
   */
  save(input: SaveInput): Promise<SaveResult>;
  /**
   * One attempt to store records of one batch; tells which of them failed, and which take long. What it fails with
   * itself goes for each of them. Called as a local activity.
   */
  saveRecords(input: SaveRecordsInput): Promise<SaveRecordsResult>;
  /** Undoes what a save left behind; tried {@link ROLLBACK_ATTEMPTS} times, then told in the record's outcome. */
  rollback(input: SaveInput): Promise<void>;
  /** Publishes the batch's outcomes; retried until it succeeds. */
  closeBatch(input: CloseBatchInput): Promise<ClosedBatch>;
  /** Publishes several batches, those that can be; fails, and is retried, only when none can. */
  closeBatches(input: CloseBatchesInput): Promise<CloseBatchesResult>;
  /** Waits, heartbeating, until a batch that an earlier run of the batcher started has closed, however it does. */
  adoptBatch(input: AdoptBatchInput): Promise<BatchClosing>;
  /**
   * Starts a batch that closed without completing once more under its own id, to be settled (see `BatchInput.settle`).
   * Nothing happens when that has been done already. False when the server doesn't know the batch any more.
   */
  restartBatch(input: AdoptBatchInput): Promise<boolean>;
  /**
   * Gives every record of a batch that closed without completing an outcome: that of its file, or rolled back. Retried
   * until it succeeds.
   */
  settleBatch(input: SettleBatchInput): Promise<BatchResult>;
  /** The records of a page of the buffer, whether or not it has been taken in. */
  readPage(input: ReadPageInput): Promise<PackedBuffer>;
}

/** What `save` and `rollback` attach to their failures, so that an outcome can tell the attempts of what failed for good. */
export interface FailureDetails {
  attempt: number;
  /** When it may be tried again, where the store says so. */
  retryAfterMs?: number;
}

/**
 * How often a rollback is tried; 1 s, 2 s, …, 30 s apart, so for about 2½ minutes. It ends, unlike closing: what a failed
 * rollback leaves behind can be told in the outcome, and waiting for ever would hold back the outcomes of the others.
 */
export const ROLLBACK_ATTEMPTS = 10;

/**
 * How long a local activity waits for a store. It holds its workflow task, and with it whatever else the workflow has to
 * say; what takes longer is for an activity of the server's, which may take its time and whose worker is watched.
 */
export const LOCAL_PATIENCE_MS = 2 * SECOND;

/**
 * Time-outs of the activities, in milliseconds. A killed worker is noticed after `heartbeatMs`, which must leave room
 * for a worker whose event loop is busy; a single attempt may take `saveMs`, so a slow store gets its time.
 */
export const ACTIVITY_TIMEOUTS = {
  heartbeatMs: 10 * SECOND,
  saveMs: 5 * MINUTE,
  /** Of a local attempt to save, which gives up waiting long before. */
  localMs: 1 * MINUTE,
  closeMs: 5 * MINUTE,
  /** Reading or starting a workflow. */
  readMs: 1 * MINUTE,
  /** A batch may stay in flight for long; the adopting activity is started anew when this is over. */
  adoptMs: 1 * HOUR,
} as const;
