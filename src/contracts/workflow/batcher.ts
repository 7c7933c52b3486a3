import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { PackedHeld } from '../../domain/running/held';
import type { PackedBuffer } from '../../domain/buffer/buffer';
import type { ConflictRule } from '../../domain/rules';
import type { CutCounts } from '../../domain/explain/cut-counts';
import type { JsonValue } from '../../domain/json';
import type { PackedPace } from '../../domain/pace/pace';
import type { KeyRef, PackedKeyWindow, RequestDigest } from '../../domain/windows/key-window';
import type { Layout } from '../../domain/windows/layout';
import type { PageRef } from '../../domain/buffer/paged-buffer';
import type { TraceContext } from '../../domain/records/trace-context';
import type { MessageOrigin, PackedSenders } from '../../domain/windows/sender-window';
import type { PackedStreams, StreamPart, StreamProgress } from '../../domain/windows/stream-window';
import type {
  BatcherCounters,
  DrainStatus,
  OperatorAction,
  PaceStatus,
  StoreAway,
  StoreStatus,
} from './batcher-status';
import type { BufferSample } from './buffer-sample';
import type { ClosedBatches } from './child';
import type { ControlNote } from './controls';
import type { RunLimits } from './run-limits';
import type { LimitOverrides, OverriddenLimits } from './limits';
import type { PipelineSettings, SaveShape } from './settings';
import type { BufferWaits, TracedWaits } from './waits';

export type { BatcherCounters, DrainStatus, OperatorAction } from './batcher-status';
export { RUN_LIMITS, type RunLimits } from './run-limits';

/** Input of `batcherWorkflow`. `carried` is the state of the previous run; absent for the first run. */
export interface BatcherInput {
  settings: PipelineSettings;
  limits: RunLimits;
  /** What request ids are hashed with where they can't be encrypted; absent without encryption. See `hashedId`. */
  idKey?: string;
  carried?: CarriedState;
}

export type BatcherWorkflow = (input: BatcherInput) => Promise<void>;

/**
 * The state that continue-as-new passes to the next run, as plain JSON. All other state of a batcher is derived from
 * it.
 */
export interface CarriedState {
  /** The head of the buffer: the oldest records. */
  buffer: PackedBuffer;
  /** The pages of the buffer, oldest first. */
  pages: PageRef[];
  /** The tail of the buffer: the records after the pages. */
  tail: PackedBuffer;
  /** Sequence number of the next page, from 1. */
  nextPageSeq: number;
  /** The remembered idempotency keys (G5). */
  keys: PackedKeyWindow;
  /** The followed streams with idempotency keys. */
  streams: PackedStreams;
  layout: Layout;
  /** The last message of each recent sender. */
  senders: PackedSenders;
  drain: DrainState | null;
  /** Limits that were changed at runtime. */
  overrides: LimitOverrides;
  /** The holds that keep conflicting records apart while they run; absent in scope `file`. */
  held?: PackedHeld;
  /** What `MAX_SAVES_PER_SECOND` has counted lately; absent without a limit. */
  pace?: PackedPace;
  /** Sequence number of the next child, from 1. */
  nextChildSeq: number;
  /** The children in flight, which the next run adopts. */
  inFlight: InFlightChild[];
  /** The same in compact form; used instead if `inFlight` would be too large. */
  inFlightSeqs: PackedChild[];
  saving: SavingState;
  lastBatchStartedAtMs: number;
  counters: BatcherCounters;
  /** Totals of the batches so far. */
  cuts: CutCounts;
  paused: OperatorAction | null;
  /** What operators did, the latest last; absent if there is nothing. */
  controls?: ControlNote[];
  /** Workers' notices of an unavailable store. */
  storeNotices: PackedNotice[];
  /** Number of earlier runs. */
  continuedAsNew: number;
  /** Set if the next run still has to look for children of a terminated batcher with the same id. */
  takeOver?: true;
  /** Set to the run that began with a reset, if the next run still has to find out what was started before it. */
  resetRun?: string;
}

/**
 * A child in flight in compact form. `gap` is the difference to the previous child's sequence number, for the first child
 * to 0. A child with a single batch is the number {@link PACKED_GAP} × gap + records; `told` is the last reported progress
 * of a child that saves in bulk.
 */
export type PackedChild = number | [gap: number, records: number, batches: number, told?: PackedProgress];

/** Greater than the upper bound of `MAX_BATCH_SIZE`. */
export const PACKED_GAP = 1024;

