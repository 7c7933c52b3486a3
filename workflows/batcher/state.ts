import type { WorkflowInfo } from '@temporalio/workflow';
import { CHILD_CLOSING, type ChildClosing } from '../../src/contracts/activities';
import type {
  AcceptedRequest,
  BatcherCounters,
  BatcherInput,
  CarriedState,
  DrainState,
  InFlightChild,
  OperatorAction,
  PackedChild,
  RunLimits,
  SavingState,
} from '../../src/contracts/batcher';
import { NO_COUNTS, PACKED_GAP } from '../../src/contracts/batcher';
import type { ClosedBatches } from '../../src/contracts/child';
import type { LimitOverrides } from '../../src/contracts/limits';
import { SAVE_ACTIVITY, type PipelineSettings } from '../../src/contracts/settings';
import type { Apart } from '../../src/domain/apart/running-flushes';
import { FLUSH_REASON, childIdOf, childSeqOf } from '../../src/domain/batch';
import { emptyBuffer, packBuffer, removeRecords, unpackBuffer } from '../../src/domain/buffer';
import { KIB } from '../../src/domain/duration';
import { NO_CUTS, carriedCounts, type CutCounts } from '../../src/domain/explain/cut-counts';
import type { Reaches } from '../../src/domain/explain/passed-over';
import type { FlushPolicy } from '../../src/domain/flush-policy';
import { jsonBytes } from '../../src/domain/json';
import { packKeys, unpackKeys, type KeyWindow, type RequestDigest } from '../../src/domain/key-window';
import { takeOnce } from '../../src/domain/known-requests';
import { NO_LAYOUT, type Layout } from '../../src/domain/layout';
import {
  appendToEnd,
  flushEverything,
  flushedRecords,
  sizeOf,
  type PagedBuffer,
} from '../../src/domain/paged-buffer';
import { recordIdOf } from '../../src/domain/record';
import type { SenderWindow } from '../../src/domain/sender-window';
import { packStreams, unpackStreams, type StreamWindow } from '../../src/domain/stream-window';
import { settingsInForce } from './limits';
import { StoreNotices } from './store-notices';

/** What a batcher knows while it runs; {@link carriedFrom} is the part of it that outlives the run. */
export interface BatcherState {
  /** As configured by the process with an API that started last. */
  configured: PipelineSettings;
  /** What was set while the system ran. */
  overrides: LimitOverrides;
  /** What is in force: the latter over the former. */
  settings: PipelineSettings;
  limits: RunLimits;
  /** Conflicts with what is in flight; null in scope `file`. */
  apart: Apart | null;
  buffer: PagedBuffer;
  keys: KeyWindow;
  streams: StreamWindow;
  layout: Layout;
  senders: SenderWindow;
  nextChildSeq: number;
  nextPageSeq: number;
  inFlight: Map<string, InFlightChild>;
  saving: SavingState;
  lastBatchStartedAtMs: number;
  counters: BatcherCounters;
  cuts: CutCounts;
  /** How far batches that have left reach over what is buffered; a run begins without. */
  reaches: Reaches;
  paused: OperatorAction | null;
  store: StoreNotices;
  drain: DrainState | null;
  continuedAsNew: number;
  /**
   * Whether children of an earlier batcher of this id, which somebody terminated, have still to be looked for: they go on
   * without it. Nothing starts before, as it may conflict with them.
   */
  takeOver: boolean;
  /** Lists that were taken under a key while that was not known, by key; whether they are repeats isn't known either. */
  takenMeanwhile: Map<string, AcceptedRequest>;
  /** Signals and updates taken by this run. */
  messages: number;
  /** Size of the history at the run's first task: mostly the carried state, which says nothing of the run's length. */
  initialHistoryBytes: number;
}

