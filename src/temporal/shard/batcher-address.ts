import type { Config } from '../../config';
import type { BatcherAddress } from './shards';

/** Where this deployment's batchers live and what they obey, as configured. */
export function batcherAddress(config: Config): BatcherAddress {
  return {
    batcherId: config.batcherId,
    shards: config.shards,
    taskQueue: config.taskQueue,
    settings: {
      maxBatchSize: config.maxBatchSize,
      conflicts: [...config.conflicts],
      flushIntervalMs: config.flushIntervalMs,
      batchSpacingMs: config.batchSpacingMs,
      maxSavesPerSecond: config.maxSavesPerSecond,
      maxInFlight: config.maxInFlight,
      maxAttempts: config.maxAttempts,
      retryIntervalMs: config.retryIntervalMs,
      conflictScope: config.conflictScope,
      apartMs: config.apartMs,
      outcomeFormat: config.outcomeFormat,
      onFailure: config.onFailure,
      saveActivity: config.saveActivity,
      idempotencyWindowMs: config.idempotencyWindowMs,
      idempotencyWindowKeys: config.idempotencyWindowKeys,
    },
  };
}
