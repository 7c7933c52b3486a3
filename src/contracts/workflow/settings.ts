import type { Limits } from '../../domain/limits';
import type { OutcomeFormat } from '../../domain/records/outcome';

/**
 * The settings of the workflows. A batcher gets them with its input, and by `configureSignal` when a process starts with
 * other values; they are kept in workflow state, never in a worker. Units, defaults and bounds: see the settings of the
 * same names in `docs/CONFIGURATION.md`.
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
 * Where conflicting records are kept apart. `file`: they never share a file. `running`: they are also never in flight at
 * the same time, and never start within `apartMs` of each other's end.
 */
export const CONFLICT_SCOPE = { file: 'file', running: 'running' } as const;
export type ConflictScope = (typeof CONFLICT_SCOPE)[keyof typeof CONFLICT_SCOPE];

/** What happens to the saved records of a batch in which another one is rolled back: they stay saved, or are rolled back too. */
export const ON_FAILURE = { keep: 'keep', rollbackBatch: 'rollback_batch' } as const;
export type OnFailure = (typeof ON_FAILURE)[keyof typeof ON_FAILURE];

/**
 * How records are saved. `record`: a child per batch and an activity per record, which Temporal retries. `batch`: many
 * batches per child, saved, retried, rolled back and closed together. `auto`: `record` under low load, `batch` as soon as
 * more batches are due than `record` can process.
 */
export const SAVE_ACTIVITY = { auto: 'auto', record: 'record', batch: 'batch' } as const;
export type SaveActivity = (typeof SAVE_ACTIVITY)[keyof typeof SAVE_ACTIVITY];

/** The shapes that `auto` chooses between. */
export type SaveShape = Exclude<SaveActivity, 'auto'>;