type PackedProgress = [batches: number, saved: number, rolledBack: number, retries: number];

/** A child in flight. */
export interface InFlightChild {
  childId: string;
  /** Number of its batches. */
  batches: number;
  /** Number of their records. */
  records: number;
  /** Whether it saves in bulk. */
  bulk: boolean;
  /** When it started, in milliseconds since the epoch; 0 if it was carried in compact form. */
  startedAtMs: number;
  /** The progress it last reported: batches that are closed, and already counted. */
  told?: ClosedBatches;
  /** The distinct requests that it has records of; empty if it was carried in compact form. */
  requestIds: string[];
}

/** A worker's notice of an unavailable store. */
export interface PackedNotice extends StoreAway {
  worker: string;
  /** When the first notice arrived, in milliseconds since the epoch, on the batcher's clock. */
  notedAtMs: number;
  /** When the last notice lapses, on the same clock. */
  untilMs: number;
}

/** How batches are currently saved, and why. */
export interface SavingState {
  shape: SaveShape;
  /** When the shape was chosen, in milliseconds since the epoch. */
  sinceMs: number;
  /** How many batches were due then; null if the settings determine the shape. */
  due: number | null;
  /** Whether `auto` avoids bulk saving because even the fastest save took seconds. */
  storeIsSlow: boolean;
}

/** A drain: it is done when all records that were accepted before it have their outcomes. */
export interface DrainState extends OperatorAction {
  /** All those records are in children with a smaller sequence number; null while some are still buffered. */
  untilChildSeq: number | null;
}

export const NO_COUNTS: Readonly<BatcherCounters> = {
  accepted: 0,
  batchesStarted: 0,
  batchesCompleted: 0,
  batchesFailed: 0,
  duplicateRequests: 0,
  repeatedMessages: 0,
  malformedMessages: 0,
  saved: 0,
  rolledBack: 0,
  retries: 0,
  lost: 0,
};

/** A list of records, or a part of a stream. */
export interface AcceptedRequest {
  requestId: string;
  values: JsonValue[];
  /** Set for a list with an idempotency key, which must be accepted only once (G5). */
  digest?: RequestDigest;
  /**
   * Rank of the {@link Layout} by which this shard was chosen. The batcher accepts nothing under a lower rank.
   */
  layout?: number;
  /** Set for a part of a stream: index of the first value. */
  offset?: number;
  /**
   * Set for a part of a stream with an idempotency key: it is accepted only once, and only after its predecessor (G5).
   */
  part?: StreamPart;
  /** Set if the request is sampled. It plays no part in what is accepted. */
  trace?: TraceContext;
}

/**
 * Adds records to the buffer: several requests in one signal, so that an API can group them. Durable without a worker.
 * Without an origin (sent with Temporal's own tools), a repeated message is accepted again.
 */
export const addRecordsSignal = defineSignal<[AcceptedRequest[], MessageOrigin?]>('addRecords');

/**
 * Adds records whose sender needs an answer: lists and parts of streams with an idempotency key, and redrives. Returns an
 * answer per request, in order. `action` says who redrove the records; it is only kept in history.
 */
export const takeUpdate = defineUpdate<
  TakeAnswer[],
  [requests: AcceptedRequest[], origin: MessageOrigin, action?: OperatorAction]
>('take');

/** The batcher's answer to a request that it accepted or not. */
export interface TakeAnswer {
  /** Nothing was accepted, because the shard was chosen by a layout that is no longer in force. */
  isOutdated?: true;
  /** Nothing of a part was taken, as the batcher doesn't know yet how far its stream has come; it will in a moment. */
  isNotYet?: true;
  /** For a list: the digest of the body that is known under its key; null if the window has no room for the key. */
  body?: string | null;
  /** For a part: how much of its stream was accepted. */
  stream?: StreamProgress | null;
}

/** Announces the layout that a process is going to use. Returns the layout that is then in force for the batcher. */
export const layoutUpdate = defineUpdate<Layout, [Layout]>('layout');

/** Questions to a batcher. */
export type BatcherQuestion =
  | { about: 'status' }
  | { about: 'request'; requestId: string; withWaits?: boolean }
  | { about: 'keys'; keys: KeyRef[] }
  | { about: 'stream'; key: KeyRef }
  | { about: 'layout' }
  | { about: 'waits' }
  | { about: 'buffer' }
  | { about: 'controls' };

