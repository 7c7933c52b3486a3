import type { ConflictRule } from '../domain/conflict-rules';
import type { OutcomeFormat } from '../domain/outcome';

/**
 * The part of the configuration that the workflows obey. It reaches a batcher as its input and, when a later process
 * starts with other values, by `configureSignal`: what is in force stands in workflow state, never in a worker.
 * Units, defaults and bounds: see the settings of the same names in `docs/CONFIGURATION.md`.
 */
export interface PipelineSettings {
  maxBatchSize: number;
  conflicts: ConflictRule[];
  flushIntervalMs: number;
  batchSpacingMs: number;
  maxInFlight: number;
  maxAttempts: number;
  retryIntervalMs: number;
  outcomeFormat: OutcomeFormat;
}
