import type { JsonValue } from '../domain/json';
import type { LimitsPatch } from '../domain/limits';
import type { TraceContext } from '../domain/records/trace-context';
import type { AuditsView, AuditView } from './api/answers/audits';
import type { BufferView } from './api/answers/buffer';
import type { ControlsView } from './api/answers/controls';
import type { DeadLetterGroups, DeadLetterPage, RedriveResult } from './api/answers/dead-letters';
import type { DeadLetterFilter, RedriveSelection, BatchFilter } from './api/filters';
import type { DrainReport } from './api/answers/drain';
import type { Overview } from './api/answers/live';
import type { LimitsAnswer } from './workflow/limits';
import type { WorkersView } from './api/answers/workers';
import type { BatchPage, BatchView } from './api/answers/batches';
import type { RequestView, WaitsView } from './api/answers/requests';
import type { StatusView } from './api/answers/status';

export interface DrainOptions {
  /** How long to wait, in milliseconds. The drain continues after a timeout. */
  timeoutMs: number;
  /** Checked repeatedly while waiting; false ends the wait. Default: always true. */
  stillWanted?: () => boolean;
  /** Called after each check of the shards. */
  onProgress?: (report: DrainReport) => void;
}

export interface StreamOptions {
  /** Whether the requestId is an idempotency key; see `openStream`. */
  once: boolean;
  /** Checked while waiting for room in the buffer; false ends the wait. */
  stillWanted: () => boolean;
  /** Set if the request is sampled. */
  trace?: TraceContext | undefined;
}

/** A list of records. */
export interface NewRequest {
  requestId: string;
  values: JsonValue[];
  /** Size of all values as compact JSON; counted if absent. */
  bytes?: number;
  /** Set if the request is sampled. */
  trace?: TraceContext;
}

/** A request whose records arrive one by one. */
export interface RecordStream {
  /**
   * Accepts the next record; resolves when there is room for another one. Rejects with `buffer-full` if the buffer stays
   * full, with `idempotency-key-reused`, or like `addRecords`; after a rejection, no more records are accepted.
   */
  write(value: JsonValue): Promise<void>;
  /** Resolves with the number of records when all are durable. Rejects like `write`, or with `stream-overtaken`. */
  end(): Promise<number>;
  /**
   * Ends a stream that broke: sends the records written so far, unless an earlier call failed, and resolves with the
   * number of durable records, counted from the first.
   */
  durable(): Promise<number>;
  /** The number of records, counted from the first, that are known to be durable so far. */
  soFar(): number;
}

/**
 * What HTTP, TCP and the command line use to reach the batchers; implemented on Temporal in `src/temporal`. Calls reject
 * with `temporal-unavailable`, which the client may retry, and with the errors given below. Everything else is a bug.
 */
export interface BatcherClient {
  /**
   * Resolves only after Temporal has persisted the records (G3); rejects if it is unknown whether it has. With `once`,
   * the requestId is an idempotency key: the same records under it are not added again (G5), different ones are rejected
   * with `idempotency-key-reused`.
   */
  addRecords(request: NewRequest, options?: { once?: boolean }): Promise<void>;
  /**
   * Opens a request with any number of records, which waits for room while the buffer is full. With `once`, the requestId
   * is an idempotency key: if the same stream is sent again, it continues after the records that were accepted before.
   */
  openStream(requestId: string, options: StreamOptions): Promise<RecordStream>;
  /** The status of all shards. */
  status(): Promise<StatusView>;
  /** What all buffered records wait for. Needs a worker. */
  waits(): Promise<WaitsView>;
  /** The first records of every buffer with their values. Each batcher is asked at most once a second; needs a worker. */
  bufferSample(): Promise<BufferView>;
  /**
   * Every shard as its batcher last reported it. Each batcher is asked at most once a second, however many callers there
   * are; never throws, and never waits a second for one that doesn't answer.
   */
  overview(): Promise<Overview>;
  /**
   * The state of a request's records; `undefined` if it was never sent, or is older than the retention period.
   * @param client name of the caller's API key: its own requests are also found by the idempotency key alone
   */
  request(requestId: string, client?: string): Promise<RequestView | undefined>;
  /** Lists batches, newest first. Rejects with `not-found` if the cursor is not from an earlier page. */
  batches(filter: BatchFilter): Promise<BatchPage>;
  /** One batch; `undefined` if it never existed, or closed before the retention period. */
  batch(batchId: string): Promise<BatchView | undefined>;
  /** Who polls for work, and what waits. Temporal is asked at most every five seconds. */
  workers(): Promise<WorkersView>;
  /** What operators did, the latest first. Needs a worker. */
  controls(): Promise<ControlsView>;
  /** The latest audits. Temporal is asked at most once a second; needs no worker. */
  audits(): Promise<AuditsView>;
  /** Starts an audit on a worker, or returns the one that runs. `by` is kept with it. */
  startAudit(by: string): Promise<AuditView>;
  /** Dead letters that were not sent again, counted by error; counted at most every five seconds. */
  deadLetterGroups(): Promise<DeadLetterGroups>;
  /**
   * Lists dead letters, those of the batch that closed last first. Rejects with `not-found` if the cursor is not from
   * an earlier page.
   */
  deadLetters(filter: DeadLetterFilter): Promise<DeadLetterPage>;
  /**
   * Redrives dead letters, each only once (G4), as new requests, so that conflicts are checked again (G2). `by` is kept in
   * history. Rejects with `dead-letter-not-found` if none of the selected records is a dead letter; with `buffer-full` or
   * `temporal-unavailable` if not all could be sent. Repeating the call sends the rest.
   */
  redrive(selection: RedriveSelection, by: string): Promise<RedriveResult>;
  /**
   * Flushes everything that is buffered, in every shard. Like the next two calls durable, and applied in order with
   * requests. `by` is kept in history.
   */
  flush(by: string): Promise<void>;
  /** Stops starting batches; records are still accepted, and batches in flight continue. */
  pause(by: string): Promise<void>;
  resume(by: string): Promise<void>;
  /**
   * Changes limits in every shard, and resolves with those in force then. `by` is kept in history. Rejects with
   * `invalid-request` and all problems; with `temporal-unavailable` if no shard answered, or `limits-incomplete` if not
   * all did: repeating the call completes the change. Needs a worker.
   */
  changeLimits(patch: LimitsPatch, by: string): Promise<LimitsAnswer>;
  /**
   * Flushes everything that is buffered, and waits until all records accepted before have their outcomes. Resolves
   * earlier if the time is up, or if a paused shard still has such records. Needs a worker.
   */
  drain(by: string, options: DrainOptions): Promise<DrainReport>;
  /** Resolves if Temporal answers and the namespace exists; otherwise rejects with `temporal-unavailable`. */
  checkReady(): Promise<Readiness>;
}

export interface Readiness {
  /** Since when the store has been unavailable, ISO 8601, UTC; null if it is available. May be up to a minute old. */
  storeAwaySince: string | null;
}
