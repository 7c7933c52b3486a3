import type { Limits } from '../../domain/limits';
import type { OutcomeFormat } from '../../domain/records/outcome';

/**
 * The part of the configuration that the workflows obey. It reaches a batcher as its input and, when a later process
 * starts with other values, by `configureSignal`: what is in force stands in workflow state, never in a worker.
 * Units, defaults and bounds: see the settings of the same names in `docs/CONFIGURATION.md`.
 */
export interface PipelineSettings extends Limits {
  conflictScope: ConflictScope;
  apartMs: number;
  outcomeFormat: OutcomeFormat;
  onFailure: OnFailure;
  saveActivity: SaveActivity;
  idempotencyWindowMs: number;
  idempotencyWindowKeys: number;
}

/**
 * Where conflicting records are kept apart: never in one file, or never in flight at the same time either, nor within
 * `apartMs` of one another's end.
 */
export const CONFLICT_SCOPE = { file: 'file', running: 'running' } as const;
export type ConflictScope = (typeof CONFLICT_SCOPE)[keyof typeof CONFLICT_SCOPE];

/** What becomes of the other records of a batch when one is exhausted: kept, or all or nothing. */
export const ON_FAILURE = { keep: 'keep', rollbackBatch: 'rollback_batch' } as const;
export type OnFailure = (typeof ON_FAILURE)[keyof typeof ON_FAILURE];

/**
 * How records are saved. `record`: a child per batch and an activity per record, which Temporal retries. `batch`: many
 * batches per child, saved, retried, rolled back and closed together. `auto`: `record` while there is time, `batch` as
 * soon as more is due than `record` can carry.
 */
export const SAVE_ACTIVITY = { auto: 'auto', record: 'record', batch: 'batch' } as const;
export type SaveActivity = (typeof SAVE_ACTIVITY)[keyof typeof SAVE_ACTIVITY];

/** What `auto` chooses between. */
export type SaveShape = Exclude<SaveActivity, 'auto'>;
