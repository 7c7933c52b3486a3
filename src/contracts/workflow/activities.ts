import type { Batch, BatchRef } from '../../domain/records/batch';
import type { PackedBuffer } from '../../domain/buffer/buffer';
import { HOUR, MINUTE, SECOND } from '../../domain/duration';
import type { RequestDigest } from '../../domain/windows/key-window';
import type { HowItEnded, PackedBatch } from '../../domain/records/packed-batch';
import type { OutcomeFormat, RecordOutcome, UndoFailure } from '../../domain/records/outcome';
import type { KeptRecord } from '../../domain/records/record';
import type { StoreAway } from './store-notice';
import { closedBatchesOf, type ChildResult, type ClosedBatches } from './child';

export interface SaveInput {
  record: KeptRecord;
  batch: BatchRef;
}

export interface SaveResult {
  /** The attempt that succeeded, from 1. */
  attempt: number;
  /** How long the store took for it, in milliseconds. */
  tookMs: number;
}

/** Records of several batches. */
export interface PackedBatches {
  openedAtMs: number;
  batches: { batchId: string; records: PackedBatch }[];
}

export interface SaveBatchesInput extends PackedBatches {
  /** The number of the attempt, from 1, for stores that want to know it. */
  attempt?: number;
}

/** What became of the records of an attempt: those that aren't listed are saved. */
export interface SaveBatchesResult {
  /** The distinct failures. */
  failures: SaveFailure[];
  /** Index of the batch in the input, index of the record in that batch, index into `failures`. */
  failed: [batch: number, record: number, failure: number][];
  /** How long the fastest save took, in milliseconds; absent where the store saves many records in one call. */
  fastestMs?: number;
}

/** Why one attempt to save a record failed. */
export interface SaveFailure {
  message: string;
  /** Whether no further attempt can succeed. */
  refused: boolean;
  /** The earliest time for the next attempt, from now, where the store gives one. */
  retryAfterMs?: number;
}

/** The rollbacks that failed for good; what isn't listed is rolled back. */
export interface RollbackResult {
  failures: UndoFailure[];
  failed: [batch: number, record: number, failure: number][];
}

export interface CloseBatchesInput {
  format: OutcomeFormat;
  openedAtMs: number;
  batches: { batchId: string; records: PackedBatch; outcomes: number[] }[];
  /** What the numbers in `outcomes` refer to. */
  kinds: HowItEnded[];
}

/** Per batch: where it is, why the store refuses it for good, or why it could not be closed this time. */
export interface CloseBatchesResult {
  batches: ({ location: string } | { refused: string } | { failed: string })[];
}

export interface ChildRef {
  childId: string;
}

export interface BatcherRef {
  /** Its workflow id. */
  batcher: string;
}

export interface LeftByBatcher {
  /** Its children that have not completed, also those that closed in any other way. */
  childIds: string[];
  /** The keys that it remembered, of lists that aren't out of reach with it. */
  keys: RequestDigest[];
}

/** What a child holds, of whichever run of the batcher. */
export interface HeldByChild {
  batches: number;
  bulk: boolean;
  records: RecordRun[];
}

/** Consecutive records of one request. */
export type RecordRun = [requestId: string, firstIndex: number, count: number];

export interface SettleBatchInput {
  batch: Batch;
  format: OutcomeFormat;
  /** Why its workflow closed without outcomes; stands in each outcome's error. */
  reason: string;
  /** When that was found, in milliseconds since the epoch: the same in every attempt, as it may stand in the file. */
  atMs: number;
}

/** A settled batch: outcomes in batch order. */
export interface SettleBatchResult {
  location: string;
  outcomes: RecordOutcome[];
}

export interface ReadPageInput {
  pageId: string;
}

/** How a child closed, as the batcher counts it; all zeros unless it completed. */
export interface ChildClosing extends ClosedBatches {
  status: ChildClosingStatus;
  /** See `ChildResult`. */
  fastestMs?: number;
}

export const CHILD_CLOSING = {
  completed: 'completed',
  failed: 'failed',
  terminated: 'terminated',
  canceled: 'canceled',
  timedOut: 'timed_out',
  /** The server doesn't know the workflow any more: it closed longer ago than the namespace retains, or was deleted. */
  notFound: 'not_found',
} as const;

