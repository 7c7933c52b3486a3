import fc from 'fast-check';
import { RUN_LIMITS, type BatcherInput } from '../../src/contracts/workflow/batcher';
import { holdOf } from '../../src/domain/running/holds';
import { childIdOf } from '../../src/domain/records/batch';
import { inOrder, packedBytesBound } from '../../src/domain/buffer/buffer';
import { KIB, MIB } from '../../src/domain/duration';
import { MAX_SHARES } from '../../src/domain/windows/key-window';
import { adoptLayout } from '../../src/domain/windows/layout';
import { LIMIT_RANGES, MAX_SHARDS, MAX_WINDOW_KEYS, problemsOfLimitsPatch } from '../../src/domain/limits';
import { appendToEnd, needsSpill, sizeOf, spill } from '../../src/domain/buffer/paged-buffer';
import { MAX_PACED_VALUES } from '../../src/domain/pace/pace';
import { MAX_SENDERS, MAX_SENDER_LENGTH, noteMessage } from '../../src/domain/windows/sender-window';
import { MAX_STREAMS } from '../../src/domain/windows/stream-window';
import { noteControl } from '../../workflows/batcher/messages/controls';
import { changeLimits } from '../../workflows/batcher/messages/limits';
import { batchesInFlight } from '../../workflows/batcher/run/in-flight';
import { followPace } from '../../workflows/batcher/children/pace';
import { takeRequest } from '../../workflows/batcher/messages/requests';
import { carriedFrom, type BatcherState } from '../../workflows/batcher/run/state';
import { newState, progress, startBatches, stateFrom } from '../helpers/batcher-loop';
import { anySettings, anyStory, happen } from '../helpers/batcher-story';

/** The state of the next run. */
function nextRunOf(state: BatcherState, nowMs = 0): BatcherState {
  const { configured: settings, limits } = state;
  return stateFrom({ settings, limits, carried: carriedFrom(state) }, nowMs);
}

/** As many children as can be in flight: a thousand of one batch, and two hundred that save in bulk and have reported. */
function fillWithChildren(state: BatcherState, batcherId: string): void {
  for (let i = 0; i < 1200; i++) {
    const childId = childIdOf(batcherId, 99_998_000 + i);
    const requestIds = ['r'.repeat(128)];
    const told = progress({ batches: 199, saved: 1000, rolledBack: 1000, retries: 99_000 });
    const child =
      i < 1000
        ? { batches: 1, records: 1000, bulk: false }
        : { batches: 200, records: 200_000, bulk: true, told };
    state.inFlight.set(childId, { childId, startedAtMs: 1_790_000_000_000, requestIds, ...child });
  }
}

test('G6: The carried state takes less than 512 KiB with everything at its bound.', () => {
  const conflicts = Array.from({ length: 2500 }, (_, i) => ({
    pair: [`a${i}`, `b${i}`] as [string, string],
  }));
  expect(Buffer.byteLength(JSON.stringify(conflicts))).toBeGreaterThan(63 * KIB);
  expect(problemsOfLimitsPatch({ conflicts })).toEqual([]);
  const configured = [{ perSecond: 1 }, { at: `/${'c'.repeat(255)}`, perSecond: 1 }];
  const state = newState({ conflicts, conflictScope: 'running', maxSavesPerSecond: configured });
  const room = state.apart!.held.room();
  for (let i = 99_999_000; room.takes([holdOf(`2499.${i}:1`)], true); i++)
    state.apart!.held.begin(i, [holdOf(`2499.${i}:1`)]);
  const set = Object.fromEntries(Object.keys(LIMIT_RANGES).map((key) => [key, 1000]));
  const maxSavesPerSecond = [{ perSecond: 100_000 }, { at: `/${'p'.repeat(255)}`, perSecond: 100_000 }];
  const limitsSet = { ...set, conflicts, maxSavesPerSecond };
  changeLimits(state, limitsSet, { by: 'ü'.repeat(64), atMs: 1_790_000_000_000 });
  followPace(state, 0);
  const { buckets } = state.pace!.values!;
  for (let i = 0; i < MAX_PACED_VALUES; i++)
    buckets.take(new Map([[(4_294_966_000 + i).toString(36), buckets.most]]), 1_790_000_000_000);
  const batcherId = 'b'.repeat(64);
  fillWithChildren(state, `${batcherId}-63`);
  for (let i = 0; i < MAX_SENDERS; i++)
    noteMessage(state.senders, { sender: String(i).padStart(MAX_SENDER_LENGTH, 's'), number: 1_000_000_000 });
  const scopeOf = (i: number) => String(i % (MAX_SHARES + 10)).padStart(32, 'a');
  for (let i = 0; i < MAX_WINDOW_KEYS; i++) {
    const digest = { scope: scopeOf(i), key: String(i).padStart(20, '0'), body: 'a'.repeat(20) };
    takeRequest(state, { requestId: String(i).padStart(128, 'r'), values: [], digest }, i * 8640);
  }
  for (let shards = 2; shards <= MAX_SHARDS; shards++) {
    const layout = { version: 1_000_000_000 + shards, shards, before: [] };
    state.layout = adoptLayout(state.layout, layout, 86_400_000, 1_790_000_000_000);
  }
  for (let i = 0; i < MAX_STREAMS; i++) {
    const key = { scope: scopeOf(i), key: String(i).padStart(20, 's') };
    const part = { ...key, before: '', after: 'd'.repeat(20), complete: false };
    takeRequest(state, { requestId: 'r', values: [], part, offset: 0 }, 86_400_000);
    state.streams.get(part.key)!.minute = 29_833_333;
    state.streams.get(part.key)!.taken = 1_000_000_000;
  }
  for (let i = 0; i < 200_000; i++) {
    const request = { requestId: String(i).padStart(128, 'r'), values: ['x'.repeat(165)] };
    takeRequest(state, request, 1_790_000_000_000 + i);
  }
  expect(sizeOf(state.buffer).bytes).toBeGreaterThan(31 * MIB);
  for (const [i, { ref }] of spill(state.buffer).entries())
    ref.pageId = `${batcherId}-63-page-${i + 10_000_000}`;
  for (let i = 0; i < 55; i++) {
    takeRequest(state, { requestId: String(i).padStart(128, 't'), values: ['x'.repeat(830)] }, 0);
  }
  for (let i = 0; i < 100; i++)
    noteControl(state.controls, {
      action: 'configure',
      by: 'ü'.repeat(64),
      atMs: 1_790_000_000_000,
      detail: 'x'.repeat(200),
    });
  for (const rule of conflicts.keys()) state.cuts.deferredBy[rule] = 1_000_000_000 + rule;
  expect(packedBytesBound(state.buffer.tail)).toBeGreaterThan(52 * KIB);
  expect(needsSpill(state.buffer, RUN_LIMITS.lateBytes)).toBe(false);

  const { configured: settings, limits } = state;
  const input: BatcherInput = { settings, limits, carried: carriedFrom(state) };
  expect(Buffer.byteLength(JSON.stringify(input.carried?.held))).toBeGreaterThan(8 * KIB);
  expect(Buffer.byteLength(JSON.stringify(input.carried?.pace))).toBeGreaterThan(6 * KIB);
  expect(Buffer.byteLength(JSON.stringify(input.carried?.keys))).toBeGreaterThan(43 * MAX_WINDOW_KEYS);
  expect(Buffer.byteLength(JSON.stringify(input))).toBeLessThan(512 * KIB);
  expect(Buffer.byteLength(JSON.stringify(input))).toBeGreaterThan(400 * KIB);
});

