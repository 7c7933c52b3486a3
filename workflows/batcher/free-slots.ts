import type { FlushPolicy } from '../../src/domain/buffer/flush-policy';
import { batchesInFlight } from './in-flight';
import type { BatcherState } from './state';

/** How many batches may start now by `MAX_IN_FLIGHT`, `BATCH_SPACING_MS`, a pause of the shard and a store that is away. */
export function freeSlots(state: BatcherState, nowMs: number): number {
  if (state.paused !== null || nowMs < storeHoldsUntilMs(state, nowMs)) return 0;
  const free = Math.max(0, state.settings.maxInFlight - batchesInFlight(state));
  if (state.settings.batchSpacingMs === 0) return state.store.holdsBack(nowMs) ? Math.min(free, 1) : free;
  return nowMs < spacedUntilMs(state) ? 0 : Math.min(free, 1);
}

/** Until when a store that is away holds batches back if nothing is heard; a time that is over while it doesn't. */
export function storeHoldsUntilMs({ store, lastBatchStartedAtMs }: BatcherState, nowMs: number): number {
  return store.mayStartFromMs(nowMs, lastBatchStartedAtMs);
}

/** Until when `BATCH_SPACING_MS` holds batches back, in milliseconds since the epoch. */
export function spacedUntilMs(state: BatcherState): number {
  return state.lastBatchStartedAtMs + state.settings.batchSpacingMs;
}

/** With `MAX_SAVES_PER_SECOND`, no batch has more records than may start in a second. */
export function flushPolicyOf({ settings, pace }: BatcherState): FlushPolicy {
  if (pace === null || pace.batchSize >= settings.maxBatchSize) return settings;
  return { ...settings, maxBatchSize: pace.batchSize };
}