/** How a child closed that completed with this result. */
export function completedWith(result: ChildResult): ChildClosing {
  const { fastestMs } = result;
  return {
    status: CHILD_CLOSING.completed,
    ...closedBatchesOf(result),
    ...(fastestMs !== undefined && { fastestMs }),
  };
}
export type ChildClosingStatus = (typeof CHILD_CLOSING)[keyof typeof CHILD_CLOSING];

/** Everything that workflows have done outside the sandbox. Each may run again at any time (G4). */
export interface Activities {
  /**
   * One attempt to store one record. Fails with `save-failed` (retried) or `record-rejected` (not retried). An error of
   * the store may give the time of the next attempt (`retryAfterMs`), which takes precedence over the interval, here and
   * below.
   */
  save(input: SaveInput): Promise<SaveResult>;
  /**
   * One attempt to store the records of several batches. Failures of records are in the result; it only fails when its
   * worker is gone, and Temporal then makes the same attempt again.
   */
  saveBatches(input: SaveBatchesInput): Promise<SaveBatchesResult>;
  /**
   * Undoes what saves of these records left behind. Tried {@link ROLLBACK_ATTEMPTS} times; what still fails is in the
   * result of the last attempt, and then in the record's outcome.
   */
  rollback(input: PackedBatches): Promise<RollbackResult>;
  /** Publishes the outcomes of batches, those that can be; fails, and is retried, only when none can. */
  closeBatches(input: CloseBatchesInput): Promise<CloseBatchesResult>;
  /** Waits, heartbeating, until a child that an earlier run of the batcher started has closed, in whatever way. */
  adoptChild(input: ChildRef): Promise<ChildClosing>;
  /**
   * Starts a child that closed without completing again under its own id, to be settled (see `ChildPolicy.settle`).
   * Nothing happens when that has been done already. False when the server doesn't know the child any more.
   */
  restartChild(input: ChildRef): Promise<boolean>;
  /** What an earlier batcher of this id has left, as somebody terminated it. */
  findLeft(input: BatcherRef): Promise<LeftByBatcher>;
  /** What a child holds that was started earlier; nothing when the server doesn't know it any more. */
  readChild(input: ChildRef): Promise<HeldByChild>;
  /**
   * Gives every record of a batch that closed without completing an outcome: the one in its file, or rolled back.
   * Retried until it succeeds.
   */
  settleBatch(input: SettleBatchInput): Promise<SettleBatchResult>;
  /** The records of a page of the buffer, whether or not it has been taken in; null when the server doesn't know it. */
  readPage(input: ReadPageInput): Promise<PackedBuffer | null>;
}

/** What a failed `save` carries, so that an outcome can report the attempts of what failed for good. */
export interface FailureDetails {
  /** From 1, without those that ended while the store was away. */
  attempt: number;
  /** The earliest time for the next attempt, from now, where the store gives one. */
  retryAfterMs?: number;
}

/**
 * What an activity reports while it runs, once a store was away. The server keeps it for the next attempt, and hands it to
 * the workflow when the last one is cut off.
 */
export interface HeldDetails {
  /** Present while the activity waits for the store. */
  away?: StoreAway;
  /** Attempts before this one that ended while they waited, with their worker: none of them counts. */
  uncounted: number;
}

/**
 * How often a rollback is tried: 1 s, 2 s, …, 30 s apart, so for about 2½ minutes. Unlike closing, it ends: what a failed
 * rollback leaves behind can be reported in the outcome, and waiting for ever would hold back the outcomes of the others.
 */
export const ROLLBACK_ATTEMPTS = 10;

/**
 * Time-outs of the activities, in milliseconds. A killed worker is noticed after `heartbeatMs`, which must leave room
 * for a worker whose event loop is busy; a single call of the store may take `callMs`, so a slow store gets its time.
 */
export const ACTIVITY_TIMEOUTS = {
  heartbeatMs: 10 * SECOND,
  callMs: 5 * MINUTE,
  /** How long an activity waits for a store that is away before it ends, to be scheduled again. */
  holdMs: 1 * HOUR,
  /** Of an activity that calls the store: its calls, and its waiting between them. */
  storeMs: 2 * HOUR,
  /** Reading or starting a workflow. */
  readMs: 1 * MINUTE,
  /** A child may stay in flight for long; the adopting activity is started again when this is over. */
  adoptMs: 1 * HOUR,
} as const;