test('G4: The next run adopts every child in flight with its reported progress, however many there are.', () => {
  const state = newState();
  fillWithChildren(state, 'batcher-0');
  const carried = carriedFrom(state);
  expect(Buffer.byteLength(JSON.stringify(carried.inFlightSeqs))).toBeLessThan(24 * KIB);
  const next = nextRunOf(state);
  const withoutRequests = [...state.inFlight.values()].map((child) => ({
    ...child,
    startedAtMs: 0,
    requestIds: [],
  }));
  expect([...next.inFlight.values()]).toEqual(withoutRequests);
  expect(batchesInFlight(next)).toBe(batchesInFlight(state));
});

test('The next run knows the requests of children in flight unless they take too much room.', () => {
  const state = newState({ saveActivity: 'auto', conflicts: [] });
  for (let i = 0; i < 11; i++) takeRequest(state, { requestId: `r${i}`, values: [1, 2, 3, 4, 5] }, 0);
  startBatches(state, 0);
  expect(state.inFlight.size).toBe(1);
  expect([...nextRunOf(state).inFlight.values()]).toEqual([...state.inFlight.values()]);
});

test('The next run saves in the same shape, and knows since when, why, and whether the store is slow.', () => {
  const state = newState({ saveActivity: 'auto', conflicts: [] });
  takeRequest(state, { requestId: 'r', values: Array.from({ length: 60 }, () => 1) }, 0);
  startBatches(state, 10);
  state.saving.storeIsSlow = true;
  expect(nextRunOf(state).saving).toEqual({ shape: 'batch', sinceMs: 10, due: 12, storeIsSlow: true });
});

test('G4: A message that a run has accepted is a repeat in the next run as well.', () => {
  const state = newState();
  expect(noteMessage(state.senders, { sender: 's', number: 3 })).toBe(true);
  const next = nextRunOf(state);
  expect([2, 3, 4].map((number) => noteMessage(next.senders, { sender: 's', number }))).toEqual([
    false,
    false,
    true,
  ]);
});

test('G4: The next run has the same state after a round trip through JSON, and counts its own messages.', () => {
  fc.assert(
    fc.property(anySettings, anyStory, (settings, story) => {
      const state = newState(settings);
      let nowMs = 1_000_000;
      for (const { happening, afterMs } of story) {
        nowMs += afterMs;
        happen(state, happening, nowMs);
        startBatches(state, nowMs);
        state.messages++;
      }
      const next = nextRunOf(state, nowMs);

      const { buffer, ...rest } = next;
      const { buffer: bufferBefore, ...restBefore } = state;
      expect(rest).toEqual({ ...restBefore, messages: 0, continuedAsNew: 1, reaches: new Map() });
      const told = ({ requestId, index, value, acceptedAtMs }: (typeof buffer.head.waiting)[number]) =>
        [requestId, index, value, acceptedAtMs] as const;
      expect(inOrder(buffer.head).map(told)).toEqual(inOrder(bufferBefore.head).map(told));
    }),
  );
});

test('The next run continues the totals of batches.', () => {
  const state = newState({ flushIntervalMs: 1, maxBatchSize: 3 });
  appendToEnd(state.buffer, { requestId: 'a', values: [1, 2, 3] }, 0);
  startBatches(state, 1);
  const cuts = { batches: 2, records: 3, places: 6, beyondBound: 0, deferred: 1, deferredBy: { 0: 1 } };
  expect(state.cuts).toEqual(cuts);
  const carried = carriedFrom(state);
  const next = nextRunOf(state);
  next.cuts.deferredBy[0]!++;
  expect([carried.cuts, next.cuts.deferredBy]).toEqual([cuts, { 0: 2 }]);
});