export function restoreBatcher(
  { settings: configured, carried, limits }: BatcherInput,
  info: WorkflowInfo,
): BatcherState {
  const overrides = { ...carried?.overrides };
  const settings = settingsInForce(configured, overrides);
  return {
    configured,
    overrides,
    settings,
    limits,
    apart: null,
    buffer: {
      head: carried ? unpackBuffer(carried.buffer) : emptyBuffer(),
      pages: carried?.pages ?? [],
      tail: carried ? unpackBuffer(carried.tail) : emptyBuffer(),
    },
    keys: unpackKeys(carried?.keys ?? { minute: 0, shares: [] }),
    streams: unpackStreams(carried?.streams ?? []),
    layout: carried?.layout ?? NO_LAYOUT,
    senders: new Map(carried?.senders),
    nextChildSeq: carried?.nextChildSeq ?? 1,
    nextPageSeq: carried?.nextPageSeq ?? 1,
    inFlight: new Map(inFlightFrom(carried, info.workflowId).map((child) => [child.childId, child])),
    saving: { ...(carried?.saving ?? newSaving(info)) },
    lastBatchStartedAtMs: carried?.lastBatchStartedAtMs ?? 0,
    counters: { ...(carried?.counters ?? NO_COUNTS) },
    cuts: carried ? { ...carried.cuts, deferredBy: { ...carried.cuts.deferredBy } } : emptyCuts(),
    reaches: new Map(),
    paused: carried?.paused ?? null,
    store: new StoreNotices(carried?.storeNotices),
    drain: carried?.drain ?? null,
    continuedAsNew: carried?.continuedAsNew ?? 0,
    takeOver: carried === undefined || carried.takeOver === true,
    takenMeanwhile: new Map(),
    messages: 0,
    initialHistoryBytes: info.historySize,
  };
}

function newSaving({ runStartTime }: WorkflowInfo): SavingState {
  return { shape: SAVE_ACTIVITY.record, sinceMs: runStartTime.getTime(), due: null, storeIsSlow: false };
}

function emptyCuts(): CutCounts {
  return { ...NO_CUTS, deferredBy: {} };
}

/**
 * What the next run gets: at most 512 KiB, as each part has its bound. Rules twice 64 (as configured, and as set while
 * the system ran), head of the buffer 60, its tail 56, pages 52 (300 of them), keys 171 (4,000 of them), streams 11 (100),
 * senders 10 (300), children in flight 24, what they hold 14, notices of a store 7, counts of rules 3, all else 3 KiB. A
 * buffer that is larger has been
 * spilled before.
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
    layout: state.layout,
    senders: [...state.senders],
    drain: state.drain,
    overrides: state.overrides,
    ...(state.apart !== null && { held: state.apart.held.pack() }),
    nextChildSeq: state.nextChildSeq,
    ...carriedInFlight([...state.inFlight.values()]),
    saving: state.saving,
    lastBatchStartedAtMs: state.lastBatchStartedAtMs,
    counters: state.counters,
    cuts: carriedCounts(state.cuts),
    paused: state.paused,
    storeNotices: state.store.pack(),
    continuedAsNew: state.continuedAsNew + 1,
    ...(state.takeOver && { takeOver: true }),
  };
}

const MAX_IN_FLIGHT_BYTES = 24 * KIB;

/** Their numbers alone where they take too much room: by then visibility lists those children with their requests. */
function carriedInFlight(children: InFlightChild[]): Pick<CarriedState, 'inFlight' | 'inFlightSeqs'> {
  if (jsonBytes(children as never) <= MAX_IN_FLIGHT_BYTES) return { inFlight: children, inFlightSeqs: [] };
  let before = 0;
  const inFlightSeqs = children.map(({ childId, batches, records, bulk, told }): PackedChild => {
    const seq = childSeqOf(childId);
    const gap = seq - before;
    before = seq;
    if (!bulk) return PACKED_GAP * gap + records;
    if (told === undefined) return [gap, records, batches];
    return [gap, records, batches, [told.batches, told.saved, told.rolledBack, told.retries]];
  });
  return { inFlight: [], inFlightSeqs };
}

