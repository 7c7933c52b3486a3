import type { WorkflowInfo } from '@temporalio/workflow';
import { BATCH_CLOSING, type BatchClosing } from '../src/contracts/activities';
import type { ClosedBatches } from '../src/contracts/batch';
import type {
  AcceptedRequest,
  BatcherCounters,
  BatcherInput,
  CarriedState,
  DrainState,
  InFlightBatch,
  OperatorAction,
  RunLimits,
} from '../src/contracts/batcher';
import { LEGACY_RUN_LIMITS, NO_COUNTS, RUN_LIMITS } from '../src/contracts/batcher';
import type { LimitOverrides } from '../src/contracts/limits';
import { completeSettings, type PipelineSettings } from '../src/contracts/settings';
import type { Apart } from '../src/domain/apart/running-flushes';
import { FLUSH_REASON, batchIdOf, batchSeqOf } from '../src/domain/batch';
import { emptyBuffer, packBuffer, packedBytesBound, unpackBuffer } from '../src/domain/buffer';
import { KIB, MIB } from '../src/domain/duration';
import { NO_CUTS, carriedCounts, type CutCounts } from '../src/domain/explain/cut-counts';
import type { Reaches } from '../src/domain/explain/passed-over';
import type { FlushPolicy } from '../src/domain/flush-policy';
import { jsonBytes } from '../src/domain/json';
import { knownBody, packKeys, rememberKey, unpackKeys, type KeyWindow } from '../src/domain/key-window';
import { appendToEnd, flushEverything, flushedRecords, type PagedBuffer } from '../src/domain/paged-buffer';
import { NEWEST_PARTITION_VERSION, type PartitionVersion } from '../src/domain/partition';
import {
  advanceStream,
  knownStream,
  packStreams,
  unpackStreams,
  type StreamWindow,
} from '../src/domain/stream-window';
import { settingsInForce } from './limits';

/** What a batcher knows while it runs; {@link carriedFrom} is the part of it that outlives the run. */
export interface BatcherState {
  /** As a process with an API told it last. */
  configured: PipelineSettings;
  /** What was set while the system ran. */
  overrides: LimitOverrides;
  /** What is in force: the latter over the former. */
  settings: PipelineSettings;
  limits: RunLimits;
  /** By which version batches are cut, from the run's first task to its last. */
  partitioner: PartitionVersion;
  /** What is known of conflicts with what is in flight; null in scope `file`. */
  apart: Apart | null;
  buffer: PagedBuffer;
  keys: KeyWindow;
  streams: StreamWindow;
  nextBatchSeq: number;
  nextPageSeq: number;
  inFlight: Map<string, InFlightBatch>;
  lastBatchStartedAtMs: number;
  counters: BatcherCounters;
  cuts: CutCounts;
  /** How far batches that have left reach over what is buffered; a run begins without. */
  reaches: Reaches;
  paused: OperatorAction | null;
  drain: DrainState | null;
  continuedAsNew: number;
  /** Signals taken by this run. */
  messages: number;
  /** Size of the history at the run's first task: mostly the carried state, which says nothing of the run's length. */
  initialHistoryBytes: number;
}

export function restoreBatcher(
  { settings, carried, limits }: BatcherInput,
  info: WorkflowInfo,
  partitioner: PartitionVersion = NEWEST_PARTITION_VERSION,
): BatcherState {
  const configured = completeSettings(settings);
  const overrides = { ...carried?.overrides };
  return {
    configured,
    overrides,
    settings: settingsInForce(configured, overrides),
    limits: limits ?? LEGACY_RUN_LIMITS,
    partitioner,
    apart: null,
    buffer: {
      head: carried ? unpackBuffer(carried.buffer) : emptyBuffer(),
      pages: carried?.pages ?? [],
      tail: carried?.tail ? unpackBuffer(carried.tail) : emptyBuffer(),
    },
    keys: unpackKeys(carried?.keys ?? { digests: '', minutes: [] }),
    streams: unpackStreams(carried?.streams ?? []),
    nextBatchSeq: carried?.nextBatchSeq ?? 1,
    nextPageSeq: carried?.nextPageSeq ?? 1,
    inFlight: new Map(inFlightFrom(carried, info.workflowId).map((batch) => [batch.batchId, batch])),
    lastBatchStartedAtMs: carried?.lastBatchStartedAtMs ?? 0,
    counters: { ...NO_COUNTS, ...carried?.counters },
    cuts: { ...NO_CUTS, ...carried?.cuts, deferredBy: { ...carried?.cuts?.deferredBy } },
    reaches: new Map(),
    paused: carried?.paused ?? null,
    drain: carried?.drain ?? null,
    continuedAsNew: carried?.continuedAsNew ?? 0,
    messages: 0,
    initialHistoryBytes: info.historySize,
  };
}

