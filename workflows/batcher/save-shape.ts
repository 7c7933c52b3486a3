/*
 * How batches that may start are saved (`SAVE_ACTIVITY`), decided from the batcher's state alone.
 *
 *   record ──► batch    more batches may start than RECORD_CHILDREN leaves room for
 *   batch  ──► record   they fit again, and no child that saves in bulk is busy
 *
 * A child per batch costs Temporal some forty times what a batch costs in a child with a hundred others, but shows each
 * record in the Web UI. So `auto` starts children of one batch while there is room for them, and saves in bulk beyond
 * that. Bulk saving gathers: with BULK_CHILDREN busy, only a child that is filled up may start beside them, so the
 * children grow with the load instead of their number. A child is busy for BUSY_MS from its start: by then it is through,
 * or waits for the next attempt of what failed.
 *
 * Where even the fastest save of a child took SLOW_STORE_MS, the store is what everything waits for, and bulk saving
 * gains nothing: `auto` then goes on with a child per batch, in which no record waits for the attempts of others, until a
 * save is fast again. A store that saves many records in one call is never slow in this sense.
 */
import { SAVE_ACTIVITY, type SaveShape } from '../../src/contracts/settings';
import { SECOND } from '../../src/domain/duration';
import { readyBatches } from '../../src/domain/flush-policy';
import { sizeOf } from '../../src/domain/paged-buffer';
import { batchesTogether } from './child-bounds';
import { batchesInFlight, flushPolicyOf, freeSlots, type BatcherState } from './state';

/** Children of one batch that `auto` has in flight at most while the store keeps up. */
export const RECORD_CHILDREN = 10;

/** Pending children of one batch: Temporal allows 2,000 of a workflow. */
const MAX_RECORD_CHILDREN = 1000;

/** Children that save in bulk and are busy: one saves while the one before closes. */
const BULK_CHILDREN = 2;
const BUSY_MS = 1 * SECOND;

/** Children that save in bulk, busy or not; with them the carried state is bounded, too. */
const MAX_BULK_CHILDREN = 200;

const SLOW_STORE_MS = 2 * SECOND;
const FAST_AGAIN_MS = 1 * SECOND;

/** What may start now. */
export interface Starts {
  shape: SaveShape;
  /** Most batches. */
  limit: number;
}

/** Decides how the batches that may start now are saved, and how many of them start; notes it when that changes. */
export function decideStarts(state: BatcherState, nowMs: number): Starts {
  const slots = freeSlots(state, nowMs);
  const { saveActivity } = state.settings;
  if (saveActivity === SAVE_ACTIVITY.record) return asRecords(state, nowMs, slots, MAX_RECORD_CHILDREN);
  if (saveActivity === SAVE_ACTIVITY.batch) return inBulk(state, nowMs, slots, null);
  if (state.saving.storeIsSlow) return asRecords(state, nowMs, slots, MAX_RECORD_CHILDREN);
  const { record, busy } = childrenByShape(state, nowMs);
  const ready = Math.min(slots, readyBatches(state.buffer.head, flushPolicyOf(state), nowMs));
  if (busy === 0 && ready <= RECORD_CHILDREN - record) return asRecords(state, nowMs, slots, RECORD_CHILDREN);
  return inBulk(state, nowMs, slots, dueBatches(state, ready));
}

/** Whether a batch could start if one were ready. If not, one may when a child ends, or at {@link busyUntilMs}. */
export function mayStartMore(state: BatcherState, nowMs: number): boolean {
  const { saveActivity, maxInFlight } = state.settings;
  if (batchesInFlight(state) >= maxInFlight) return false;
  const { record, bulk, busy } = childrenByShape(state, nowMs);
  const roomInBulk = busy < BULK_CHILDREN && bulk < MAX_BULK_CHILDREN;
  if (saveActivity === SAVE_ACTIVITY.record) return record < MAX_RECORD_CHILDREN;
  if (saveActivity === SAVE_ACTIVITY.batch) return roomInBulk;
  if (state.saving.storeIsSlow) return record < MAX_RECORD_CHILDREN;
  return roomInBulk || (busy === 0 && record < RECORD_CHILDREN);
}

/** Until when the first of the busy children counts as busy, in milliseconds since the epoch. */
export function busyUntilMs({ inFlight }: BatcherState, nowMs: number): number | undefined {
  let first: number | undefined;
  for (const { bulk, startedAtMs } of inFlight.values()) {
    const untilMs = startedAtMs + BUSY_MS;
    if (bulk && untilMs > nowMs) first = Math.min(first ?? untilMs, untilMs);
  }
  return first;
}

function asRecords(state: BatcherState, nowMs: number, slots: number, most: number): Starts {
  note(state, SAVE_ACTIVITY.record, nowMs, null);
  const { record } = childrenByShape(state, nowMs);
  return { shape: SAVE_ACTIVITY.record, limit: Math.max(0, Math.min(slots, most - record)) };
}

function inBulk(state: BatcherState, nowMs: number, slots: number, due: number | null): Starts {
  note(state, SAVE_ACTIVITY.batch, nowMs, due);
  const { busy, bulk } = childrenByShape(state, nowMs);
  const filled = batchesTogether(state.settings);
  const room = Math.max(0, MAX_BULK_CHILDREN - bulk) * filled;
  const limit = Math.min(slots, room);
  if (busy < BULK_CHILDREN) return { shape: SAVE_ACTIVITY.batch, limit };
  const ready = readyBatches(state.buffer.head, flushPolicyOf(state), nowMs);
  return { shape: SAVE_ACTIVITY.batch, limit: Math.floor(Math.min(limit, ready) / filled) * filled };
}

function note(state: BatcherState, shape: SaveShape, nowMs: number, due: number | null): void {
  if (state.saving.shape !== shape) state.saving = { ...state.saving, shape, sinceMs: nowMs, due };
}

/** Batches that are due by now, those that wait in pages and behind them included. */
function dueBatches({ buffer, settings }: BatcherState, ready: number): number {
  const behind = sizeOf(buffer).records - buffer.head.bufferedRecords;
  return ready + Math.ceil(behind / settings.maxBatchSize);
}

function childrenByShape(
  { inFlight }: BatcherState,
  nowMs: number,
): { record: number; bulk: number; busy: number } {
  let bulk = 0;
  let busy = 0;
  for (const child of inFlight.values()) {
    if (!child.bulk) continue;
    bulk++;
    if (nowMs - child.startedAtMs < BUSY_MS) busy++;
  }
  return { record: inFlight.size - bulk, bulk, busy };
}

/** Notes how long the fastest save of a child took, where that is known. */
export function noteFastestSave({ saving }: BatcherState, fastestMs: number | undefined): void {
  if (fastestMs === undefined) return;
  if (fastestMs >= SLOW_STORE_MS) saving.storeIsSlow = true;
  else if (fastestMs < FAST_AGAIN_MS) saving.storeIsSlow = false;
}
