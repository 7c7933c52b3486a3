import type { Batch, BatchRef } from '../../domain/records/batch';
import type { PackedMemory } from '../../domain/windows/batcher-memory';
import type { PackedBuffer } from '../../domain/buffer/buffer';
import { HOUR, MINUTE, SECOND } from '../../domain/duration';
import type { PackedBatch } from '../../domain/records/packed-batch';
import type { HowItEnded, OutcomeFormat, RecordOutcome, UndoFailure } from '../../domain/records/outcome';
import type { KeptRecord } from '../../domain/records/record';
import type { AuditResult } from './audit';
import type { StoreAway } from './store-notice';
import { closedBatchesOf, type ChildResult, type ClosedBatches } from './child';

export interface SaveInput {
  record: KeptRecord;
  batch: BatchRef;
  /** Set if the batch has records of a sampled request, so that the attempt becomes part of its trace. */
  traced?: true;
}

export interface SaveResult {
  /** The attempt that succeeded, from 1. */
  attempt: number;
  /** How long the store took for it, in milliseconds. */
  tookMs: number;
}

/** All or some records of several batches, which were cut at the same time. */
export interface PackedBatches {
  openedAtMs: number;
  /** `traced`: see {@link SaveInput}. */
  batches: { batchId: string; records: PackedBatch; traced?: true }[];
}

export interface SaveBatchesInput extends PackedBatches {
  /** The number of the attempt, from 1; passed to the store. */
  attempt?: number;
}

export interface RollbackInput extends PackedBatches {
  /** Number of attempts that were made before this activity. */
  before: number;
}

/** The failures of an attempt; all other records are saved. */
export interface SaveBatchesResult {
  /** The distinct failures. */
  failures: SaveFailure[];
  /** Index of the batch in the input, index of the record in that batch, index into `failures`. */
  failed: [batch: number, record: number, failure: number][];
  /** Duration of the fastest save, in milliseconds; absent if the store saves many records in one call. */
  fastestMs?: number;
}

/** Why an attempt to save a record failed. */
export interface SaveFailure {
  message: string;
  /** Whether the store rejected the record permanently, so that no further attempt is made. */
  refused: boolean;
  /** How long to wait before the next attempt, in milliseconds, if the store asks for it. */
  retryAfterMs?: number;
}

/**
 * The rollbacks that failed permanently; all other records are rolled back. Indexes as in {@link SaveBatchesResult}.
 */
export interface RollbackResult {
  failures: UndoFailure[];
  failed: [batch: number, record: number, failure: number][];
}

export interface CloseBatchesInput {
  format: OutcomeFormat;
  openedAtMs: number;
  /** `outcomes` are indexes into `kinds`, one per record. */
  batches: { batchId: string; records: PackedBatch; outcomes: number[]; traced?: true }[];
  kinds: HowItEnded[];
}

/** Per batch: where its outcomes are, why the store rejected it permanently, or why closing it failed this time. */
export interface CloseBatchesResult {
  batches: ({ location: string } | { refused: string } | { failed: string })[];
}

export interface ChildRef {
  childId: string;
}

export interface BatcherRef {
  /** Workflow id of the batcher. */
  batcher: string;
}

/** What a terminated batcher has left. */
export interface LeftByBatcher {
  /** Its children that have not completed, including those that ended early. */
  childIds: string[];
  /** Absent where none was there before, or nothing of it is known. */
  before?: LeftBefore;
}

/** What is known of the last batcher of an id that ended otherwise than by handing over. */
export interface LeftBefore {
  /** What it remembered, without lists that are out of reach with it: these are taken again. */
  memory: PackedMemory;
  /** Above the number of every child that it may have started. */
  nextChildSeq: number;
}

export interface ResetRef extends BatcherRef {
  /** The run that began with a reset. */
  runId: string;
  /** Sequence number of the first child to return. */
  from: number;
}

/** Some of the children that a batcher had started before it was reset, and no longer knows of. */
export interface StartedBefore {
  /** In the order of their numbers. */
  children: StartedChild[];
  /** Sequence number of the first child that is missing here, for the next call. Absent if none is missing. */
  next?: number;
}

export interface StartedChild {
  childId: string;
  held: HeldByChild;
  /** How it completed, if one of those runs learned that. */
  closing?: ChildClosing;
}

/** The records of a child. */
export interface HeldByChild {
  /** Number of its batches. */
  batches: number;
  /** Whether it saves in bulk. */
  bulk: boolean;
  records: RecordRun[];
}

/** Consecutive records of one request. */
export type RecordRun = [requestId: string, firstIndex: number, count: number];

