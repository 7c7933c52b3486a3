import type { Config } from '../../config';
import type { BatcherAddress } from './shards';

/** Address of the batchers of this configuration, and the settings they start with. */
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
