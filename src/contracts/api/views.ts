import type { FlushReason } from '../../domain/records/batch';
import type { ConflictRule } from '../../domain/rules';
import type { WhyNoLarger } from '../../domain/explain';
import type { CutReason } from '../../domain/explain/cut-reason';
import type { JsonValue } from '../../domain/json';
import type { Outcome } from '../../domain/records/outcome';
import type { BatcherCounters, DrainStatus, OperatorAction, StoreStatus } from '../workflow/batcher-status';
import type { OverriddenLimits } from '../workflow/limits-answer';
import type { PipelineSettings, SaveShape } from '../workflow/settings';
import type { Wait } from '../workflow/waits';

/** The states of a record. */
export const RECORD_STATE = {
  buffered: 'buffered',
  inBatch: 'in_batch',
  saved: 'saved',
  rolledBack: 'rolled_back',
} as const;
export type RecordState = (typeof RECORD_STATE)[keyof typeof RECORD_STATE];

/** The state of one record of a request. */
export interface RecordView {
  recordId: string;
  state: RecordState;
  batchId?: string;
  /** Number of attempts. While `in_batch` and not saved yet, the number of the current or next attempt. */
  attempts?: number;
  /** Error of the last failed attempt; absent for `saved`. */
  error?: string;
  /**
   * What the record waits for. Present while `buffered`, for the first 1,000 records, and while its batch waits for an
   * unavailable store.
   */
  waitsFor?: WaitView;
}

/** What has to happen before the batch of a buffered record starts. */
export interface WaitView extends Omit<Wait, 'untilMs' | 'sinceMs'> {
  /** The other members as a sentence. */
  text: string;
  /** ISO 8601, UTC. For `age` the latest time, for `spacing` the earliest. */
  until?: string;
  /** ISO 8601, UTC. For `store`, since when it has been unavailable. */
  since?: string;
}

export interface RequestView {
  requestId: string;
  /** For a redrive, the client's original record. */
  redriveOf?: string;
  /** Number of records in each state. */
  counts: Record<RecordState, number>;
  /** In the order in which the client sent them. */
  records: RecordView[];
}

/** `failed`: closed without completing. */
export const BATCH_STATES = ['running', 'completed', 'failed'] as const;
export type BatchState = (typeof BATCH_STATES)[number];

/** Which batches to list. */
export interface BatchFilter {
  state?: BatchState;
  /** Only batches with records of this request. */
  requestId?: string;
  limit: number;
  cursor?: string;
}

