import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { PackedHeld } from '../domain/apart/held';
import type { PackedBuffer } from '../domain/buffer';
import type { ConflictRule } from '../domain/conflict-rules';
import { KIB, MIB } from '../domain/duration';
import type { CutCounts } from '../domain/explain/cut-counts';
import type { JsonValue } from '../domain/json';
import type { PackedKeyWindow, RequestDigest } from '../domain/key-window';
import type { PageRef } from '../domain/paged-buffer';
import type { PackedStreams, StreamPart, StreamProgress } from '../domain/stream-window';
import type { ClosedBatches } from './batch';
import type { LimitOverrides, OverriddenLimits } from './limits';
import type { PipelineSettings } from './settings';
import type { TracedWaits } from './waits';

/** Input of `batcherWorkflow`. `carried` is what the previous run handed over at continue-as-new. */
export interface BatcherInput {
  settings: PipelineSettings;
  carried?: CarriedState;
  /** Always given since 0.2.0; a run of before has none and keeps {@link LEGACY_RUN_LIMITS}. */
  limits?: RunLimits;
}

/** At which length a run continues as new. */
export interface RunLimits {
  historyEvents: number;
  historyBytes: number;
  /** The server stops taking signals at 10,000 a run, and its own suggestion to continue as new doesn't count them. */
  messages: number;
  /** Most bytes of values in the batches that start in one workflow task. Default: no bound, as in 0.1.0. */
  startBytes?: number;
  /**
   * Most bytes, as packed JSON, that may come while a run moves its buffer into pages and be carried all the same: more
   * makes further pages first. Since 0.3.0; a run without chases the last byte, and takes in pages until its end.
   */
  lateBytes?: number;
  /**
   * Most batches whose start the server hasn't confirmed. A run can't hand over before all are, and what arrives
   * meanwhile lengthens its history: on a busy server fifty took 15 s, in which 2 MB came. Since 0.3.0; a run without
   * has no bound, and hands over only when the page that it is reading is taken in.
   */
  startsUnderWay?: number;
}

/**
 * Well below the server's own limits: a run must have room for what arrives while it hands over, and for what it moves
 * out of its state then. Bytes are those beyond the run's first task.
 */
export const RUN_LIMITS = {
  historyEvents: 4000,
  historyBytes: 448 * KIB,
  messages: 2000,
  startBytes: 256 * KIB,
  lateBytes: 24 * KIB,
  startsUnderWay: 10,
} as const satisfies RunLimits;

/** Of 0.1.0, whose runs have no limits in their input: when such a run hands over is part of what replays. */
export const LEGACY_RUN_LIMITS: RunLimits = { historyEvents: 4000, historyBytes: 1.5 * MIB, messages: 2000 };

export type BatcherWorkflow = (input: BatcherInput) => Promise<void>;

/** Plain JSON that survives continue-as-new. Everything else in a batcher's memory is derived from it. */
export interface CarriedState {
  /** The oldest records. */
  buffer: PackedBuffer;
  /** What follows them and was moved out of the state, oldest first. Since 0.2.0, as all that is optional here. */
  pages?: PageRef[];
  /** The records behind the pages. */
  tail?: PackedBuffer;
  /** Sequence number of the next page, from 1. */
  nextPageSeq?: number;
  /** The keys that are remembered (G5). */
  keys?: PackedKeyWindow;
  /** Requests that come in parts, under a key. Since 0.3.0. */
  streams?: PackedStreams;
  drain?: DrainState | null;
  /** Limits that were set while the system ran. Since 0.3.0. */
  overrides?: LimitOverrides;
  /** What keeps conflicting records apart while they run. Since 0.3.0; absent in scope `file`. */
  held?: PackedHeld;
  /** Sequence number of the next batch, from 1. */
  nextBatchSeq: number;
  /** Batches that had started and not closed; the new run adopts them. */
  inFlight: InFlightBatch[];
  /** Their numbers instead, where they would take too much room. Since 0.3.0. */
  inFlightSeqs?: (number | [seq: number, batches: number, told?: ClosedBatches])[];
  lastBatchStartedAtMs: number;
  counters: BatcherCounters;
  /** What the batches so far were like, from the first that was counted on. Since 0.3.0. */
  cuts?: CutCounts;
  paused: OperatorAction | null;
  /** How many runs came before this one. */
  continuedAsNew: number;
}

/** A workflow that holds a batch, or several, and has not closed. */
export interface InFlightBatch {
  /** Id of the workflow. */
  batchId: string;
  /** How many batches it holds. Absent for one, as in all that was started before 0.3.0. */
  batches?: number;
  /** What is counted already of those that have their file, as the workflow told while others hadn't. */
  told?: ClosedBatches;
  /** The distinct requests whose records it holds; empty when an earlier run started it and they took too much room. */
  requestIds: string[];
}

/** A drain that was asked for: everything that was accepted before it is to reach its outcome. */
export interface DrainState extends OperatorAction {
  /** Batches with a smaller number hold all of it; null while some of it is still buffered. */
  untilBatchSeq: number | null;
}

