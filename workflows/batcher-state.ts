import type { WorkflowInfo } from '@temporalio/workflow';
import { BATCH_CLOSING, type BatchClosing } from '../src/contracts/activities';
import type {
  BatcherCounters,
  BatcherInput,
  BatcherStatus,
  CarriedState,
  InFlightBatch,
  OperatorAction,
  RequestTrace,
  RunLimits,
} from '../src/contracts/batcher';
import { DEFAULT_RUN_LIMITS, NO_COUNTS } from '../src/contracts/batcher';
import type { PipelineSettings } from '../src/contracts/settings';
import {
  bufferedOf,
  emptyBuffer,
  oldestRecord,
  packBuffer,
  packedBytesBound,
  unpackBuffer,
  type RecordBuffer,
} from '../src/domain/buffer';
import { MIB } from '../src/domain/duration';
import { nextFlushAtMs } from '../src/domain/flush-policy';
import { utf8Bytes } from '../src/domain/json';

/** What a batcher knows while it runs; {@link carriedFrom} is the part of it that outlives the run. */
export interface BatcherState {
  settings: PipelineSettings;
  limits: RunLimits;
  buffer: RecordBuffer;
  nextBatchSeq: number;
  inFlight: Map<string, InFlightBatch>;
  lastBatchStartedAtMs: number;
  counters: BatcherCounters;
  paused: OperatorAction | null;
  continuedAsNew: number;
  /** Signals taken by this run. */
  messages: number;
  /** Size of the history at the run's first task: mostly the carried state, which says nothing of the run's length. */
  initialHistoryBytes: number;
}

/**
 * The server takes 2 MiB at most as the input of a run, frame included. With a larger one the batcher is stuck for good,
 * or terminated by servers that don't tell the SDK their limits (1.29).
 */
const MAX_INPUT_BYTES = 1.9 * MIB;

export function restoreBatcher(
  { settings, carried, limits }: BatcherInput,
  info: WorkflowInfo,
): BatcherState {
  return {
    settings,
    limits: limits ?? DEFAULT_RUN_LIMITS,
    buffer: carried ? unpackBuffer(carried.buffer) : emptyBuffer(),
    nextBatchSeq: carried?.nextBatchSeq ?? 1,
    inFlight: new Map(carried?.inFlight.map((batch) => [batch.batchId, batch])),
    lastBatchStartedAtMs: carried?.lastBatchStartedAtMs ?? 0,
    counters: carried?.counters ?? { ...NO_COUNTS },
    paused: carried?.paused ?? null,
    continuedAsNew: carried?.continuedAsNew ?? 0,
    messages: 0,
    initialHistoryBytes: info.historySize,
  };
}

export function carriedFrom(state: BatcherState): CarriedState {
  return { buffer: packBuffer(state.buffer), ...carriedBesideBuffer(state) };
}

function carriedBesideBuffer(state: BatcherState): Omit<CarriedState, 'buffer'> {
  return {
    nextBatchSeq: state.nextBatchSeq,
    inFlight: [...state.inFlight.values()],
    lastBatchStartedAtMs: state.lastBatchStartedAtMs,
    counters: state.counters,
    paused: state.paused,
    continuedAsNew: state.continuedAsNew + 1,
  };
}

/**
 * Whether this run has grown long enough to continue as new. The server's suggestion counts events and bytes, but not
 * the signals of a run, which it stops taking at 10,000. A state that is too large to be carried is flushed first.
 */
export function handOverDue(state: BatcherState, info: WorkflowInfo): boolean {
  const due =
    info.continueAsNewSuggested ||
    info.historyLength >= state.limits.historyEvents ||
    info.historySize - state.initialHistoryBytes >= state.limits.historyBytes ||
    state.messages >= state.limits.messages;
  return due && inputBytesBound(state) <= MAX_INPUT_BYTES;
}

/** Upper bound of the next run's input as JSON. The batches in flight count: each names its requests. */
function inputBytesBound(state: BatcherState): number {
  const { settings, limits } = state;
  const withoutBuffer: BatcherInput = {
    settings,
    limits,
    carried: { buffer: { runs: [], flushOldest: 0 }, ...carriedBesideBuffer(state) },
  };
  return utf8Bytes(JSON.stringify(withoutBuffer)) + packedBytesBound(state.buffer);
}

/** How many batches may start now. */
export function freeSlots(state: BatcherState, nowMs: number): number {
  if (state.paused !== null) return 0;
  const free = Math.max(0, state.settings.maxInFlight - state.inFlight.size);
  if (state.settings.batchSpacingMs === 0) return free;
  return nowMs < spacedUntilMs(state) ? 0 : Math.min(free, 1);
}

/** When the loop has to look again without being told, in milliseconds since the epoch. */
export function nextWakeAtMs(state: BatcherState, nowMs: number): number | undefined {
  if (state.paused !== null || state.inFlight.size >= state.settings.maxInFlight) return undefined;
  const flushAtMs = nextFlushAtMs(state.buffer, state.settings, nowMs);
  if (flushAtMs === undefined) return undefined;
  return state.settings.batchSpacingMs === 0 ? flushAtMs : Math.max(flushAtMs, spacedUntilMs(state));
}

/** Releases the slot of a batch and counts how it ended; `undefined` when it didn't complete or can't be known. */
export function recordClosing(state: BatcherState, batchId: string, closing: BatchClosing | undefined): void {
  state.inFlight.delete(batchId);
  if (closing?.status !== BATCH_CLOSING.completed) {
    state.counters.batchesFailed++;
    return;
  }
  state.counters.batchesCompleted++;
  state.counters.saved += closing.saved;
  state.counters.rolledBack += closing.rolledBack;
  state.counters.retries += closing.retries;
}

export function statusOf(state: BatcherState, info: WorkflowInfo): BatcherStatus {
  return {
    bufferedRecords: state.buffer.bufferedRecords,
    bufferedBytes: state.buffer.bufferedBytes,
    oldestAcceptedAtMs: oldestRecord(state.buffer)?.acceptedAtMs ?? null,
    inFlight: state.inFlight.size,
    counters: state.counters,
    paused: state.paused,
    settings: state.settings,
    run: {
      historyEvents: info.historyLength,
      historyBytes: info.historySize,
      messages: state.messages,
      continuedAsNew: state.continuedAsNew,
    },
  };
}

export function traceOf(state: BatcherState, requestId: string): RequestTrace {
  const { size, indexes } = bufferedOf(state.buffer, requestId);
  const holding = [...state.inFlight.values()].filter((batch) => batch.requestIds.includes(requestId));
  return { size, bufferedIndexes: indexes, inFlightBatchIds: holding.map((batch) => batch.batchId) };
}

/** The line that the Web UI shows as the workflow's current details. */
export function describeBatcher({ buffer, inFlight, counters, paused }: BatcherState): string {
  const { saved, rolledBack, batchesFailed } = counters;
  return [
    paused === null ? 'running' : `paused by ${paused.by}`,
    `${buffer.bufferedRecords} records buffered`,
    `${inFlight.size} batches in flight`,
    `${saved} saved`,
    `${rolledBack} rolled back`,
    `${batchesFailed} batches failed`,
  ].join(' · ');
}

function spacedUntilMs(state: BatcherState): number {
  return state.lastBatchStartedAtMs + state.settings.batchSpacingMs;
}