/**
 * What the next run gets: at most 512 KiB, as each part has its bound. Rules twice 64 (as configured, and as set while
 * the system ran), head of the buffer 64, its tail 56, pages 52 (300 of them), keys 190, streams 19 (300 of them), batches
 * in flight 24, what they hold 14, counts of rules 3, all else 2 KiB. A buffer that is larger has been spilled before.
 */
export function carriedFrom(state: BatcherState): CarriedState {
  const { buffer } = state;
  return {
    buffer: packBuffer(buffer.head),
    pages: buffer.pages,
    tail: packBuffer(buffer.tail),
    nextPageSeq: state.nextPageSeq,
    keys: packKeys(state.keys),
    streams: packStreams(state.streams),
    drain: state.drain,
    overrides: state.overrides,
    ...(state.apart !== null && { held: state.apart.held.pack() }),
    nextBatchSeq: state.nextBatchSeq,
    ...carriedInFlight([...state.inFlight.values()]),
    lastBatchStartedAtMs: state.lastBatchStartedAtMs,
    counters: state.counters,
    cuts: carriedCounts(state.cuts),
    paused: state.paused,
    continuedAsNew: state.continuedAsNew + 1,
  };
}

const MAX_IN_FLIGHT_BYTES = 24 * KIB;

/** Their numbers alone where they take too much room: by then visibility lists those batches with their requests. */
function carriedInFlight(children: InFlightBatch[]): Pick<CarriedState, 'inFlight' | 'inFlightSeqs'> {
  if (jsonBytes(children as never) <= MAX_IN_FLIGHT_BYTES) return { inFlight: children };
  return {
    inFlight: [],
    inFlightSeqs: children.map(({ batchId, batches, told }) => {
      const seq = batchSeqOf(batchId);
      if (batches === undefined) return seq;
      return told === undefined ? [seq, batches] : [seq, batches, told];
    }),
  };
}

function inFlightFrom(carried: CarriedState | undefined, batcherId: string): InFlightBatch[] {
  const { inFlight = [], inFlightSeqs = [] } = carried ?? {};
  const numbered = inFlightSeqs.map((entry): InFlightBatch => {
    const [seq, batches, told] = typeof entry === 'number' ? [entry] : entry;
    const known = { batchId: batchIdOf(batcherId, seq), requestIds: [] };
    return { ...known, ...(batches !== undefined && { batches }), ...(told !== undefined && { told }) };
  });
  return [...inFlight, ...numbered];
}

/** How many batches of a child have no file yet, as far as it has told. */
export function openBatches({ batches = 1, told }: InFlightBatch): number {
  return batches - (told?.batches ?? 0);
}

/** How many batches are in flight. */
export function batchesInFlight({ inFlight }: Pick<BatcherState, 'inFlight'>): number {
  return [...inFlight.values()].reduce((sum, child) => sum + openBatches(child), 0);
}

/**
 * Whether this run has grown long enough to continue as new. The server's suggestion counts events and bytes, but not
 * the signals of a run, which it stops taking at 10,000.
 */
export function handOverDue(state: BatcherState, info: WorkflowInfo): boolean {
  return (
    info.continueAsNewSuggested ||
    info.historyLength >= state.limits.historyEvents ||
    info.historySize - state.initialHistoryBytes >= state.limits.historyBytes ||
    state.messages >= state.limits.messages
  );
}

/** Whether the next page would carry this run past its length: then it is for the next run. */
export function nextPageIsForNextRun(
  { limits, buffer, initialHistoryBytes }: BatcherState,
  { historySize }: WorkflowInfo,
): boolean {
  if (limits.lateBytes === undefined) return false;
  const grown = historySize - initialHistoryBytes;
  const page = buffer.pages[0]?.bytes ?? 0;
  // A page may be larger than what a run may grow by: a run that has hardly begun takes it in all the same.
  return grown + page >= limits.historyBytes && grown >= limits.historyBytes / 2;
}

/** Whether a run doesn't hand over before a page that is being read is taken in, as runs of before 0.3.0. */
export function waitsForPages({ limits }: BatcherState): boolean {
  return limits.startsUnderWay === undefined;
}

/** What the next run keeps to. A batcher of 0.2.0 takes on here what came later. */
export function limitsOfNextRun({ limits }: BatcherInput): RunLimits {
  if (limits === undefined) return RUN_LIMITS;
  const { lateBytes, startsUnderWay } = RUN_LIMITS;
  const historyBytes =
    limits.lateBytes === undefined
      ? Math.min(limits.historyBytes, RUN_LIMITS.historyBytes)
      : limits.historyBytes;
  return { lateBytes, startsUnderWay, ...limits, historyBytes };
}

