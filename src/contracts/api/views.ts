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

/** Where a record is. */
export const RECORD_STATE = {
  buffered: 'buffered',
  inBatch: 'in_batch',
  saved: 'saved',
  rolledBack: 'rolled_back',
} as const;
export type RecordState = (typeof RECORD_STATE)[keyof typeof RECORD_STATE];

/** One record of a request: where it is and, once it ended, how. */
export interface RecordView {
  recordId: string;
  state: RecordState;
  batchId?: string;
  /** Attempts that were made; while `in_batch`, the one that runs or is waited for, as long as the save isn't through. */
  attempts?: number;
  /** Of the last attempt that failed; absent on `saved`. */
  error?: string;
  /** While `buffered`, absent for records beyond the first 1,000; and while its batch waits for a store that is away. */
  waitsFor?: WaitView;
}

/** What has to happen before the batch of a buffered record starts. */
export interface WaitView extends Omit<Wait, 'untilMs' | 'sinceMs'> {
  /** The rest in plain words. */
  text: string;
  /** ISO 8601, UTC: of `age` the latest, of `spacing` the earliest. */
  until?: string;
  /** ISO 8601, UTC: of `store`, when it was found away. */
  since?: string;
}

export interface RequestView {
  requestId: string;
  /** The record that it sends again, when it is a redrive. */
  redriveOf?: string;
  /** How many of the records are in each state. */
  counts: Record<RecordState, number>;
  /** In the order in which the client sent them. */
  records: RecordView[];
}

/** `failed` is every way of closing other than completing. */
export const BATCH_STATES = ['running', 'completed', 'failed'] as const;
export type BatchState = (typeof BATCH_STATES)[number];

/** Which batches to list. */
export interface BatchFilter {
  state?: BatchState;
  /** Only those that hold records of this request. */
  requestId?: string;
  limit: number;
  cursor?: string;
}

