import type { Batch, FlushReason } from '../domain/batch';
import type { CutBy } from '../domain/cut-by';
import type { StoredCutReason } from '../domain/explain/cut-reason';
import { tallyOutcomes, type OutcomeFormat, type OutcomeTally, type RecordOutcome } from '../domain/outcome';
import { tallyPacked, type PackedBatch, type PackedOutcomes } from '../domain/packed-batch';
import type { OnFailure, SaveActivity } from './settings';

/** What is in force for the batches of one workflow, whatever the settings are later. */
export interface BatchPolicy {
  maxAttempts: number;
  retryIntervalMs: number;
  outcomeFormat: OutcomeFormat;
  /** Absent in what 0.1.0 started: `keep`. */
  onFailure?: OnFailure;
  /** Absent in what was started before 0.3.0. */
  cutBy?: CutBy;
  /** Absent: `regular`, as in all that was started before 0.3.0. */
  saveActivity?: Exclude<SaveActivity, 'regular'>;
  /**
   * Given when an earlier run of this id closed without completing: nothing is saved any more. If the earlier run had
   * got as far as a batch's file, its outcomes stand; else every record is rolled back for this reason.
   */
  settle?: { reason: string };
}

/** Input of `batchWorkflow`. */
export interface BatchInput extends BatchPolicy {
  batch: Batch;
  /** Why it was cut where it was. Absent where it is full, and in what was started before 0.3.0. */
  cut?: StoredCutReason;
}

/** Result of `batchWorkflow`: outcomes in batch order. Values are left out: they stand in the input. */
export interface BatchResult {
  /** Where the store put the batch, e.g. the file's name. */
  location: string;
  outcomes: RecordOutcome[];
}

/** Memo of `batchWorkflow`: comes with every listing, isn't indexed. */
export interface BatchMemo {
  /** Length of each request that has records here, so that a reader knows when it has seen all of a request. */
  requestSizes: Record<string, number>;
}

export type BatchWorkflow = (input: BatchInput) => Promise<BatchResult>;

/** Input of `batchGroupWorkflow`: several batches that began together. The ids follow from the workflow's own. */
export interface BatchGroupInput extends BatchPolicy {
  openedAtMs: number;
  batches: BatchOfGroup[];
}

export interface BatchOfGroup extends Pick<BatchInput, 'cut'> {
  flushReason: FlushReason;
  records: PackedBatch;
}

/** Result of `batchGroupWorkflow`: the outcomes of each batch, in order. */
export interface BatchGroupResult {
  batches: { location: string; outcomes: PackedOutcomes }[];
}

/** Memo of `batchGroupWorkflow`: what a listing has to tell of each batch. */
export interface BatchGroupMemo {
  /** Every request that has records here, with its length. */
  requests: [requestId: string, size: number][];
  /** Of each batch: why it went, and places in `requests`. */
  batches: [flushReason: FlushReason, requests: number[]][];
  /** By place in `batches`: the batches that have their file, while others may not. */
  closed?: Record<string, ClosedInGroup>;
}

export interface ClosedInGroup extends OutcomeTally {
  atMs: number;
}

export type BatchGroupWorkflow = (input: BatchGroupInput) => Promise<BatchGroupResult>;

/** Batches that have their file, and their outcomes counted. */
export interface ClosedBatches extends OutcomeTally {
  batches: number;
}

/** How many batches a workflow held, and how their records ended. */
export function countClosed(result: BatchResult | BatchGroupResult): ClosedBatches {
  if (!('batches' in result)) return { batches: 1, ...tallyOutcomes(result.outcomes) };
  return sumClosed(result.batches.map(({ outcomes }) => ({ batches: 1, ...tallyPacked(outcomes) })));
}

export function sumClosed(counts: readonly ClosedBatches[]): ClosedBatches {
  const sum = (pick: (count: ClosedBatches) => number) => counts.reduce((total, one) => total + pick(one), 0);
  return {
    batches: sum(({ batches }) => batches),
    saved: sum(({ saved }) => saved),
    rolledBack: sum(({ rolledBack }) => rolledBack),
    retries: sum(({ retries }) => retries),
  };
}
