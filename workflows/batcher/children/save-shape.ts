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
 * save is fast again. A store that saves many records in one call is never slow in this sense. Nor does it gain anything
 * with BATCH_SPACING_MS, as batches start one by one then.
 */
import type { InFlightChild } from '../../../src/contracts/workflow/batcher';
import { SAVE_ACTIVITY, type SaveShape } from '../../../src/contracts/workflow/settings';
import { SECOND } from '../../../src/domain/duration';
import { sizeOf } from '../../../src/domain/buffer/paged-buffer';
import { batchesTogether } from './child-bounds';
import { freeSlots, storeHoldsUntilMs } from './free-slots';
import { readyBatchesAt } from './pace';
import type { BatcherState } from '../run/state';

/** Maximum number of children of one batch that `auto` keeps in flight while the store keeps up. */
export const RECORD_CHILDREN = 10;

/** Maximum number of pending children of one batch; Temporal allows 2,000 per workflow. */
const MAX_RECORD_CHILDREN = 1000;

/** Maximum number of busy children that save in bulk: one saves while the previous one closes. */
const BULK_CHILDREN = 2;
const BUSY_MS = 1 * SECOND;

/** Maximum number of children that save in bulk, busy or not; also bounds the carried state. */
const MAX_BULK_CHILDREN = 200;

const SLOW_STORE_MS = 2 * SECOND;
const FAST_AGAIN_MS = 1 * SECOND;

/** How batches that are ready at some time start, and how many may. */
export interface Starts {
  shape: SaveShape;
  limit: number;
  /** How many are due, if that is why they are saved in bulk; null if the settings decide, and for `record`. */
  due: number | null;
}

/**
 * What may start at some time, as far as is known now. Assumes that one batch is ready, because only cutting can tell.
 * Changes nothing; see {@link noteStarts}.
 */
export function decideStarts(state: BatcherState, atMs: number): Starts {
  const { saveActivity, batchSpacingMs } = state.settings;
  const slots = freeSlots(state, atMs);
  const ready = Math.max(1, readyBatchesAt(state, atMs));
  if (saveActivity === SAVE_ACTIVITY.record) return asRecords(state, atMs, slots, MAX_RECORD_CHILDREN);
  if (saveActivity === SAVE_ACTIVITY.batch) return inBulk(state, atMs, slots, ready, null);
  if (state.saving.storeIsSlow || batchSpacingMs > 0)
    return asRecords(state, atMs, slots, MAX_RECORD_CHILDREN);
  const { record, busy } = childrenByShape(state, atMs);
  if (busy === 0 && Math.min(slots, ready) <= RECORD_CHILDREN - record)
    return asRecords(state, atMs, slots, RECORD_CHILDREN);
  return inBulk(state, atMs, slots, ready, ready + behindHead(state));
}

/**
 * The earliest time at which a batch that is ready at some time may start, in milliseconds since the epoch: that time,
 * when the notice of an unavailable store lapses, or when a child no longer counts as busy. Undefined if a child must
 * end or make progress first.
 */
export function mayStartFromMs(state: BatcherState, atMs: number): number | undefined {
  const untilMs = [...state.inFlight.values()]
    .filter((child) => child.bulk)
    .map(busyUntilMs)
    .sort((a, b) => a - b);
  const storeMs = Math.max(atMs, storeHoldsUntilMs(state, atMs));
  return [atMs, storeMs, ...untilMs.filter((timeMs) => timeMs > storeMs)].find(
    (timeMs) => timeMs >= atMs && decideStarts(state, timeMs).limit > 0,
  );
}

function busyUntilMs({ startedAtMs }: InFlightChild): number {
  return startedAtMs + BUSY_MS;
}

/**
 * Records how batches are saved from now on. Due batches cause bulk saving only once some start, because none may have
 * been ready.
 */
export function noteStarts(
  state: BatcherState,
  { shape, due }: Starts,
  started: number,
  nowMs: number,
): void {
  if (state.saving.shape === shape || (due !== null && started === 0)) return;
  state.saving = { ...state.saving, shape, sinceMs: nowMs, due };
}

function asRecords(state: BatcherState, atMs: number, slots: number, most: number): Starts {
  const { record } = childrenByShape(state, atMs);
  return { shape: SAVE_ACTIVITY.record, limit: Math.max(0, Math.min(slots, most - record)), due: null };
}

function inBulk(state: BatcherState, atMs: number, slots: number, ready: number, due: number | null): Starts {
  const { busy, bulk } = childrenByShape(state, atMs);
  const filled = state.settings.batchSpacingMs > 0 ? 1 : batchesTogether(state.settings);
  const limit = Math.min(slots, Math.max(0, MAX_BULK_CHILDREN - bulk) * filled);
  const filling = Math.floor(Math.min(limit, ready) / filled) * filled;
  return { shape: SAVE_ACTIVITY.batch, limit: busy < BULK_CHILDREN ? limit : filling, due };
}

/** About how many batches wait in pages and the tail. */
function behindHead({ buffer, settings }: BatcherState): number {
  return Math.ceil((sizeOf(buffer).records - buffer.head.bufferedRecords) / settings.maxBatchSize);
}

function childrenByShape(
  { inFlight }: BatcherState,
  atMs: number,
): { record: number; bulk: number; busy: number } {
  let bulk = 0;
  let busy = 0;
  for (const child of inFlight.values()) {
    if (!child.bulk) continue;
    bulk++;
    if (atMs < busyUntilMs(child)) busy++;
  }
  return { record: inFlight.size - bulk, bulk, busy };
}

/** Records how long the fastest save of a child took, if known. */
export function noteFastestSave({ saving }: BatcherState, fastestMs: number | undefined): void {
  if (fastestMs === undefined) return;
  if (fastestMs >= SLOW_STORE_MS) saving.storeIsSlow = true;
  else if (fastestMs < FAST_AGAIN_MS) saving.storeIsSlow = false;
}