export interface BatchSummary {
  batchId: string;
  /** Workflow id of the batcher that started it. */
  batcher: string;
  state: BatchState;
  flushReason: FlushReason;
  requestIds: string[];
  /** ISO 8601, UTC. */
  startedAt: string;
  closedAt: string | null;
  /** Known once the batch completed. */
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

/** How many records of a buffer a rule kept out of a batch, or of batches. */
export interface RuleCountView {
  rule: ConflictRule;
  records: number;
}

export interface BatchCutView {
  /** The rest in plain words. */
  text: string;
  /** The most records that it was to have. */
  maxBatchSize: number;
  why: WhyNoLarger | CutReason['why'];
  /** How long its oldest record had waited, in milliseconds. This and all below are null or empty for a full batch. */
  oldestMs: number | null;
  /** Records that stayed in the buffer or left it behind the batch, but for those in pages. */
  left: number | null;
  /** So many of them were not looked at; what follows is of the others. */
  unseen: number | null;
  /** A record that several rules kept out counts for each. The 20 rules that kept out the most. */
  keptOut: RuleCountView[];
  /** Kept out by no rule, but the batch would be too large in bytes. */
  tooLarge: number | null;
  /** Kept out by nothing in it: in other batches, or held up by what is in flight. */
  fitting: number | null;
}

export interface BatchSavingView {
  /** The rest in plain words. */
  text: string;
  shape: SaveShape;
  /** How many batches were due when that was decided; null where the settings decided. */
  due: number | null;
}

/** What a batch is at that isn't through: what its child does, and what keeps it. */
export interface BatchWorkView {
  /** The rest in plain words. */
  text: string;
  step: BatchStep;
  /** Of this step, from 1. */
  attempt: number;
  /** Why its last attempt failed, or why the store is away; null where nothing is wrong. */
  error: string | null;
  /** Since when the store is away that it waits for; ISO 8601, UTC. Null while it doesn't. */
  waitsForStoreSince: string | null;
}

/** What is done for batches, in this order; `settling` instead of all others when an earlier run closed early. */
export const BATCH_STEPS = ['saving', 'undoing', 'closing', 'settling'] as const;
export type BatchStep = (typeof BATCH_STEPS)[number];

export interface BatchView extends BatchSummary {
  /** Name of the file in `OUT_DIR`, once the batch completed. */
  file: string | null;
  /** Why it was cut where it was. */
  cut: BatchCutView;
  /** How its records are saved. */
  saving: BatchSavingView;
  /** What is done for it or its child at the moment that repeats or waits; empty when it completed, or all goes well. */
  work: BatchWorkView[];
  records: BatchRecordView[];
}

export interface BatchPage {
  batches: BatchSummary[];
  /** Opaque; hand it back as `cursor` for the next page; null on the last one. */
  nextCursor: string | null;
}

export interface CutsView {
  batches: number;
  records: number;
  /** So many records the batches could have held. */
  places: number;
  /** Records per place, 0 to 1; null while there is no batch. */
  fillRatio: number | null;
  /** Of what was buffered each time, no cut makes fewer batches than this in all. */
  lowerBound: number;
  /** Records that a rule kept out of a batch which left before them, with room or with a younger record. */
  deferred: number;
  /** A record that several rules deferred counts for each. The 100 rules that deferred the most. */
  deferredBy: RuleCountView[];
}

/** How batches are saved at present, and why: see `SAVE_ACTIVITY`. */
export interface SavingView {
  /** `record`: each record by an activity of its own. `batch`: in bulk. */
  shape: SaveShape;
  /** When that was decided; ISO 8601, UTC. Null before there is a batch. */
  since: string | null;
  /** How many batches were due when `auto` decided for `batch`; null otherwise. */
  due: number | null;
  /** Whether `auto` does without bulk saving because even the fastest save took seconds. */
  storeIsSlow: boolean;
}

/** A store that is away, as workers report it; see docs/OPERATIONS.md. */
export interface StoreAwayView {
  /** ISO 8601, UTC. */
  since: string;
  /** In the words of the store. */
  reason: string;
  /** How many workers report it. */
  workers: number;
  /** Whether no batch starts for that; false while batches close all the same, by other workers. */
  holdsBack: boolean;
}

/** A status as it is shown. */
export function storeAwayView(status: StoreStatus | null): StoreAwayView | null {
  if (status === null) return null;
  const { sinceMs, ...told } = status;
  return { since: new Date(sinceMs).toISOString(), ...told };
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

/** How long the current run of a batcher has grown; it continues as new in time. */
export interface RunView {
  historyEvents: number;
  historyBytes: number;
  /** Signals and updates that it has taken. */
  messages: number;
  continuedAsNew: number;
}

/** How many buffered records wait for the same. */
export interface WaitCountView extends Omit<WaitView, 'passedOverBy' | 'keptApartBy'> {
  records: number;
}

/** What the buffer of a shard waits for. */
export interface ShardWaitsView {
  shard: number;
  /** Workflow id of its batcher. */
  batcher: string;
  bufferedRecords: number;
  /** Together all that are buffered; the most first. Of those behind the first 1,000, `older_records`. */
  waits: WaitCountView[];
  /** Rules that hold records up: by a batch that has left, or by an older record; of the first 1,000. The 20 greatest. */
  rules: RuleCountView[];
}

/** What everything that is buffered waits for. */
export interface WaitsView {
  shards: ShardWaitsView[];
}

export interface ShardView {
  shard: number;
  /** Workflow id of its batcher. */
  batcher: string;
  bufferedRecords: number;
  bufferedBytes: number;
  /** Age of the oldest buffered record; null when the buffer is empty. */
  oldestAgeMs: number | null;
  inFlight: number;
  /** Records in those batches that have no outcome yet. */
  inFlightRecords: number;
  /** Records that the sum lacks: accepted = saved + rolled back + lost + buffered + in flight. 0 unless there is a bug. */
  unaccounted: number;
  counters: BatcherCounters;
  /** What its batches were like. */
  cuts: CutsView;
  /** Stretches of the buffer that wait outside the state of the batcher. */
  pages: number;
  /** The batcher's current run, and how many runs came before it. */
  run: RunView;
  /** How its batches are saved at present. */
  saving: SavingView;
  paused: OperatorAction | null;
  /** Null without `MAX_SAVES_PER_SECOND`. */
  pace: PaceView | null;
  /** Null while its store works, as far as is known. */
  storeAway: StoreAwayView | null;
  /** How far the last drain has come; null when there was none. */
  drain: DrainStatus | null;
  /** The limits that were set while the system ran: by whom, when, and what is configured instead. */
  overridden: OverriddenLimits;
}

export interface StatusView {
  shards: ShardView[];
  /** The shards summed; the oldest age is the greatest. */
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
  /** What is in force, as the first shard's batcher has it. */
  settings: PipelineSettings;
}