function inFlightFrom(carried: CarriedState | undefined, batcherId: string): InFlightChild[] {
  const { inFlight = [], inFlightSeqs = [] } = carried ?? {};
  let seq = 0;
  const numbered = inFlightSeqs.map((packed): InFlightChild => {
    const bulk = typeof packed !== 'number';
    const [gap, records, batches, told] = bulk
      ? packed
      : [Math.floor(packed / PACKED_GAP), packed % PACKED_GAP, 1];
    seq += gap;
    const childId = childIdOf(batcherId, seq);
    const child = { childId, batches, records, bulk, startedAtMs: 0, requestIds: [] };
    if (told === undefined) return child;
    const [closed, saved, rolledBack, retries] = told;
    return { ...child, told: { batches: closed, saved, rolledBack, retries } };
  });
  return [...inFlight, ...numbered];
}

/** How many batches of a child have no file yet, as far as it has reported. */
export function openBatches({ batches, told }: InFlightChild): number {
  return batches - (told?.batches ?? 0);
}

/** How many batches are in flight. */
export function batchesInFlight({ inFlight }: Pick<BatcherState, 'inFlight'>): number {
  let batches = 0;
  for (const child of inFlight.values()) batches += openBatches(child);
  return batches;
}

/** How many records are in flight: those of children that have not told their outcome yet. */
export function recordsInFlight({ inFlight }: Pick<BatcherState, 'inFlight'>): number {
  let records = 0;
  for (const child of inFlight.values()) records += openRecords(child);
  return records;
}

function openRecords({ records, told }: InFlightChild): number {
  return records - (told?.saved ?? 0) - (told?.rolledBack ?? 0);
}

/**
 * What is missing of the sum that always holds: accepted = saved + rolled back + lost + buffered + in flight. More than 0
 * where records have vanished, less than 0 where some are there twice.
 */
export function unaccountedRecords(state: BatcherState): number {
  const { accepted, saved, rolledBack, lost } = state.counters;
  return accepted - saved - rolledBack - lost - sizeOf(state.buffer).records - recordsInFlight(state);
}

/**
 * Whether this run has grown long enough to continue as new. The server's suggestion counts events and bytes, but neither
 * the signals of a run, which it stops taking at 10,000, nor its updates, at 2,000.
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
  const grown = historySize - initialHistoryBytes;
  const page = buffer.pages[0]?.bytes ?? 0;
  // A page may be larger than what a run may grow by: a run that has hardly begun takes it in all the same.
  return grown + page >= limits.historyBytes && grown >= limits.historyBytes / 2;
}

/** Appends what arrives, unless its key is known or it is a part out of turn: then it adds nothing (G5). */
export function takeRequest(state: BatcherState, request: AcceptedRequest, nowMs: number): void {
  if (isOutdated(state, request)) return;
  if (!isNew(state, request, nowMs)) {
    state.counters.duplicateRequests++;
    return;
  }
  if (state.takeOver && request.digest !== undefined) state.takenMeanwhile.set(request.digest.key, request);
  appendToEnd(state.buffer, request, nowMs);
  state.counters.accepted += request.values.length;
}

/**
 * Remembers the keys of an earlier batcher of this id (G5). A list that it had taken, and that a client has repeated here
 * before its key was known, leaves the buffer: nothing of it has started.
 */
export function takeOverKeys(state: BatcherState, keys: readonly RequestDigest[], nowMs: number): void {
  for (const digest of keys) {
    if (takeOnce(state, { digest }, state.settings, nowMs)) continue;
    const repeat = state.takenMeanwhile.get(digest.key);
    if (repeat?.digest?.body !== digest.body) continue;
    const ids = new Map(repeat.values.map((_, i) => [recordIdOf(repeat.requestId, i), 1]));
    const { head, tail } = state.buffer;
    state.counters.accepted -= removeRecords(head, ids).length + removeRecords(tail, ids).length;
    state.counters.duplicateRequests++;
  }
  state.takenMeanwhile.clear();
}

