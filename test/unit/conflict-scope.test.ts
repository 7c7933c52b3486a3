import { RUN_LIMITS } from '../../src/contracts/workflow/batcher';
import type { PipelineSettings } from '../../src/contracts/workflow/settings';
import { childIdOf } from '../../src/domain/records/batch';
import type { JsonValue } from '../../src/domain/json';
import type { ConflictRule } from '../../src/domain/rules';
import { appendToEnd, spill } from '../../src/domain/buffer/paged-buffer';
import {
  followScope,
  looksAhead,
  nextWakeAtMs,
  takeFlushesOfScope,
} from '../../workflows/batcher/children/conflict-scope';
import { noteCuts } from '../../workflows/batcher/children/next-children';
import { changeLimits, configure } from '../../workflows/batcher/messages/limits';
import { carriedFrom, type BatcherState } from '../../workflows/batcher/run/state';
import { waitsOf } from '../../workflows/batcher/messages/waits';
import { endChild, infoOf, newState, startBatches, stateFrom } from '../helpers/batcher-loop';
import { TEST_SETTINGS } from '../helpers/test-settings';

const RUNNING: PipelineSettings = {
  ...TEST_SETTINGS,
  conflictScope: 'running',
  apartMs: 500,
  flushIntervalMs: 1,
};

function nextRunOf(state: BatcherState, nowMs: number): BatcherState {
  const { configured: settings, limits } = state;
  return stateFrom({ settings, limits, carried: carriedFrom(state) }, nowMs);
}

let requests = 0;
/** @returns the request's id */
function arrive(state: BatcherState, values: JsonValue[], nowMs: number): string {
  const requestId = `r${requests++}`;
  appendToEnd(state.buffer, { requestId, values }, nowMs);
  return requestId;
}

/** Lets start what may, and returns the values that did. */
function start(state: BatcherState, nowMs: number): JsonValue[] {
  return startBatches(state, nowMs).flatMap(({ flushes }) =>
    flushes.flatMap(({ records }) => records.map(({ value }) => value)),
  );
}

function end(state: BatcherState, seq: number, nowMs: number): void {
  endChild(state, childIdOf('batcher-0', seq), nowMs);
}

test('Batches in flight, and those that ended too recently, also keep records apart in the next run (G2).', () => {
  let state = newState(RUNNING);
  arrive(state, [1], 0);
  expect(start(state, 10)).toEqual([1]);
  arrive(state, [2, 'free'], 10);
  state = nextRunOf(state, 20);
  expect(start(state, 20)).toEqual(['free']);
  end(state, 1, 30);
  state = nextRunOf(state, 40);
  expect(start(state, 40)).toEqual([]);
  expect(nextWakeAtMs(state, 40)).toBe(530);
  expect(start(state, 529)).toEqual([]);
  expect(start(state, 530)).toEqual([2]);
});

test('When a batcher changes to scope running, records with rules wait for all batches in flight.', () => {
  const state = newState({ ...RUNNING, conflictScope: 'file' });
  expect(state.apart).toBeNull();
  arrive(state, ['free'], 0);
  start(state, 10);
  configure(state, RUNNING);
  followScope(state, 20);
  arrive(state, [1, 'free'], 20);
  expect(start(state, 30)).toEqual(['free']);
  end(state, 1, 40);
  expect(start(state, 539)).toEqual([]);
  expect(start(state, 540)).toEqual([1]);

  configure(state, { ...RUNNING, conflictScope: 'file' });
  followScope(state, 550);
  arrive(state, [2], 550);
  expect(start(state, 560)).toEqual([2]);
  expect(carriedFrom(state)).not.toHaveProperty('held');
});