/** Since the batcher's first run. */
export interface BatcherCounters {
  accepted: number;
  batchesStarted: number;
  batchesCompleted: number;
  /** How often a batch closed in any other way than completing; it is then settled by another run of the same id. */
  batchesFailed: number;
  /** Requests that added nothing, as their key was known. Absent in what 0.1.0 carried. */
  duplicateRequests: number;
  saved: number;
  rolledBack: number;
  retries: number;
}

export const NO_COUNTS: Readonly<BatcherCounters> = {
  accepted: 0,
  batchesStarted: 0,
  batchesCompleted: 0,
  batchesFailed: 0,
  duplicateRequests: 0,
  saved: 0,
  rolledBack: 0,
  retries: 0,
};

/** A list of records as one client sent it, or a part of a stream. */
export interface AcceptedRequest {
  requestId: string;
  values: JsonValue[];
  /** Given when the request must be taken once, however often it is sent (G5). */
  digest?: RequestDigest;
  /** Place of the first value in a request that comes in parts; its length is told by the last one at the earliest. */
  offset?: number;
  /** Given with `offset` when each part must be taken once, and only behind the one before it (G5). */
  part?: StreamPart;
}

/** Who did something by hand, and when. */
export interface OperatorAction {
  by: string;
  atMs: number;
}

/**
 * Hands records to the batcher: several requests in one signal, so that an API may group them. Who had them sent again
 * stands beside them in history; the batcher itself makes nothing of it.
 */
export const addRecordsSignal = defineSignal<[AcceptedRequest[], OperatorAction?]>('addRecords');
/**
 * Puts settings in force, but for limits that were set while the system ran; records that are in flight keep those that
 * their batch started with.
 */
export const configureSignal = defineSignal<[PipelineSettings, OperatorAction]>('configure');
/** Lets everything that is buffered now go, whatever its age. A paused batcher does it when it is resumed. */
export const flushSignal = defineSignal<[OperatorAction]>('flush');
/**
 * How many batches of a workflow have their file so far, with all that were told before: their places are free for
 * others, although the workflow goes on for the sake of the rest.
 */
export const batchesClosedSignal = defineSignal<[workflowId: string, closed: ClosedBatches]>('batchesClosed');
/** Stops starting batches; records are still accepted, batches in flight go on. */
export const pauseSignal = defineSignal<[OperatorAction]>('pause');
export const resumeSignal = defineSignal<[OperatorAction]>('resume');
/** A flush whose end can be told: see {@link DrainStatus}. */
export const drainSignal = defineSignal<[OperatorAction]>('drain');

/** What one shard holds and has done. */
export interface BatcherStatus {
  bufferedRecords: number;
  bufferedBytes: number;
  /** When the oldest buffered record was accepted, in milliseconds since the epoch; null when the buffer is empty. */
  oldestAcceptedAtMs: number | null;
  inFlight: number;
  counters: BatcherCounters;
  /** Absent where a worker of before 0.3.0 answers. */
  cuts?: CutStatus;
  paused: OperatorAction | null;
  /** The last drain that was asked for; null when there was none. */
  drain: DrainStatus | null;
  /** Stretches of the buffer that wait outside the batcher's state; their records count as buffered. */
  pages: number;
  /** What is in force. */
  settings: PipelineSettings;
  /** Which limits among them were set while the system ran. Absent where a worker of before 0.3.0 answers. */
  overridden?: OverriddenLimits;
  run: { historyEvents: number; historyBytes: number; messages: number; continuedAsNew: number };
}

/** What the batches of a shard were like; rules told by themselves, at most the 100 that deferred the most. */
export interface CutStatus extends Omit<CutCounts, 'deferredBy'> {
  deferredBy: { rule: ConflictRule; records: number }[];
}

export interface DrainStatus extends OperatorAction {
  /** Of what was accepted before it. */
  bufferedRecords: number;
  /** Batches in flight that may hold some of it. */
  inFlight: number;
}

/** Where the records of one request are that have not reached a closed batch. */
export interface RequestTrace {
  /** Length of the request, when any of its records is still buffered; 0 for one that came in parts. */
  size: number | null;
  bufferedIndexes: number[];
  /** Workflows in flight of which a batch holds records of it. */
  inFlightBatchIds: string[];
  /** Pages that may hold records of it. */
  pageIds: string[];
  /** Where it was asked for, and the worker is of 0.3.0 at least. */
  waits?: TracedWaits;
}

export const statusQuery = defineQuery<BatcherStatus>('status');
/** What its records wait for only where that is asked for, as it takes a millisecond or two. */
export const requestQuery = defineQuery<RequestTrace, [requestId: string, withWaits?: boolean]>('request');
/** By key digest, in the order asked: the body digest under which the key is known, or null. */
export const keysQuery = defineQuery<(string | null)[], [keys: string[]]>('keys');
/** How far the stream under a key has been taken: null for one that isn't known. */
export const streamQuery = defineQuery<StreamProgress | null, [key: string]>('stream');
