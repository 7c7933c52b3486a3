import type { PipelineSettings } from '../../src/contracts/workflow/settings';
import { nextWakeAtMs } from '../../workflows/batcher/children/conflict-scope';
import {
  RECORD_CHILDREN,
  decideStarts,
  mayStartFromMs,
  noteFastestSave,
} from '../../workflows/batcher/children/save-shape';
import { takeRequest } from '../../workflows/batcher/messages/requests';
import type { BatcherState } from '../../workflows/batcher/run/state';
import { endChild, newState, startBatches, type Started } from '../helpers/batcher-loop';

const AUTO: Partial<PipelineSettings> = {
  saveActivity: 'auto',
  conflicts: [],
  maxInFlight: 2000,
  flushIntervalMs: 1000,
};
/** Batches of five records that a child holds at most. */
const FILLED = 200;

let requests = 0;
function arrive(state: BatcherState, records: number, nowMs = 0): void {
  takeRequest(
    state,
    { requestId: `r${requests++}`, values: Array.from({ length: records }, () => 1) },
    nowMs,
  );
}

/** Lets so many full batches arrive, and start as far as they may. */
function startFull(state: BatcherState, batches: number, nowMs = 0): Started[] {
  arrive(state, batches * 5, nowMs);
  return startBatches(state, nowMs);
}

/** What started, as `<batches> <shape>` per child. */
function told(started: readonly Started[]): string[] {
  return started.map(({ shape, flushes }) => `${flushes.length} ${shape}`);
}

function times<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}

/** Children that save in bulk, each with one batch. */
function busyInBulk(state: BatcherState, count: number): string[] {
  const settings = { ...state.settings };
  state.settings = { ...settings, saveActivity: 'batch', maxInFlight: 10_000 };
  const childIds = times(count, 0).flatMap(() => startFull(state, 1).map(({ childId }) => childId));
  state.settings = settings;
  return childIds;
}

test('With SAVE_ACTIVITY=auto batches start as children of their own, as long as they leave ten in flight at most.', () => {
  const state = newState(AUTO);
  expect(told(startFull(state, 7))).toEqual(times(7, '1 record'));
  expect(told(startFull(state, 3))).toEqual(times(3, '1 record'));
  expect(state.saving).toMatchObject({ shape: 'record', due: null });
});

test('With more batches ready than there is room for, auto saves all of them in bulk, and notes how many were due.', () => {
  const state = newState(AUTO);
  startFull(state, 8, 10);
  expect(told(startFull(state, 3, 20))).toEqual(['3 batch']);
  expect(state.saving).toEqual({ shape: 'batch', sinceMs: 20, due: 3, storeIsSlow: false });
});

test('One batch more than ten in flight is saved in bulk, alone.', () => {
  const state = newState(AUTO);
  startFull(state, RECORD_CHILDREN);
  expect(told(startFull(state, 1))).toEqual(['1 batch']);
});

test('A child that saves in bulk holds a thousand records at most; the next one holds what is left.', () => {
  const state = newState(AUTO);
  expect(told(startFull(state, 450))).toEqual(['200 batch', '200 batch', '50 batch']);
});

test('While a child is busy saving in bulk, auto goes on in bulk; when it has ended, batches are children of their own again.', () => {
  const state = newState(AUTO);
  const [bulk] = startFull(state, 11, 10);
  expect(told(startFull(state, 1, 20))).toEqual(['1 batch']);
  for (const childId of [...state.inFlight.keys()]) endChild(state, childId, 30);
  expect(bulk?.shape).toBe('batch');
  expect(told(startFull(state, 1, 40))).toEqual(['1 record']);
  expect(state.saving).toMatchObject({ shape: 'record', sinceMs: 40, due: null });
});

test('A child counts as busy for a second: what arrives then starts as if it were not there.', () => {
  const state = newState(AUTO);
  startFull(state, 11);
  expect(told(startFull(state, 1, 999))).toEqual(['1 batch']);
  expect(told(startFull(state, 1, 1999))).toEqual(['1 record']);
  expect(state.saving.shape).toBe('record');
});

test('With two children busy saving in bulk, a further one starts only when it can be filled up, or one is busy no more.', () => {
  const state = newState(AUTO);
  busyInBulk(state, 2);
  expect(told(startFull(state, FILLED - 1))).toEqual([]);
  expect(nextWakeAtMs(state, 0)).toBe(1000);
  expect(told(startFull(state, 2))).toEqual([`${FILLED} batch`]);
  expect(told(startBatches(state, 999))).toEqual([]);
  expect(told(startBatches(state, 1000))).toEqual(['1 record']);
});

test('No more than two hundred children save in bulk, however long ago they started.', () => {
  const state = newState({ ...AUTO, saveActivity: 'batch', maxInFlight: 10_000 });
  for (let i = 0; i < 200; i++) startFull(state, 1, 1000 * i);
  expect(startFull(state, 1, 200_000)).toEqual([]);
  expect(mayStartFromMs(state, 0)).toBeUndefined();
});