test('Configuring the same settings changes no holds; different rules or APART_MS do.', () => {
  const state = newState(RUNNING);
  arrive(state, [1], 0);
  start(state, 10);
  configure(state, structuredClone(RUNNING));
  followScope(state, 20);
  arrive(state, [1], 20);
  expect(start(state, 30)).toEqual([1]);

  changeLimits(state, { conflicts: [{ pair: [3, 4] }] }, { by: 'Ann', atMs: 0 });
  followScope(state, 40);
  arrive(state, [3, 2], 40);
  expect(start(state, 50)).toEqual([2]);
  for (const seq of [1, 2, 3]) end(state, seq, 60);
  expect(start(state, 560)).toEqual([3]);

  configure(state, { ...RUNNING, apartMs: 5 });
  followScope(state, 570);
  arrive(state, [3], 570);
  expect(start(state, 580)).toEqual([]);
});

test('When conflicts hold up the whole head, a run with a short history takes in the next page.', () => {
  const state = newState(RUNNING);
  arrive(state, [1], 0);
  start(state, 10);
  arrive(
    state,
    Array.from({ length: 60_000 }, () => 2),
    10,
  );
  arrive(
    state,
    Array.from({ length: 60_000 }, () => 'free'),
    10,
  );
  spill(state.buffer);
  expect(state.buffer.pages.length).toBeGreaterThan(1);
  const { historySize } = infoOf();
  expect(looksAhead(state, historySize, 20)).toBe(true);
  expect(looksAhead(state, historySize + RUN_LIMITS.historyBytes / 2, 20)).toBe(false);
  arrive(state, ['free'], 20);
  state.settings = { ...state.settings, maxInFlight: 1 };
  expect(looksAhead(state, historySize, 30)).toBe(false);
  state.settings = { ...state.settings, maxInFlight: 2 };
  end(state, 1, 30);
  expect(looksAhead(state, historySize, 529)).toBe(true);
  expect(looksAhead(state, historySize, 530)).toBe(false);
});

test('In scope running, waits distinguish conflicts, age and slots.', () => {
  const state = newState({ ...RUNNING, flushIntervalMs: 100 });
  const waits = (requestId: string, nowMs: number) => {
    const { distinct, of } = waitsOf(state, requestId, nowMs);
    return of.map((place) => distinct[place]);
  };
  const conflicts: ConflictRule[] = [{ pair: [1, 2] }];
  const [rule] = conflicts;
  const child = { rule, childId: 'batcher-0-00000001', place: '' };
  arrive(state, [1], 0);
  start(state, 100);
  const held = arrive(state, [2, 'free', 1], 110);
  // The last goes with what is in flight, but not before the older one.
  expect(waits(held, 120)).toEqual([
    { for: 'conflict', heldBy: child },
    { for: 'age', untilMs: 210 },
    { for: 'conflict', heldBy: { rule, recordId: `${held}:0` }, keptApartBy: conflicts },
  ]);
  state.settings = { ...state.settings, maxInFlight: 1 };
  expect(waits(held, 210)[1]).toEqual({ for: 'slot' });
  end(state, 1, 220);
  expect(waits(held, 230)[0]).toEqual({ for: 'conflict', untilMs: 720, heldBy: child });
  expect(start(state, 720)).toEqual([2, 'free']);
});

test('The reason of a partial batch says that records had to wait for batches in flight.', () => {
  const state = newState(RUNNING);
  arrive(state, [1], 0);
  start(state, 10);
  arrive(state, [2, 'free'], 10);
  const flushes = takeFlushesOfScope(state, 20, 9, Infinity);
  expect(noteCuts(state, flushes, 20)).toMatchObject([
    { records: [{ value: 'free' }], cut: { why: 'held_up', left: 1, keptOut: [], fitting: 1 } },
  ]);
});

test('A child that saves in bulk keeps the holds of all its batches until it ends (G2).', () => {
  const state = newState({ ...RUNNING, saveActivity: 'batch', apartMs: 0, maxBatchSize: 1 });
  arrive(state, [1, 'a', 'b'], 0);
  expect(startBatches(state, 10).map(({ flushes }) => flushes.length)).toEqual([3]);
  arrive(state, [2, 'c'], 10);
  expect(start(state, 20)).toEqual(['c']);
  end(state, 1, 30);
  expect(start(state, 30)).toEqual([2]);
});
