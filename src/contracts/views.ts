import type { FlushReason } from '../domain/batch';
import type { JsonValue } from '../domain/json';
import type { Outcome } from '../domain/outcome';
import type { BatcherCounters, DrainStatus, OperatorAction } from './batcher';
import type { OverriddenLimits } from './limits';
import type { PipelineSettings } from './settings';

/** Where a record is. */
export const RECORD_STATE = {
  buffered: 'buffered',
  inBatch: 'in_batch',
  saved: 'saved',
  rolledBack: 'rolled_back',
} as const;
export type RecordState = (typeof RECORD_STATE)[keyof typeof RECORD_STATE];

/** One record of a request: where it is and, once it ended, how. */
export interface RecordView {
  recordId: string;
  state: RecordState;
  batchId?: string;
  /** Attempts that were made; while `in_batch`, the one that runs or is waited for, as long as the save isn't through. */
  attempts?: number;
  /** Of the last attempt that failed; absent on `saved`. */
  error?: string;
}

export interface RequestView {
  requestId: string;
  /** The record that it sends again, when it is a redrive. */
  redriveOf?: string;
  /** How many of the records are in each state. */
  counts: Record<RecordState, number>;
  /** In the order in which the client sent them. */
  records: RecordView[];
}

/** `failed` is every way of closing other than completing. */
export const BATCH_STATES = ['running', 'completed', 'failed'] as const;
export type BatchState = (typeof BATCH_STATES)[number];

/** Which batches to list. */
export interface BatchFilter {
  state?: BatchState;
  /** Only those that hold records of this request. */
  requestId?: string;
  limit: number;
  cursor?: string;
}

export interface BatchSummary {
  batchId: string;
  /** Workflow id of the batcher that started it. */
  batcher: string;
  state: BatchState;
  flushReason: FlushReason;
  requestIds: string[];
  /** ISO 8601, UTC. */
  startedAt: string;
  closedAt: string | null;
  /** Known once the batch completed. */
  saved: number | null;
  rolledBack: number | null;
  retries: number | null;
  /** Temporal's run id, for the Web UI. */
  runId: string;
}

export interface BatchRecordView {
  recordId: string;
  value: JsonValue;
  outcome: Outcome | null;
  attempts: number | null;
  error: string | null;
}

export interface BatchView extends BatchSummary {
  /** Name of the file in `OUT_DIR`, once the batch completed. */
  file: string | null;
  records: BatchRecordView[];
}

export interface BatchPage {
  batches: BatchSummary[];
  /** Opaque; hand it back as `cursor` for the next page; null on the last one. */
  nextCursor: string | null;
}

export interface ShardView {
  shard: number;
  /** Workflow id of its batcher. */
  batcher: string;
  bufferedRecords: number;
  bufferedBytes: number;
  /** Age of the oldest buffered record; null when the buffer is empty. */
  oldestAgeMs: number | null;
  inFlight: number;
  counters: BatcherCounters;
  paused: OperatorAction | null;
  /** How far the last drain has come; null when there was none. */
  drain: DrainStatus | null;
  /** The limits that were set while the system ran: by whom, when, and what is configured instead. */
  overridden: OverriddenLimits;
}

export interface StatusView {
  shards: ShardView[];
  /** The shards summed; the oldest age is the greatest. */
  total: Omit<ShardView, 'shard' | 'batcher' | 'paused' | 'drain' | 'overridden'> & { paused: boolean };
  /** What is in force, as the first shard's batcher has it. */
  settings: PipelineSettings;
}
