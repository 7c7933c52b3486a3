import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { PackedHeld } from '../../domain/running/held';
import type { PackedBuffer } from '../../domain/buffer/buffer';
import type { ConflictRule } from '../../domain/rules';
import { KIB } from '../../domain/duration';
import type { CutCounts } from '../../domain/explain/cut-counts';
import type { JsonValue } from '../../domain/json';
import type { PackedPace } from '../../domain/pace/pace';
import type { KeyRef, PackedKeyWindow, RequestDigest } from '../../domain/windows/key-window';
import type { Layout } from '../../domain/windows/layout';
import type { PageRef } from '../../domain/buffer/paged-buffer';
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
import type { ClosedBatches } from './child';
import type { LimitOverrides, OverriddenLimits } from './limits';
import type { PipelineSettings, SaveShape } from './settings';
import type { BufferWaits, TracedWaits } from './waits';

export type { BatcherCounters, DrainStatus, OperatorAction } from './batcher-status';

/** Input of `batcherWorkflow`. `carried` is what the previous run handed over at continue-as-new. */
export interface BatcherInput {
  settings: PipelineSettings;
  limits: RunLimits;
  carried?: CarriedState;
}

/** When a run continues as new, and what it may do until then. Bytes are those beyond the run's first task. */
export interface RunLimits {
  historyEvents: number;
  historyBytes: number;
  /** Signals and updates. The server's own suggestion to continue as new counts neither. */
  messages: number;
  /** Most bytes of values in the batches that start in one workflow task. */
  startBytes: number;
  /**
   * Most bytes, as packed JSON, that may arrive while a run moves its buffer into pages and be carried all the same: more
   * makes further pages first.
   */
  lateBytes: number;
  /**
   * Most children whose start the server hasn't confirmed. A run can't hand over before all are, and what arrives
   * meanwhile lengthens its history: on a busy server fifty took 15 s, in which 2 MB came.
   */
  startsUnderWay: number;
}

/**
 * Well below the server's own limits (10,000 signals, 2,000 updates, 51,200 events and 50 MiB a run): a run must have room
 * for what arrives while it hands over, and for what it moves out of its state then.
 */
export const RUN_LIMITS = {
  historyEvents: 4000,
  historyBytes: 448 * KIB,
  messages: 1500,
  startBytes: 256 * KIB,
  lateBytes: 24 * KIB,
  startsUnderWay: 10,
} as const satisfies RunLimits;

export type BatcherWorkflow = (input: BatcherInput) => Promise<void>;

/** Plain JSON that survives continue-as-new. Everything else in a batcher's memory is derived from it. */
export interface CarriedState {
  /** The oldest records. */
  buffer: PackedBuffer;
  /** What follows them and was moved out of the state, oldest first. */
  pages: PageRef[];
  /** The records behind the pages. */
  tail: PackedBuffer;
  /** Sequence number of the next page, from 1. */
  nextPageSeq: number;
  /** The keys that are remembered (G5). */
  keys: PackedKeyWindow;
  /** Requests that come in parts, under a key. */
  streams: PackedStreams;
  /** How many shards there are for requests with keys. */
  layout: Layout;
  /** The last message of each recent sender. */
  senders: PackedSenders;
  drain: DrainState | null;
  /** Limits that were set while the system ran. */
  overrides: LimitOverrides;
  /** What keeps conflicting records apart while they run; absent in scope `file`. */
  held?: PackedHeld;
  /** What `MAX_SAVES_PER_SECOND` has counted lately; absent without a limit. */
  pace?: PackedPace;
  /** Sequence number of the next child, from 1. */
  nextChildSeq: number;
  /** Children that had started and not closed; the new run adopts them. */
  inFlight: InFlightChild[];
  /** Their numbers instead, where they would take too much room. */
  inFlightSeqs: PackedChild[];
  saving: SavingState;
  lastBatchStartedAtMs: number;
  counters: BatcherCounters;
  /** What the batches so far were like. */
  cuts: CutCounts;
  paused: OperatorAction | null;
  /** What workers have reported of a store that is away. */
  storeNotices: PackedNotice[];
  /** How many runs came before this one. */
  continuedAsNew: number;
  /** Whether the next run has still to look for children of an earlier batcher of this id. */
  takeOver?: true;
}

