import { DAY } from '../domain/duration';
import type { Limits } from '../domain/limits';
import type { OutcomeFormat } from '../domain/outcome';

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
  batchesPerChild: number;
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
 * How the records of a batch are saved: each by an activity, each by a local activity, or all of them by one local
 * activity. What is local costs no round trip to the server, and shows in history only when it is through.
 */
export const SAVE_ACTIVITY = { regular: 'regular', local: 'local', batch: 'batch' } as const;
export type SaveActivity = (typeof SAVE_ACTIVITY)[keyof typeof SAVE_ACTIVITY];

/** Settings as an older version's process or history gives them: what came later has its default. */
export type StoredSettings = Omit<PipelineSettings, keyof typeof LATER_SETTINGS> & Partial<PipelineSettings>;

/** Settings that came after 0.1.0, with their defaults. */
const LATER_SETTINGS = {
  conflictScope: CONFLICT_SCOPE.file,
  apartMs: 0,
  onFailure: ON_FAILURE.keep,
  saveActivity: SAVE_ACTIVITY.regular,
  batchesPerChild: 1,
  idempotencyWindowMs: 1 * DAY,
  idempotencyWindowKeys: 10_000,
} as const satisfies Partial<PipelineSettings>;

export function completeSettings(settings: StoredSettings): PipelineSettings {
  return { ...LATER_SETTINGS, ...settings };
}
