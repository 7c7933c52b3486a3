import type { FlushReason } from '../../domain/records/batch';
import type { CutBy } from '../../domain/rules/cut-by';
import type { StoredCutReason } from '../../domain/explain/cut-reason';
import type { OutcomeFormat, OutcomeTally } from '../../domain/records/outcome';
import { tallyPacked, type PackedBatch, type PackedOutcomes } from '../../domain/records/packed-batch';
import type { OnFailure } from './settings';

/** What is in force for the batches of a child, whatever the settings are later. */
export interface ChildPolicy {
  maxAttempts: number;
  retryIntervalMs: number;
  outcomeFormat: OutcomeFormat;
  onFailure: OnFailure;
  /** What its batches were cut by. */
  cutBy: CutBy;
  /**
   * Given when all records are saved together, attempt by attempt; each by an activity of its own otherwise.
   * `due` is how many batches were due when the batcher decided that; absent with `SAVE_ACTIVITY=batch`.
   */
  bulk?: { due?: number };
  /**
   * Given when an earlier run of this id closed without completing: nothing is saved any more. If the earlier run had
   * got as far as a batch's file, the outcomes in it stand; else every record is rolled back for this reason.
   */
  settle?: { reason: string };
}

/** Input of `batchesWorkflow`. The ids of the batches follow from the workflow's own: see `batchIdIn`. */
export interface ChildInput extends ChildPolicy {
  openedAtMs: number;
  batches: BatchInChild[];
}

export interface BatchInChild {
  flushReason: FlushReason;
  records: PackedBatch;
  /** Why it was cut where it was. Absent where it is full. */
  cut?: StoredCutReason;
  /** How long the first record of each run in `records` had waited then, in milliseconds; for whoever measures. */
  waitedMs?: number[];
}

/** Result of `batchesWorkflow`. Values are left out: they stand in the input. */
export interface ChildResult {
  /** Per batch: where the store put it, e.g. the file's name. */
  locations: string[];
  outcomes: PackedOutcomes;
  /** How long the fastest save took, in milliseconds; absent where the store saves many records in one call. */
  fastestMs?: number;
}

/** Memo of `batchesWorkflow`: comes with every listing, isn't indexed. */
export interface ChildMemo {
  /** Every request that has records here, with its length, so that a reader knows when it has seen all of a request. */
  requests: [requestId: string, size: number][];
  /** Per batch: why it was flushed, and indexes into `requests`. */
  batches: [flushReason: FlushReason, requests: number[]][];
  /** Of a child with several batches: those that have their file, in the order of closing. */
  closed?: ClosedWave[];
}

/** Batches of a child that were closed together. */
export interface ClosedWave {
  atMs: number;
  /** `place` is that in the child, from 1. */
  batches: [place: number, saved: number, rolledBack: number, retries: number][];
}

export type ChildWorkflow = (input: ChildInput) => Promise<ChildResult>;

/** Batches that have their file, and their outcomes counted. */
export interface ClosedBatches extends OutcomeTally {
  batches: number;
}

export function closedBatchesOf({ outcomes }: Pick<ChildResult, 'outcomes'>): ClosedBatches {
  return { batches: outcomes.of.length, ...tallyPacked(outcomes) };
}