/**
 * A child in flight by its number, as the gap to the one before it, the first to 0. One of a single batch as
 * {@link PACKED_GAP} × gap + records; one that saves in bulk with its batches and, if it has reported, the numbers of its
 * report.
 */
export type PackedChild = number | [gap: number, records: number, batches: number, told?: PackedProgress];

/** More than the greatest `MAX_BATCH_SIZE`. */
export const PACKED_GAP = 1024;

type PackedProgress = [batches: number, saved: number, rolledBack: number, retries: number];

/** A child that has not closed. */
export interface InFlightChild {
  childId: string;
  /** How many batches it has. */
  batches: number;
  /** How many records they hold. */
  records: number;
  /** Whether it saves them in bulk. */
  bulk: boolean;
  /** When it started, in milliseconds since the epoch; 0 when an earlier run started it and they took too much room. */
  startedAtMs: number;
  /** What it last reported: batches that have their file, which are counted already. */
  told?: ClosedBatches;
  /** The distinct requests whose records it holds; empty when an earlier run started it and they took too much room. */
  requestIds: string[];
}

/** What a worker has reported of its store. */
export interface PackedNotice extends StoreAway {
  worker: string;
  /** When the first notice came, and when the last lapses; in milliseconds since the epoch, on the batcher's clock. */
  notedAtMs: number;
  untilMs: number;
}

/** How batches are saved at present, and why. */
export interface SavingState {
  shape: SaveShape;
  /** When that was decided, in milliseconds since the epoch. */
  sinceMs: number;
  /** How many batches were due then; null where the settings decide. */
  due: number | null;
  /** Whether `auto` does without bulk saving because even the fastest save took seconds. */
  storeIsSlow: boolean;
}