/** The answers to {@link BatcherQuestion}, by `about`. */
export interface BatcherAnswers {
  status: BatcherStatus;
  request: RequestTrace;
  /** Per key, in the order asked: the digest of the body that is known under it; null if the key isn't known. */
  keys: (string | null)[];
  /** How much of the stream under the key was accepted; null if the key isn't known. */
  stream: StreamProgress | null;
  layout: Layout;
  waits: BufferWaits;
  buffer: BufferSample;
  /** The latest last. */
  controls: ControlNote[];
}

/**
 * Asks questions. The validator rejects the update with the answers in a failure of type {@link ANSWERS}, which leaves no
 * event in history. Not a query: a query that reaches a worker without the run can corrupt the run (decision 22).
 */
export const readUpdate = defineUpdate<never, [questions: BatcherQuestion[]]>('read');
export const ANSWERS = 'keepapart-answers';
/**
 * The answer to a question about keys, streams or the layout while a batcher reads what an earlier one remembered, which
 * somebody terminated.
 */
export const NOT_YET = 'not-yet';

/**
 * Puts settings in force, except overridden limits. Batches in flight keep the settings that they started with. `idKey` is
 * no setting, because the settings in force are shown to everybody; see {@link BatcherInput}.
 */
export const configureSignal =
  defineSignal<[settings: PipelineSettings, action: OperatorAction, idKey?: string]>('configure');
/** Flushes everything that is buffered, regardless of its age. A paused batcher does so when it is resumed. */
export const flushSignal = defineSignal<[OperatorAction?]>('flush');
/**
 * Totals of the batches that a child has closed so far. They free their slots while the child continues. Sent only if its
 * other batches will take a while.
 */
export const childProgressSignal = defineSignal<[childId: string, progress: ClosedBatches]>('childProgress');
/** Stops starting batches; records are still accepted, and batches in flight continue. */
export const pauseSignal = defineSignal<[OperatorAction?]>('pause');
export const resumeSignal = defineSignal<[OperatorAction?]>('resume');
/** A flush with progress: see {@link DrainStatus}. */
export const drainSignal = defineSignal<[OperatorAction?]>('drain');

/** The status of a batcher. */
export interface BatcherStatus {
  bufferedRecords: number;
  bufferedBytes: number;
  /** When the oldest buffered record was accepted, in milliseconds since the epoch; null if the buffer is empty. */
  oldestAcceptedAtMs: number | null;
  /**
   * When the longest overdue record became due, in milliseconds since the epoch; null if none is due, or the shard is
   * paused. Records that conflicts keep from starting (scope `running`) don't count as due.
   */
  oldestDueAtMs: number | null;
  /** Number of batches in flight. */
  inFlight: number;
  /** Records of the batches in flight that have no outcome yet. */
  inFlightRecords: number;
  /** accepted - (saved + rolled back + lost + buffered + in flight), in records. 0 unless there is a bug. */
  unaccounted: number;
  counters: BatcherCounters;
  cuts: CutStatus;
  saving: SavingState;
  paused: OperatorAction | null;
  /** What `MAX_SAVES_PER_SECOND` holds back; null without a limit. */
  pace: PaceStatus | null;
  /** Null while the store is available, as far as is known. */
  storeAway: StoreStatus | null;
  /** The last drain; null if there was none. */
  drain: DrainStatus | null;
  /** Number of pages of the buffer; their records count as buffered. */
  pages: number;
  /** The settings in force. */
  settings: PipelineSettings;
  /** The limits that were changed at runtime. */
  overridden: OverriddenLimits;
  run: { historyEvents: number; historyBytes: number; messages: number; continuedAsNew: number };
}

/** Totals of the batches of a shard, with the at most 100 rules that deferred most records. */
export interface CutStatus extends Omit<CutCounts, 'deferredBy'> {
  deferredBy: { rule: ConflictRule; records: number }[];
}

/** Where the records of one request are, except those in closed batches. */
export interface RequestTrace {
  /** Number of records of the request, 0 for a stream; null if none of them is buffered. */
  size: number | null;
  bufferedIndexes: number[];
  /** Children in flight that have records of the request. */
  inFlightChildIds: string[];
  /** Pages that may have records of the request. */
  pageIds: string[];
  /** Only if asked for, because it takes 1 to 2 ms. */
  waits?: TracedWaits;
}

/** For people who inspect a batcher with Temporal's own tools. keepapart itself sends no queries. */
export const statusQuery = defineQuery<BatcherStatus>('status');
export const requestQuery = defineQuery<RequestTrace, [requestId: string]>('request');