test('When the fastest save of a child took two seconds, auto saves record by record until one takes less than one again.', () => {
  const state = newState(AUTO);
  noteFastestSave(state, 2000);
  expect(told(startFull(state, 50))).toEqual(times(50, '1 record'));
  noteFastestSave(state, undefined);
  noteFastestSave(state, 1500);
  expect(decideStarts(state, 0).shape).toBe('record');
  expect(told(startFull(state, 11))).toEqual(times(11, '1 record'));
  noteFastestSave(state, 999);
  expect(told(startFull(state, 11))).toEqual(['11 batch']);
});

test('A save that took less than two seconds says nothing of a slow store.', () => {
  const state = newState(AUTO);
  noteFastestSave(state, 1999);
  expect(told(startFull(state, 11))).toEqual(['11 batch']);
});

test('No more than a thousand children of one batch are in flight, whatever MAX_IN_FLIGHT says.', () => {
  const state = newState({ ...AUTO, saveActivity: 'record', maxInFlight: 10_000 });
  expect(startFull(state, 1100)).toHaveLength(1000);
  expect(mayStartFromMs(state, 0)).toBeUndefined();
});

test('With BATCH_SPACING_MS batches start one by one: auto saves them record by record, however many are in flight.', () => {
  const state = newState({ ...AUTO, batchSpacingMs: 50 });
  arrive(state, 5 * 40);
  const shapes = times(40, 0).flatMap((_, i) => told(startBatches(state, 1000 + 50 * i)));
  expect(shapes).toEqual(times(40, '1 record'));
});

test('With BATCH_SPACING_MS and SAVE_ACTIVITY=batch, a batch does not wait for company that cannot come.', () => {
  const state = newState({ ...AUTO, saveActivity: 'batch', batchSpacingMs: 50 });
  arrive(state, 5 * 10);
  const shapes = times(10, 0).flatMap((_, i) => told(startBatches(state, 1000 + 50 * i)));
  expect(shapes).toEqual(times(10, '1 batch'));
});

test('MAX_IN_FLIGHT bounds the batches in flight in each shape, those that wait for their next attempt included.', () => {
  for (const saveActivity of ['auto', 'record', 'batch'] as const) {
    const state = newState({ ...AUTO, saveActivity, maxInFlight: 30 });
    const started = startFull(state, 50);
    expect(started.flatMap(({ flushes }) => flushes)).toHaveLength(30);
    expect(startBatches(state, 0)).toEqual([]);
    expect(nextWakeAtMs(state, 0)).toBeUndefined();
  }
});

test('While a shard is paused nothing starts, and nothing wakes the loop.', () => {
  const state = newState({ ...AUTO });
  state.paused = { by: 'Ann', atMs: 0 };
  expect(startFull(state, 50)).toEqual([]);
  expect(nextWakeAtMs(state, 5000)).toBeUndefined();
});

test('SAVE_ACTIVITY=record and =batch are obeyed whatever is ready, and say so without a number of what was due.', () => {
  const record = newState({ ...AUTO, saveActivity: 'record' });
  expect(told(startFull(record, 12))).toEqual(times(12, '1 record'));
  const batch = newState({ ...AUTO, saveActivity: 'batch' });
  expect(told(startFull(batch, 1, 10))).toEqual(['1 batch']);
  expect(batch.saving).toMatchObject({ shape: 'batch', sinceMs: 10, due: null });
});

test('Nothing that is ready leaves the shape as it was: room alone is no load.', () => {
  const state = newState(AUTO);
  startFull(state, RECORD_CHILDREN, 10);
  arrive(state, 3, 20);
  expect(startBatches(state, 20)).toEqual([]);
  expect(state.saving).toMatchObject({ shape: 'record', sinceMs: 0 });
});

test('A batch that becomes full with what an earlier cut has left starts at once, though ten children are in flight.', () => {
  const state = newState(AUTO);
  startFull(state, RECORD_CHILDREN - 1);
  arrive(state, 8);
  expect(told(startBatches(state, 0))).toEqual(['1 record']);
  expect(state.buffer.head).toMatchObject({ partial: [{ length: 3 }], waiting: [] });
  arrive(state, 2);
  expect(told(startBatches(state, 0))).toEqual(['1 batch']);
});

test('Where only cutting can tell whether a batch is full, the loop looks once and then sleeps until one is due.', () => {
  const state = newState({ ...AUTO, conflicts: [{ distinct: '' }] });
  for (let i = 0; i < RECORD_CHILDREN; i++) {
    takeRequest(state, { requestId: `own ${i}`, values: [1, 2, 3, 4, 5] }, 100);
  }
  startBatches(state, 100);
  for (let nowMs = 200; nowMs < 210; nowMs++) {
    arrive(state, 1, nowMs);
    expect(startBatches(state, nowMs)).toEqual([]);
    expect(nextWakeAtMs(state, nowMs)).toBe(1200);
  }
});
