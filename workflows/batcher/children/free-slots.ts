import type { FlushPolicy } from '../../../src/domain/buffer/flush-policy';
import { batchesInFlight } from '../run/in-flight';
import type { BatcherState } from '../run/state';

/**
 * How many batches may start now, given `MAX_IN_FLIGHT`, `BATCH_SPACING_MS`, whether the shard is paused and whether
 * the store is available.
 */
export function freeSlots(state: BatcherState, nowMs: number): number {
  if (state.paused !== null || nowMs < storeHoldsUntilMs(state, nowMs)) return 0;
  const free = Math.max(0, state.settings.maxInFlight - batchesInFlight(state));
  if (state.settings.batchSpacingMs === 0) return state.store.holdsBack(nowMs) ? Math.min(free, 1) : free;
  return nowMs < spacedUntilMs(state) ? 0 : Math.min(free, 1);
}

/**
 * Until when an unavailable store holds batches back if there is no further notice; a time in the past if it doesn't.
 */
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