/** A drain that was asked for: everything that was accepted before it is to reach its outcome. */
export interface DrainState extends OperatorAction {
  /** Children with a smaller number hold all of it; null while some of it is still buffered. */
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

/** A list of records as one client sent it, or a part of a stream. */
export interface AcceptedRequest {
  requestId: string;
  values: JsonValue[];
  /** Given when the request must be taken once, however often it is sent (G5). */
  digest?: RequestDigest;
  /** Version of the {@link Layout} by which this shard was chosen for it: of an older one, nothing is taken. */
  layout?: number;
  /** Place of the first value in a request that comes in parts; its length is told by the last one at the earliest. */
  offset?: number;
  /** Given with `offset` when each part must be taken once, and only behind the one before it (G5). */
  part?: StreamPart;
}

/**
 * Hands records to the batcher: several requests in one signal, so that an API may group them. Durable without a worker.
 * Without an origin, as somebody may send it with Temporal's own tools, a repeat is taken again.
 */
export const addRecordsSignal = defineSignal<[AcceptedRequest[], MessageOrigin?]>('addRecords');

/**
 * Hands over records whose sender waits for an answer: lists with a key, parts of streams with a key, redrives. Answers
 * per request, in order. Who had them sent again stands beside them in history; the batcher makes nothing of it.
 */
export const takeUpdate = defineUpdate<
  TakeAnswer[],
  [requests: AcceptedRequest[], origin: MessageOrigin, action?: OperatorAction]
>('take');

/**
 * What the batcher says about a request after taking it or not: for a list, the body that its key stands for (null for
 * none, as the window holds few keys); for a part, how far its stream has been taken.
 */
export interface TakeAnswer {
  /** Nothing was taken, as the shard was chosen by a layout that is no longer in force. */
  isOutdated?: true;
  body?: string | null;
  stream?: StreamProgress | null;
}

/**
 * Tells a batcher of the layout that a process is going to use, and how many shards there were before. Answers what the
 * batcher knows then.
 */
export const layoutUpdate = defineUpdate<Layout, [Layout]>('layout');

/** Questions to a batcher. */
export type BatcherQuestion =
  | { about: 'status' }
  | { about: 'request'; requestId: string; withWaits?: boolean }
  | { about: 'keys'; keys: KeyRef[] }
  | { about: 'stream'; key: KeyRef }
  | { about: 'layout' }
  | { about: 'waits' };

/** The answers, each to the question of its kind. */
export interface BatcherAnswers {
  status: BatcherStatus;
  request: RequestTrace;
  /** The body digest under which each key is known, in the order asked; null for none. */
  keys: (string | null)[];
  /** How far the stream under a key has been taken; null for one that isn't known. */
  stream: StreamProgress | null;
  layout: Layout;
  waits: BufferWaits;
}

/**
 * Asks questions. The validator refuses the update with the answers, as a failure of type {@link ANSWERS}: that leaves no
 * event in history. Not a query: a query that reaches a worker without the run can corrupt it for good (decision 22).
 */
export const readUpdate = defineUpdate<never, [questions: BatcherQuestion[]]>('read');
export const ANSWERS = 'keepapart-answers';

/**
 * Puts settings in force, but for limits that were set while the system ran; records that are in flight keep those that
 * their batch started with.
 */
export const configureSignal = defineSignal<[PipelineSettings, OperatorAction]>('configure');
/** Lets everything that is buffered now go, whatever its age. A paused batcher does it when it is resumed. */
export const flushSignal = defineSignal<[OperatorAction?]>('flush');
/**
 * Which batches of a child have their file so far: they free their places although the child goes on. Sent only where the
 * rest will take a while.
 */
export const childProgressSignal = defineSignal<[childId: string, progress: ClosedBatches]>('childProgress');
/** Stops starting batches; records are still accepted, batches in flight go on. */
export const pauseSignal = defineSignal<[OperatorAction?]>('pause');
export const resumeSignal = defineSignal<[OperatorAction?]>('resume');
/** A flush whose end can be told: see {@link DrainStatus}. */
export const drainSignal = defineSignal<[OperatorAction?]>('drain');

/** What one shard holds and has done. */
export interface BatcherStatus {
  bufferedRecords: number;
  bufferedBytes: number;
  /** When the oldest buffered record was accepted, in milliseconds since the epoch; null when the buffer is empty. */
  oldestAcceptedAtMs: number | null;
  /**
   * Since when the record that has been due for longest might have gone, in milliseconds since the epoch; null when none
   * is due, and while the shard is paused. Being held apart (scope `running`) isn't due.
   */
  oldestDueAtMs: number | null;
  inFlight: number;
  /** Of the batches in flight, without those that have their outcome already. */
  inFlightRecords: number;
  /** What the sum lacks: accepted = saved + rolled back + lost + buffered + in flight. 0 unless there is a bug. */
  unaccounted: number;
  counters: BatcherCounters;
  cuts: CutStatus;
  /** How batches are saved at present. */
  saving: SavingState;
  paused: OperatorAction | null;
  /** What `MAX_SAVES_PER_SECOND` holds back; null without a limit. */
  pace: PaceStatus | null;
  /** Null while the store works, as far as is known. */
  storeAway: StoreStatus | null;
  /** The last drain that was asked for; null when there was none. */
  drain: DrainStatus | null;
  /** Stretches of the buffer that wait outside the batcher's state; their records count as buffered. */
  pages: number;
  /** What is in force. */
  settings: PipelineSettings;
  /** Which limits among them were set while the system ran. */
  overridden: OverriddenLimits;
  run: { historyEvents: number; historyBytes: number; messages: number; continuedAsNew: number };
}

/** What the batches of a shard were like; rules told by themselves, at most the 100 that deferred the most. */
export interface CutStatus extends Omit<CutCounts, 'deferredBy'> {
  deferredBy: { rule: ConflictRule; records: number }[];
}

/** Where the records of one request are that have not reached a closed batch. */
export interface RequestTrace {
  /** Length of the request, when any of its records is still buffered; 0 for one that came in parts. */
  size: number | null;
  bufferedIndexes: number[];
  /** Children in flight of which a batch holds records of it. */
  inFlightChildIds: string[];
  /** Pages that may hold records of it. */
  pageIds: string[];
  /** Where it was asked for, as it takes a millisecond or two. */
  waits?: TracedWaits;
}

/** For people who look into a batcher with Temporal's own tools; nothing of keepapart asks them. */
export const statusQuery = defineQuery<BatcherStatus>('status');
export const requestQuery = defineQuery<RequestTrace, [requestId: string]>('request');
