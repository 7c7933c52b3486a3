import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { PackedBuffer } from '../domain/buffer';
import { MIB } from '../domain/duration';
import type { JsonValue } from '../domain/json';
import type { PipelineSettings } from './settings';

/** Input of `batcherWorkflow`. `carried` is what the previous run handed over at continue-as-new. */
export interface BatcherInput {
  settings: PipelineSettings;
  carried?: CarriedState;
  /** Default: {@link DEFAULT_RUN_LIMITS}. */
  limits?: RunLimits;
}

/** At which length a run continues as new. */
export interface RunLimits {
  historyEvents: number;
  historyBytes: number;
  /** The server stops taking signals at 10,000 a run, and its own suggestion to continue as new doesn't count them. */
  messages: number;
}

/** Well below the server's own limits: a run must have room for what arrives while it hands over. */
export const DEFAULT_RUN_LIMITS: RunLimits = { historyEvents: 4000, historyBytes: 1.5 * MIB, messages: 2000 };

export type BatcherWorkflow = (input: BatcherInput) => Promise<void>;

/** Plain JSON that survives continue-as-new. Everything else in a batcher's memory is derived from it. */
export interface CarriedState {
  buffer: PackedBuffer;
  /** Sequence number of the next batch, from 1. */
  nextBatchSeq: number;
  /** Batches that had started and not closed; the new run adopts them. */
  inFlight: InFlightBatch[];
  lastBatchStartedAtMs: number;
  counters: BatcherCounters;
  paused: OperatorAction | null;
  /** How many runs came before this one. */
  continuedAsNew: number;
}

export interface InFlightBatch {
  batchId: string;
  /** The distinct requests whose records it holds. */
  requestIds: string[];
}

/** Since the batcher's first run. */
export interface BatcherCounters {
  accepted: number;
  batchesStarted: number;
  batchesCompleted: number;
  /** Batches that closed in any other way than completing. */
  batchesFailed: number;
  saved: number;
  rolledBack: number;
  retries: number;
}

export const NO_COUNTS: Readonly<BatcherCounters> = {
  accepted: 0,
  batchesStarted: 0,
  batchesCompleted: 0,
  batchesFailed: 0,
  saved: 0,
  rolledBack: 0,
  retries: 0,
};

/** A list of records as one client sent it. */
export interface AcceptedRequest {
  requestId: string;
  values: JsonValue[];
}

/** Who did something by hand, and when. */
export interface OperatorAction {
  by: string;
  atMs: number;
}

/** Hands records to the batcher: several requests in one signal, so that an API may group them. */
export const addRecordsSignal = defineSignal<[AcceptedRequest[]]>('addRecords');
/** Puts settings in force; records that are in flight keep those that their batch started with. */
export const configureSignal = defineSignal<[PipelineSettings, OperatorAction]>('configure');
/** Lets everything that is buffered now go, whatever its age. A paused batcher does it when it is resumed. */
export const flushSignal = defineSignal<[OperatorAction]>('flush');
/** Stops starting batches; records are still accepted, batches in flight go on. */
export const pauseSignal = defineSignal<[OperatorAction]>('pause');
export const resumeSignal = defineSignal<[OperatorAction]>('resume');

/** What one shard holds and has done. */
export interface BatcherStatus {
  bufferedRecords: number;
  bufferedBytes: number;
  /** When the oldest buffered record was accepted, in milliseconds since the epoch; null when the buffer is empty. */
  oldestAcceptedAtMs: number | null;
  inFlight: number;
  counters: BatcherCounters;
  paused: OperatorAction | null;
  settings: PipelineSettings;
  run: { historyEvents: number; historyBytes: number; messages: number; continuedAsNew: number };
}

/** Where the records of one request are that have not reached a closed batch. */
export interface RequestTrace {
  /** Length of the request, when any of its records is still buffered. */
  size: number | null;
  bufferedIndexes: number[];
  /** Batches in flight that hold records of it. */
  inFlightBatchIds: string[];
}

export const statusQuery = defineQuery<BatcherStatus>('status');
export const requestQuery = defineQuery<RequestTrace, [requestId: string]>('request');