export interface SettleBatchInput {
  batch: Batch;
  format: OutcomeFormat;
  /** Why its child ended without outcomes; becomes part of each outcome's error. */
  reason: string;
  /** When that was noticed, in milliseconds since the epoch. The same in every attempt, because files contain it. */
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

/** How a child closed, with the totals of its outcomes; all zeros unless it completed. */
export interface ChildClosing extends ClosedBatches {
  status: ChildClosingStatus;
  /** See {@link ChildResult}. */
  fastestMs?: number;
}

export const CHILD_CLOSING = {
  completed: 'completed',
  failed: 'failed',
  terminated: 'terminated',
  canceled: 'canceled',
  timedOut: 'timed_out',
  /** The server doesn't know the workflow: it closed before the retention period, or was deleted. */
  notFound: 'not_found',
} as const;
export type ChildClosingStatus = (typeof CHILD_CLOSING)[keyof typeof CHILD_CLOSING];

/** The closing of a child that completed with this result. */
export function completedWith(result: ChildResult): ChildClosing {
  const { fastestMs } = result;
  return {
    status: CHILD_CLOSING.completed,
    ...closedBatchesOf(result),
    ...(fastestMs !== undefined && { fastestMs }),
  };
}

/** The activities: everything that workflows do outside the sandbox. Any of them may run again at any time (G4). */
export interface Activities {
  /**
   * One attempt to save one record. Fails with `save-failed` (retried) or `record-rejected` (not retried). If the store's
   * error has a `retryAfterMs`, it replaces the retry interval; this applies to all activities that call the store.
   */
  save(input: SaveInput): Promise<SaveResult>;
  /**
   * One attempt to save records of several batches. The result contains the failures of records; the activity itself
   * fails only if its worker dies, and Temporal then repeats the same attempt.
   */
  saveBatches(input: SaveBatchesInput): Promise<SaveBatchesResult>;
  /**
   * Rolls records back. Tried {@link ROLLBACK_ATTEMPTS} times; the result of the last attempt contains the rollbacks that
   * failed.
   */
  rollback(input: RollbackInput): Promise<RollbackResult>;
  /** Closes batches. Succeeds if any of them was closed or permanently rejected; otherwise fails and is retried. */
  closeBatches(input: CloseBatchesInput): Promise<CloseBatchesResult>;
  /** Waits, with heartbeats, until a child that an earlier run of the batcher started has closed in any way. */
  adoptChild(input: ChildRef): Promise<ChildClosing>;
  /**
   * Starts a child that ended early again under the same id, to settle its batches (see `ChildPolicy.settle`). Does
   * nothing if that was done already. Returns false if the server doesn't know the child.
   */
  restartChild(input: ChildRef): Promise<boolean>;
  /** Finds what a terminated batcher with the same id has left. */
  findLeft(input: BatcherRef): Promise<LeftByBatcher>;
  /**
   * Returns the children that a batcher had started after the point that it was reset to. Those that the server no longer
   * knows, and that no run has seen complete, are started again under their ids, so that each record gets one outcome.
   */
  findStarted(input: ResetRef): Promise<StartedBefore>;
  /** Reads the records of a child; empty if the server doesn't know it. */
  readChild(input: ChildRef): Promise<HeldByChild>;
  /**
   * Settles a batch whose child ended early: each record gets the outcome in the batch's file if there is one; otherwise
   * it is rolled back. Retried until it succeeds.
   */
  settleBatch(input: SettleBatchInput): Promise<SettleBatchResult>;
  /** Holds the batch files that this worker can read against the guarantees. Its heartbeats carry the progress. */
  auditFiles(): Promise<AuditResult>;
  /** Reads a page of the buffer, whether its workflow is open or closed; null if the server doesn't know it. */
  readPage(input: ReadPageInput): Promise<PackedBuffer | null>;
}

/** Details of the failures of activities that call the store. */
export interface FailureDetails {
  /** The number of the attempt, from 1. Attempts that ended because the store was unavailable don't count. */
  attempt: number;
  /** How long to wait before the next attempt, in milliseconds, if the store asks for it. */
  retryAfterMs?: number;
}

/**
 * Heartbeat details of an activity that has met an unavailable store. The server passes them to the next attempt, and to
 * the workflow if the last attempt times out.
 */
export interface HeldDetails {
  /** Present while the activity waits for the store. */
  away?: StoreAway;
  /** How many earlier attempts ended, with their worker, while they waited for the store. They don't count. */
  uncounted: number;
}

/**
 * How often a rollback is tried: 1 s, 2 s, …, 30 s apart, so for about 2½ minutes. Unlike closing, it is bounded, because
 * an outcome can report a failed rollback, and waiting for it would delay the outcomes of other records.
 */
export const ROLLBACK_ATTEMPTS = 10;

/** Timeouts of activities, in milliseconds. */
export const ACTIVITY_TIMEOUTS = {
  /** A killed worker is noticed after this time. Long enough for a worker whose event loop is busy. */
  heartbeatMs: 10 * SECOND,
  /** One call of a store that doesn't bound its calls itself. */
  callMs: 5 * MINUTE,
  /** How long an activity waits for an unavailable store before it ends and is scheduled again. */
  holdMs: 1 * HOUR,
  /** An activity that calls the store, including its waits. */
  storeMs: 2 * HOUR,
  /** Reading or starting a workflow. */
  readMs: 1 * MINUTE,
  /** Adopting a child, which may be in flight for longer; the activity is then scheduled again. */
  adoptMs: 1 * HOUR,
} as const;