/** Remembers what is taken under a key, and says whether it is to be. */
function isNew(state: BatcherState, request: AcceptedRequest, nowMs: number): boolean {
  const { digest, part, offset = 0, values } = request;
  if (part !== undefined)
    return takeOnce(state, { part, offset, records: values.length }, state.settings, nowMs);
  return digest === undefined || takeOnce(state, { digest }, state.settings, nowMs);
}

/** Whether the sender doesn't know yet where keys have to be looked for. */
export function isOutdated(state: BatcherState, { layout }: AcceptedRequest): boolean {
  return layout !== undefined && layout < state.layout.version;
}

export function beginDrain(state: BatcherState, { by, atMs }: OperatorAction): void {
  flushEverything(state.buffer, FLUSH_REASON.drain);
  state.drain = { by, atMs, untilChildSeq: null };
}

/** Notes when all that a drain is for has left the buffer. Not while batches start, as their numbers may still change. */
export function followDrain({ drain, buffer, nextChildSeq }: BatcherState): void {
  if (drain?.untilChildSeq === null && flushedRecords(buffer) === 0) drain.untilChildSeq = nextChildSeq;
}

/** How many batches may start now by `MAX_IN_FLIGHT`, `BATCH_SPACING_MS`, a pause of the shard and a store that is away. */
export function freeSlots(state: BatcherState, nowMs: number): number {
  if (state.paused !== null || nowMs < storeHoldsUntilMs(state, nowMs)) return 0;
  const free = Math.max(0, state.settings.maxInFlight - batchesInFlight(state));
  if (state.settings.batchSpacingMs === 0) return state.store.holdsBack(nowMs) ? Math.min(free, 1) : free;
  return nowMs < spacedUntilMs(state) ? 0 : Math.min(free, 1);
}

/** Until when a store that is away holds batches back if nothing is heard; a time that is over while it doesn't. */
export function storeHoldsUntilMs({ store, lastBatchStartedAtMs }: BatcherState, nowMs: number): number {
  return store.mayStartFromMs(nowMs, lastBatchStartedAtMs);
}

/** Until when `BATCH_SPACING_MS` holds batches back, in milliseconds since the epoch. */
export function spacedUntilMs(state: BatcherState): number {
  return state.lastBatchStartedAtMs + state.settings.batchSpacingMs;
}

export function flushPolicyOf({ settings }: BatcherState): FlushPolicy {
  return settings;
}

/**
 * Releases the slots of a child and counts the outcomes.
 * @returns how many records are lost, as it can't be known any more how the child ended
 */
export function recordClosing(
  state: BatcherState,
  childId: string,
  closing: ChildClosing | undefined,
): number {
  const child = state.inFlight.get(childId);
  state.inFlight.delete(childId);
  if (closing?.status === CHILD_CLOSING.completed) {
    count(state, closing, child?.told);
    return 0;
  }
  const lost = child === undefined ? 0 : openRecords(child);
  state.counters.lost += lost;
  return lost;
}

/** Releases the slots of those batches of a child that have their file, and counts them. */
export function recordProgress(state: BatcherState, childId: string, progress: ClosedBatches): void {
  const child = state.inFlight.get(childId);
  // What arrives late, or from a run that has been settled since, is counted already.
  if (child === undefined || progress.batches < (child.told?.batches ?? 0)) return;
  // No child of ours says so.
  if (progress.batches > child.batches) return;
  count(state, progress, child.told);
  child.told = progress;
}

/** @param before what is counted already of these */
function count({ counters }: BatcherState, closed: ClosedBatches, before?: ClosedBatches): void {
  counters.batchesCompleted += closed.batches - (before?.batches ?? 0);
  counters.saved += closed.saved - (before?.saved ?? 0);
  counters.rolledBack += closed.rolledBack - (before?.rolledBack ?? 0);
  // Of a batch that was settled from its file, the attempts may not be known any more.
  counters.retries += Math.max(0, closed.retries - (before?.retries ?? 0));
}