/** What 0.1.0 took as the bound of a run's input, where the server's is 2 MiB; what was larger it flushed first. */
const LEGACY_MAX_BUFFER_BYTES = 1.8 * MIB;

/** Whether 0.1.0, which had no pages, handed its buffer over as it is. */
export function fitsWithoutPages({ buffer }: BatcherState): boolean {
  return buffer.pages.length === 0 && packedBytesBound(buffer.head) <= LEGACY_MAX_BUFFER_BYTES;
}

/** Appends what arrives, unless its key is known or it is a part out of turn: then it adds nothing (G5). */
export function takeRequest(state: BatcherState, request: AcceptedRequest, nowMs: number): void {
  if (!isNew(state, request, nowMs)) {
    state.counters.duplicateRequests++;
    return;
  }
  appendToEnd(state.buffer, request, nowMs);
  state.counters.accepted += request.values.length;
}

/** Remembers what is taken under a key, and says whether it is to be. */
function isNew(
  { keys, streams, settings }: BatcherState,
  { digest, part, offset = 0, values }: AcceptedRequest,
  nowMs: number,
): boolean {
  if (part !== undefined) {
    if (knownBody(keys, part.key, settings, nowMs) !== undefined) return false;
    return advanceStream(streams, part, offset, values.length, settings, nowMs);
  }
  if (digest === undefined) return true;
  if (bodyUnderKey({ keys, streams, settings }, digest.key, nowMs) !== undefined) return false;
  rememberKey(keys, digest, settings, nowMs);
  return true;
}

/** What a key stands for: the digest of a list, or that of what has come of a stream. */
export function bodyUnderKey(
  { keys, streams, settings }: Pick<BatcherState, 'keys' | 'streams' | 'settings'>,
  key: string,
  nowMs: number,
): string | undefined {
  return knownBody(keys, key, settings, nowMs) ?? knownStream(streams, key, settings, nowMs)?.digest;
}

export function beginDrain(state: BatcherState, { by, atMs }: OperatorAction): void {
  flushEverything(state.buffer, FLUSH_REASON.drain);
  state.drain = { by, atMs, untilBatchSeq: null };
}

/** Notes when all that a drain is for has left the buffer. Not while batches start, as their numbers may still change. */
export function followDrain({ drain, buffer, nextBatchSeq }: BatcherState): void {
  if (drain?.untilBatchSeq === null && flushedRecords(buffer) === 0) drain.untilBatchSeq = nextBatchSeq;
}

/** How many batches may start now. */
export function freeSlots(state: BatcherState, nowMs: number): number {
  if (state.paused !== null) return 0;
  const free = Math.max(0, state.settings.maxInFlight - batchesInFlight(state));
  if (state.settings.batchSpacingMs === 0) return free;
  return nowMs < spacedUntilMs(state) ? 0 : Math.min(free, 1);
}

/** Until when `BATCH_SPACING_MS` holds batches back, in milliseconds since the epoch. */
export function spacedUntilMs(state: BatcherState): number {
  return state.lastBatchStartedAtMs + state.settings.batchSpacingMs;
}

export function flushPolicyOf({ settings, partitioner }: BatcherState): FlushPolicy {
  return { ...settings, partitioner };
}

/** Releases the slots of a child and counts the outcomes; there are none when it can't be known how it ended. */
export function recordClosing(state: BatcherState, childId: string, closing: BatchClosing | undefined): void {
  const child = state.inFlight.get(childId);
  state.inFlight.delete(childId);
  if (closing?.status !== BATCH_CLOSING.completed) return;
  count(state, { ...closing, batches: closing.batches ?? 1 }, child?.told);
}

/** Releases the slots of those batches of a child that have their file, and counts them. */
export function recordClosedBatches(state: BatcherState, childId: string, closed: ClosedBatches): void {
  const child = state.inFlight.get(childId);
  // What is told late, or of a run that has been settled since, is counted already.
  if (child === undefined || closed.batches <= (child.told?.batches ?? 0)) return;
  count(state, closed, child.told);
  child.told = closed;
}

/** @param before what is counted already of these */
function count({ counters }: BatcherState, closed: ClosedBatches, before?: ClosedBatches): void {
  counters.batchesCompleted += closed.batches - (before?.batches ?? 0);
  counters.saved += closed.saved - (before?.saved ?? 0);
  counters.rolledBack += closed.rolledBack - (before?.rolledBack ?? 0);
  // Of a batch that was settled from its file, the attempts may not be known any more.
  counters.retries += Math.max(0, closed.retries - (before?.retries ?? 0));
}
