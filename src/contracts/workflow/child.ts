import type { FlushReason } from '../../domain/records/batch';
import type { CutBy } from '../../domain/rules/cut-by';
import type { StoredCutReason } from '../../domain/explain/cut-reason';
import type { OutcomeFormat, OutcomeTally } from '../../domain/records/outcome';
import { tallyPacked, type PackedBatch, type PackedOutcomes } from '../../domain/records/packed-batch';
import type { TraceContext } from '../../domain/records/trace-context';
import type { OnFailure } from './settings';

/** The settings of a child, which stay in force until it ends. */
export interface ChildPolicy {
  maxAttempts: number;
  retryIntervalMs: number;
  outcomeFormat: OutcomeFormat;
  onFailure: OnFailure;
  cutBy: CutBy;
  /**
   * Set if the records are saved in bulk: one activity per attempt. Otherwise each record has an activity of its own.
   * `due` is the number of due batches when the batcher chose this; absent with `SAVE_ACTIVITY=batch`.
   */
  bulk?: { due?: number };
  /**
   * Set if payloads are encrypted: then the ids of saves, which can't be, don't contain recordIds. See {@link hiddenSaveId}.
   */
  idsHidden?: true;
  /**
   * Set if an earlier run of this child ended early: its batches are settled. Records keep the outcomes in the batch's
   * file if it was written; otherwise they are rolled back for this reason.
   */
  settle?: { reason: string };
}

/** Input of `batchesWorkflow`. The ids of the batches are derived from the workflow's id: see `batchIdIn`. */
export interface ChildInput extends ChildPolicy {
  openedAtMs: number;
  batches: BatchInChild[];
  /** The contexts of the sampled requests that have records here; absent if there are none. */
  traces?: [requestId: string, trace: TraceContext][];
}

/** Id of the activity that saves a record of a child whose ids are hidden; `place` and `position` count from 1. */
export function hiddenSaveId(place: number, position: number): string {
  return `save-${place}-${position}`;
}

/** The place of a batch in its child and the position of a record in it, both from 1; undefined for other activity ids. */
export function placeOfSave(activityId: string): [place: number, position: number] | undefined {
  // A recordId has a colon.
  const [, place, position] = /^save-(\d+)-(\d+)$/.exec(activityId) ?? [];
  return place === undefined ? undefined : [Number(place), Number(position)];
}

/** Why a batch is settled of which Temporal no longer knows the workflow. */
export const DELETED_BY_OPERATOR = 'its batch was deleted by an operator';

export interface BatchInChild {
  flushReason: FlushReason;
  records: PackedBatch;
  /** Why the batch has no more records. Absent for a full batch. */
  cut?: StoredCutReason;
  /**
   * How long the first record of each run in `records` had waited when the batch was cut, in milliseconds; for
   * metrics.
   */
  waitedMs?: number[];
}

/** Result of `batchesWorkflow`. The values of the records are in the input only. */
export interface ChildResult {
  /** Per batch: where the store published it, for example the name of its file. */
  locations: string[];
  outcomes: PackedOutcomes;
  /** Duration of the fastest save, in milliseconds; absent if the store saves many records in one call. */
  fastestMs?: number;
}

/** Memo of `batchesWorkflow`, which every listing includes. */
export interface ChildMemo {
  /**
   * All requests that have records here, with their numbers of records, so that readers know when a request is
   * complete.
   */
  requests: [requestId: string, size: number][];
  /** Per batch: its flush reason, and the indexes of its requests in `requests`. */
  batches: [flushReason: FlushReason, requests: number[]][];
  /** For a child with several batches: the closed ones, in the order in which they closed. */
  closed?: ClosedWave[];
}

/** Batches of a child that were closed together. */
export interface ClosedWave {
  /** Milliseconds since the epoch. */
  atMs: number;
  /** `place` is the position of the batch in the child, from 1. */
  batches: [place: number, saved: number, rolledBack: number, retries: number][];
}

export type ChildWorkflow = (input: ChildInput) => Promise<ChildResult>;

/** The number of closed batches, and the totals of their outcomes. */
export interface ClosedBatches extends OutcomeTally {
  batches: number;
}

/** The totals of a completed child. */
export function closedBatchesOf({ outcomes }: Pick<ChildResult, 'outcomes'>): ClosedBatches {
  return { batches: outcomes.of.length, ...tallyPacked(outcomes) };
}
