import type { WorkflowInfo } from '@temporalio/workflow';
import {
  NO_COUNTS,
  type BatcherInput,
  type CarriedState,
  type DrainState,
  type OperatorAction,
  type RunLimits,
  type SavingState,
} from '../../../src/contracts/workflow/batcher';
import type { ControlNote } from '../../../src/contracts/workflow/controls';
import type { LimitOverrides } from '../../../src/contracts/workflow/limits';
import { SAVE_ACTIVITY, type PipelineSettings } from '../../../src/contracts/workflow/settings';
import type { Apart } from '../../../src/domain/running/running-flushes';
import { packMemory, unpackMemory, type BatcherMemory } from '../../../src/domain/windows/batcher-memory';
import { emptyBuffer, packBuffer, unpackBuffer } from '../../../src/domain/buffer/buffer';
import { NO_CUTS, carriedCounts, type CutCounts } from '../../../src/domain/explain/cut-counts';
import type { Reaches } from '../../../src/domain/explain/reaches';
import { Pace } from '../../../src/domain/pace/pace';
import { paceLimitsOf } from '../../../src/domain/pace/pace-limits';
import { carriedInFlight, inFlightFrom, type Counted } from './in-flight';
import { StoreNotices } from './store-notices';
import type { TakenMeanwhile } from './take-over';

/** What a batcher knows while it runs; {@link carriedFrom} is the part of it that outlives the run. */
export interface BatcherState extends Counted, BatcherMemory {
  /** Id of the batcher itself. */
  readonly workflowId: string;

  // What is in force.
  /** The configuration of the API process that started last. */
  configured: PipelineSettings;
  /** Of the same process; see {@link BatcherInput}. */
  idKey: string | undefined;
  /** The limits that were set at runtime. */
  overrides: LimitOverrides;
  /** `overrides` over `configured`. */
  settings: PipelineSettings;
  paused: OperatorAction | null;
  drain: DrainState | null;
  /** What operators did to the batcher, the latest last. */
  controls: ControlNote[];

  // What decides the next start.
  saving: SavingState;
  lastBatchStartedAtMs: number;
  store: StoreNotices;
  /** How many records may start by `MAX_SAVES_PER_SECOND`; null without a limit. */
  pace: Pace | null;
  /** Conflicts with what is in flight; null in scope `file`. */
  apart: Apart | null;
  /**
   * Whether children of an earlier batcher of this id, which somebody terminated, have still to be looked for: they go on
   * without it. Nothing starts before, as it may conflict with them.
   */
  takeOver: boolean;
  /** What was taken while `takeOver` is true: it may be what that batcher took as well. Not carried. */
  takenMeanwhile: TakenMeanwhile[];
  /**
   * The run that began with a reset, until the children that were started before the reset are known. Nothing starts before,
   * because they may have the same records. Null otherwise.
   */
  resetRun: string | null;
  nextChildSeq: number;
  nextPageSeq: number;

  // What is counted of cuts.
  cuts: CutCounts;
  /** How far batches that left reach over buffered records; empty at the start of a run. */
  reaches: Reaches;

  // The length of this run.
  limits: RunLimits;
  continuedAsNew: number;
  /** Signals and updates accepted by this run. */
  messages: number;
  /** Size of the history at the run's first task: mostly the carried state, which says nothing of the run's length. */
  initialHistoryBytes: number;
}

/** The settings in force: limits set at runtime, over the configuration. */
export function settingsInForce(configured: PipelineSettings, overrides: LimitOverrides): PipelineSettings {
  const set = Object.entries(overrides).map(([key, { value }]) => [key, value] as const);
  return { ...configured, ...Object.fromEntries(set) };
}

export function restoreBatcher(
  { settings: configured, carried, limits, idKey }: BatcherInput,
  info: WorkflowInfo,
): BatcherState {
  const overrides = { ...carried?.overrides };
  const settings = settingsInForce(configured, overrides);
  return {
    workflowId: info.workflowId,
    configured,
    idKey,
    overrides,
    settings,
    limits,
    apart: null,
    pace: Pace.unpack(carried?.pace ?? {}, paceLimitsOf(settings.maxSavesPerSecond), settings.maxBatchSize),
    buffer: {
      head: carried ? unpackBuffer(carried.buffer) : emptyBuffer(),
      pages: carried?.pages ?? [],
      tail: carried ? unpackBuffer(carried.tail) : emptyBuffer(),
    },
    ...unpackMemory(carried),
    nextChildSeq: carried?.nextChildSeq ?? 1,
    nextPageSeq: carried?.nextPageSeq ?? 1,
    inFlight: new Map(inFlightFrom(carried, info.workflowId).map((child) => [child.childId, child])),
    saving: { ...(carried?.saving ?? newSaving(info)) },
    lastBatchStartedAtMs: carried?.lastBatchStartedAtMs ?? 0,
    counters: { ...(carried?.counters ?? NO_COUNTS) },
    cuts: carried ? { ...carried.cuts, deferredBy: { ...carried.cuts.deferredBy } } : emptyCuts(),
    reaches: new Map(),
    paused: carried?.paused ?? null,
    controls: [...(carried?.controls ?? [])],
    store: new StoreNotices(carried?.storeNotices),
    drain: carried?.drain ?? null,
    continuedAsNew: carried?.continuedAsNew ?? 0,
    takeOver: carried === undefined || carried.takeOver === true,
    takenMeanwhile: [],
    resetRun: carried?.resetRun ?? null,
    messages: 0,
    initialHistoryBytes: info.historySize,
  };
}

/** Whether it is not yet known what earlier runs left. Nothing starts meanwhile. */
export function mustCatchUp({ takeOver, resetRun }: BatcherState): boolean {
  return takeOver || resetRun !== null;
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
 * senders 10 (300), children in flight 24, what they hold 14, pace 8 (500 values), notices of a store 7, counts of rules 3,
 * controls 5 (20), all else 4 KiB. A buffer that is larger has been spilled before.
 */
export function carriedFrom(state: BatcherState): CarriedState {
  const { buffer } = state;
  return {
    buffer: packBuffer(buffer.head),
    pages: buffer.pages,
    tail: packBuffer(buffer.tail),
    nextPageSeq: state.nextPageSeq,
    ...packMemory(state),
    drain: state.drain,
    overrides: state.overrides,
    ...(state.apart !== null && { held: state.apart.held.pack() }),
    ...(state.pace !== null && { pace: state.pace.pack() }),
    nextChildSeq: state.nextChildSeq,
    ...carriedInFlight([...state.inFlight.values()]),
    saving: state.saving,
    lastBatchStartedAtMs: state.lastBatchStartedAtMs,
    counters: state.counters,
    cuts: carriedCounts(state.cuts),
    paused: state.paused,
    ...(state.controls.length > 0 && { controls: state.controls }),
    storeNotices: state.store.pack(),
    continuedAsNew: state.continuedAsNew + 1,
    ...(state.takeOver && { takeOver: true }),
    ...(state.resetRun !== null && { resetRun: state.resetRun }),
  };
}
