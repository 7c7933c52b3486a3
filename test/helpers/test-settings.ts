import type { PipelineSettings } from '../../src/contracts/workflow/settings';

/** Settings of a batcher under test: short intervals, few attempts. In a file of its own, as units need no Temporal. */
export const TEST_SETTINGS: PipelineSettings = {
  maxBatchSize: 5,
  conflicts: [{ pair: [1, 2] }],
  flushIntervalMs: 100,
  batchSpacingMs: 0,
  maxSavesPerSecond: 0,
  maxInFlight: 50,
  maxAttempts: 3,
  retryIntervalMs: 10,
  conflictScope: 'file',
  apartMs: 0,
  outcomeFormat: 'text',
  onFailure: 'keep',
  saveActivity: 'record',
  idempotencyWindowMs: 86_400_000,
  idempotencyWindowKeys: 4000,
};