export interface BatchSummary {
  batchId: string;
  /** Workflow id of the batcher that started the batch. */
  batcher: string;
  state: BatchState;
  flushReason: FlushReason;
  requestIds: string[];
  /** ISO 8601, UTC. */
  startedAt: string;
  /** ISO 8601, UTC; null while the batch is running. */
  closedAt: string | null;
  /** This and the next two are null until the batch completes. */
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

/** How many records a rule kept out or deferred. */
export interface RuleCountView {
  rule: ConflictRule;
  records: number;
}

/** Why a batch has the records that it has. */
export interface BatchCutView {
  /** The other members as a sentence. */
  text: string;
  /** The maximum batch size that was in force. */
  maxBatchSize: number;
  why: WhyNoLarger | CutReason['why'];
  /**
   * How long its oldest record had waited, in milliseconds. This and all following are null or empty for a full batch.
   */
  oldestMs: number | null;
  /** Remaining records: they stayed in the buffer or left it later, without those in pages. */
  left: number | null;
  /** How many of the remaining records were not checked. The following counts cover the others. */
  unseen: number | null;
  /** The 20 rules that kept out most records. A record that several rules kept out counts for each. */
  keptOut: RuleCountView[];
  /** Records that no rule kept out, but with which the batch would be too large in bytes. */
  tooLarge: number | null;
  /** Records that would have fitted, but went to other batches or had to wait for batches in flight. */
  fitting: number | null;
}

/** How the records of a batch are saved. */
export interface BatchSavingView {
  /** The other members as a sentence. */
  text: string;
  shape: SaveShape;
  /** How many batches were due when the shape was chosen; null if the settings determine it. */
  due: number | null;
}

/** A step of an unfinished batch that is being retried, or waits. */
export interface BatchWorkView {
  /** The other members as a sentence. */
  text: string;
  step: BatchStep;
  /** The number of the attempt at this step, from 1. */
  attempt: number;
  /** Why the last attempt failed, or why the store is unavailable; null if neither is the case. */
  error: string | null;
  /** If the step waits for an unavailable store: since when it has been unavailable; ISO 8601, UTC. Otherwise null. */
  waitsForStoreSince: string | null;
}

/** The steps of a batch, in order. `settling` replaces the others if an earlier run of the child ended early. */
export const BATCH_STEPS = ['saving', 'undoing', 'closing', 'settling'] as const;
export type BatchStep = (typeof BATCH_STEPS)[number];

export interface BatchView extends BatchSummary {
  /** Name of the file in `OUT_DIR`; null until the batch completes. */
  file: string | null;
  cut: BatchCutView;
  saving: BatchSavingView;
  /** Steps of the batch or its child that are being retried or wait; empty if there are none. */
  work: BatchWorkView[];
  records: BatchRecordView[];
}

export interface BatchPage {
  batches: BatchSummary[];
  /** Opaque; pass it as `cursor` to get the next page; null on the last page. */
  nextCursor: string | null;
}

/** Totals of the batches of a shard, or of all shards. */
export interface CutsView {
  batches: number;
  records: number;
  /** Total capacity of these batches, in records. */
  places: number;
  /** Records divided by `places`, 0 to 1; null if there is no batch. */
  fillRatio: number | null;
  /** No way to cut the records that were buffered each time has fewer batches than this in total. */
  lowerBound: number;
  /** Records that a rule kept out of an earlier batch that had room or a younger record. */
  deferred: number;
  /** The 100 rules that deferred most records. A record that several rules deferred counts for each. */
  deferredBy: RuleCountView[];
}

/** How batches are currently saved, and why: see `SAVE_ACTIVITY`. */
export interface SavingView {
  /** `record`: one activity per record. `batch`: in bulk. */
  shape: SaveShape;
  /** When the shape was chosen; ISO 8601, UTC. Null before the first batch. */
  since: string | null;
  /** How many batches were due when `auto` chose `batch`; otherwise null. */
  due: number | null;
  /** Whether `auto` avoids bulk saving because even the fastest save took seconds. */
  storeIsSlow: boolean;
}

/** An unavailable store, as reported by workers; see docs/OPERATIONS.md. */
export interface StoreAwayView {
  /** ISO 8601, UTC. */
  since: string;
  /** The store's error. */
  reason: string;
  /** How many workers report it. */
  workers: number;
  /** Whether no batch starts because of it; false while other workers still close batches. */
  holdsBack: boolean;
}

/** The view of a store's status; null if the store is available. */
export function storeAwayView(status: StoreStatus | null): StoreAwayView | null {
  if (status === null) return null;
  const { sinceMs, ...rest } = status;
  return { since: new Date(sinceMs).toISOString(), ...rest };
}

/** What `MAX_SAVES_PER_SECOND` holds back in one shard; see docs/TUNING.md. */
export interface PaceView {
  /** How many records of any value may start now; null without a rate for all records. */
  room: number | null;
  /** How many values have started records so recently that their rate limits them; at most 500. */
  values: number;
  /** How many buffered records may not start by the rate of their value, of those that batches are cut from. */
  heldRecords: number;
  /** When the next record that is held back may start (ISO 8601, UTC); null when none is. */
  until: string | null;
}

/** Size of the current run of a batcher, which continues as new before it reaches Temporal's limits. */
export interface RunView {
  historyEvents: number;
  historyBytes: number;
  /** Number of signals and updates. */
  messages: number;
  /** Number of earlier runs. */
  continuedAsNew: number;
}

/** How many buffered records have the same wait. */
export interface WaitCountView extends Omit<WaitView, 'passedOverBy' | 'keptApartBy'> {
  records: number;
}

/** What the buffered records of a shard wait for. */
export interface ShardWaitsView {
  shard: number;
  /** Workflow id of its batcher. */
  batcher: string;
  bufferedRecords: number;
  /** Add up to all buffered records; most records first. Records after the first 1,000 count as `older_records`. */
  waits: WaitCountView[];
  /**
   * The 20 rules that delay most of the first 1,000 records: kept out of an earlier batch, or apart from an older
   * record.
   */
  rules: RuleCountView[];
}

/** What all buffered records wait for. */
export interface WaitsView {
  shards: ShardWaitsView[];
}

/** The status of one shard. */
export interface ShardView {
  shard: number;
  /** Workflow id of its batcher. */
  batcher: string;
  bufferedRecords: number;
  bufferedBytes: number;
  /** Age of the oldest buffered record; null if the buffer is empty. */
  oldestAgeMs: number | null;
  /**
   * For how long the record that has been due for longest has been due: by age or manually, not paused, not held apart
   * from what is in flight. Null when none is due.
   */
  oldestDueAgeMs: number | null;
  /** Number of batches in flight. */
  inFlight: number;
  /** Records of the batches in flight that have no outcome yet. */
  inFlightRecords: number;
  /** accepted - (saved + rolled back + lost + buffered + in flight), in records. 0 unless there is a bug. */
  unaccounted: number;
  counters: BatcherCounters;
  cuts: CutsView;
  /** Number of pages: parts of the buffer that are kept outside the batcher's state. */
  pages: number;
  run: RunView;
  saving: SavingView;
  /** Who paused the shard, and when; null if it isn't paused. */
  paused: OperatorAction | null;
  /** Null without `MAX_SAVES_PER_SECOND`. */
  pace: PaceView | null;
  /** Null while its store is available, as far as is known. */
  storeAway: StoreAwayView | null;
  /** Progress of the last drain; null if there was none. */
  drain: DrainStatus | null;
  /** Limits that were changed at runtime: by whom, when, and the configured values. */
  overridden: OverriddenLimits;
}

export interface StatusView {
  shards: ShardView[];
  /** Sums over all shards. Ages are the maximum, `paused` is whether any shard is. */
  total: Omit<
    ShardView,
    | 'shard'
    | 'batcher'
    | 'pages'
    | 'run'
    | 'saving'
    | 'paused'
    | 'pace'
    | 'storeAway'
    | 'drain'
    | 'overridden'
  > & {
    paused: boolean;
  };
  /** The settings in force, from the batcher of the first shard. */
  settings: PipelineSettings;
}
