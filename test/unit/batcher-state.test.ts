import type { WorkflowInfo } from '@temporalio/workflow';
import fc from 'fast-check';
import { CHILD_CLOSING, type ChildClosing } from '../../src/contracts/activities';
import {
  RUN_LIMITS,
  type BatcherInput,
  type InFlightChild,
  type RunLimits,
} from '../../src/contracts/batcher';
import type { PipelineSettings } from '../../src/contracts/settings';
import { holdOf } from '../../src/domain/apart/holds';
import { childIdOf } from '../../src/domain/batch';
import { inOrder, packedBytesBound } from '../../src/domain/buffer';
import type { ConflictRule } from '../../src/domain/conflict-rules';
import { KIB, MIB } from '../../src/domain/duration';
import { NO_CUTS } from '../../src/domain/explain/cut-counts';
import { takeFlushes, type Flush } from '../../src/domain/flush-policy';
import { LIMIT_RANGES, problemsOfLimitsPatch } from '../../src/domain/limits';
import { MAX_STREAMS } from '../../src/domain/stream-window';
import { appendToEnd, flushEverything, needsSpill, sizeOf, spill } from '../../src/domain/paged-buffer';
import {
  batchesInFlight,
  carriedFrom,
  freeSlots,
  handOverDue,
  nextPageIsForNextRun,
  recordClosing,
  restoreBatcher,
  takeRequest,
  type BatcherState,
} from '../../workflows/batcher/state';
import { describeBatcher, statusOf, traceOf } from '../../workflows/batcher/view';
import { groupFlushes } from '../../workflows/batcher/child-bounds';
import { decideStarts } from '../../workflows/batcher/save-shape';
import { nextWakeAtMs, takeOnScope } from '../../workflows/batcher/conflict-scope';
import { noteCuts } from '../../workflows/batcher/cut-notes';
import { changeLimits, configure } from '../../workflows/batcher/limits';

const SETTINGS: PipelineSettings = {
  maxBatchSize: 3,
  conflicts: [{ pair: [1, 2] }],
  flushIntervalMs: 1000,
  batchSpacingMs: 0,
  maxInFlight: 2,
  maxAttempts: 3,
  retryIntervalMs: 1000,
  conflictScope: 'file',
  apartMs: 0,
  outcomeFormat: 'text',
  onFailure: 'keep',
  saveActivity: 'record',
  idempotencyWindowMs: 86_400_000,
  idempotencyWindowKeys: 10_000,
};

function info(of: Partial<WorkflowInfo> = {}): WorkflowInfo {
  return {
    historyLength: 3,
    historySize: 1000,
    continueAsNewSuggested: false,
    runStartTime: new Date(0),
    ...of,
  } as WorkflowInfo;
}

function newState(settings: Partial<PipelineSettings> = {}): BatcherState {
  return restoreBatcher({ settings: { ...SETTINGS, ...settings }, limits: RUN_LIMITS }, info());
}

function child(childId: string, of: Partial<InFlightChild> = {}): InFlightChild {
  return { childId, batches: 1, bulk: false, startedAtMs: 0, requestIds: [], ...of };
}

function closing(of: Partial<ChildClosing> = {}): ChildClosing {
  return { status: CHILD_CLOSING.completed, batches: 1, saved: 0, rolledBack: 0, retries: 0, ...of };
}

/** What the workflow's loop does, without the workflow. */
function startFlushes(state: BatcherState, nowMs: number): Flush[] {
  const { shape, limit } = decideStarts(state, nowMs);
  const flushes = noteCuts(state, takeFlushes(state.buffer.head, state.settings, nowMs, limit), nowMs);
  const bulk = shape === 'batch';
  for (const group of bulk ? groupFlushes(flushes, state.settings) : flushes.map((flush) => [flush])) {
    const childId = childIdOf('b', state.nextChildSeq++);
    const requestIds = [
      ...new Set(group.flatMap(({ records }) => records.map(({ requestId }) => requestId))),
    ];
    state.lastBatchStartedAtMs = nowMs;
    state.counters.batchesStarted += group.length;
    state.inFlight.set(childId, { childId, batches: group.length, bulk, startedAtMs: nowMs, requestIds });
  }
  return flushes;
}

const anySettings = fc
  .record({
    maxBatchSize: fc.integer({ min: 1, max: 4 }),
    conflicts: fc.constantFrom<ConflictRule[]>([], [{ pair: [1, 2] }], [{ distinct: '' }]),
    flushIntervalMs: fc.constantFrom(1, 30, 1000),
    batchSpacingMs: fc.constantFrom(0, 0, 20, 200),
    maxInFlight: fc.constantFrom(1, 2, 3, 4, 30),
    saveActivity: fc.constantFrom('auto' as const, 'record' as const, 'batch' as const),
  })
  .map((settings) => ({ ...SETTINGS, ...settings }));

type Happening =
  { values: number[] } | { configure: PipelineSettings } | 'close' | 'flush' | 'pause' | 'resume' | 'nothing';
const anyHappening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ values: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 40 }) }),
  },
  { weight: 4, arbitrary: fc.constantFrom('close' as const, 'nothing' as const) },
  { weight: 1, arbitrary: fc.constantFrom('flush' as const, 'pause' as const, 'resume' as const) },
  { weight: 1, arbitrary: fc.record({ configure: anySettings }) },
);

function happen(state: BatcherState, happening: Happening, nowMs: number): void {
  if (happening === 'flush') flushEverything(state.buffer, 'manual');
  else if (happening === 'pause') state.paused = { by: 'test', atMs: nowMs };
  else if (happening === 'resume') state.paused = null;
  else if (happening === 'close') {
    const [batchId] = state.inFlight.keys();
    if (batchId !== undefined) recordClosing(state, batchId, closing());
  } else if (happening !== 'nothing') {
    if ('values' in happening) {
      appendToEnd(state.buffer, { requestId: `at ${nowMs}`, values: happening.values }, nowMs);
    } else {
      configure(state, happening.configure);
    }
  }
}

const anyStory = fc.array(fc.record({ happening: anyHappening, afterMs: fc.nat({ max: 60 }) }), {
  maxLength: 25,
});

/** One turn of the loop, and what has to be true until the next: nothing could start, and nobody looks in vain. */
function turn(state: BatcherState, nowMs: number, pick: number): number | undefined {
  const started = startFlushes(state, nowMs);
  if (started.length > 0) expect(batchesInFlight(state)).toBeLessThanOrEqual(state.settings.maxInFlight);

  const wakeAtMs = nextWakeAtMs(state, nowMs);
  expect(wakeAtMs ?? Infinity).toBeGreaterThan(nowMs);
  const lastMs = (wakeAtMs ?? Number.MAX_SAFE_INTEGER) - 1;
  for (const thenMs of [nowMs + (pick % (lastMs - nowMs + 1)), lastMs]) {
    expect(startFlushes(structuredClone(state), thenMs)).toEqual([]);
  }
  return wakeAtMs;
}

test('G7: the loop never sleeps while a batch could start, and always sleeps when none can.', () => {
  fc.assert(
    fc.property(anySettings, anyStory, fc.nat(), (settings, story, pick) => {
      const state = restoreBatcher({ settings, limits: RUN_LIMITS }, info());
      let nowMs = 1_000_000;
      let wakeAtMs: number | undefined;
      for (const { happening, afterMs } of story) {
        const untilMs = nowMs + afterMs;
        while (wakeAtMs !== undefined && wakeAtMs <= untilMs) wakeAtMs = turn(state, wakeAtMs, pick);
        nowMs = untilMs;
        happen(state, happening, nowMs);
        wakeAtMs = turn(state, nowMs, pick);
      }
    }),
    { numRuns: 300 },
  );
});

test('a full batch that arrives between two starts goes as soon as BATCH_SPACING_MS is over, whatever its age.', () => {
  const state = newState({ batchSpacingMs: 50 });
  appendToEnd(state.buffer, { requestId: 'a', values: [3, 4, 5] }, 1000);
  expect(startFlushes(state, 1000)).toHaveLength(1);
  appendToEnd(state.buffer, { requestId: 'b', values: [3, 4, 5] }, 1010);
  expect(startFlushes(state, 1010)).toEqual([]);
  expect(nextWakeAtMs(state, 1010)).toBe(1050);
  expect(startFlushes(state, 1050)).toHaveLength(1);
});

describe('slots', () => {
  test('are what MAX_IN_FLIGHT leaves, none when it was lowered below what is in flight.', () => {
    const state = newState({ maxInFlight: 3 });
    expect(freeSlots(state, 0)).toBe(3);
    state.inFlight.set('b', child('b'));
    expect(freeSlots(state, 0)).toBe(2);
    state.inFlight.set('c', child('c'));
    state.settings = { ...state.settings, maxInFlight: 1 };
    expect(freeSlots(state, 0)).toBe(0);
  });

  test('are one at a time with BATCH_SPACING_MS, none until it is over.', () => {
    const state = newState({ batchSpacingMs: 50 });
    state.lastBatchStartedAtMs = 100;
    expect([149, 150, 1000].map((nowMs) => freeSlots(state, nowMs))).toEqual([0, 1, 1]);
    state.inFlight.set('b', child('b'));
    state.inFlight.set('c', child('c'));
    expect(freeSlots(state, 1000)).toBe(0);
  });

  test('are none while paused, and then nothing wakes the loop.', () => {
    const state = newState();
    appendToEnd(state.buffer, { requestId: 'a', values: [3, 4, 5] }, 0);
    state.paused = { by: 'test', atMs: 0 };
    expect(freeSlots(state, 5000)).toBe(0);
    expect(nextWakeAtMs(state, 5000)).toBeUndefined();
  });

  test('are given back by every way of closing; only what completed is counted.', () => {
    const state = newState();
    for (const childId of ['a', 'b', 'c']) state.inFlight.set(childId, child(childId));
    recordClosing(state, 'a', closing({ saved: 2, rolledBack: 1, retries: 4 }));
    recordClosing(state, 'b', closing({ status: CHILD_CLOSING.terminated, saved: 9 }));
    recordClosing(state, 'c', undefined);
    expect(state.inFlight.size).toBe(0);
    expect(state.counters).toMatchObject({ batchesCompleted: 1, saved: 2, rolledBack: 1, retries: 4 });
  });
});

describe('a run hands over', () => {
  const limits: RunLimits = { ...RUN_LIMITS, historyEvents: 100, historyBytes: 10_000, messages: 50 };
  const carriedInfo = info({ historySize: 1_900_000 });

  test('when one of its limits is reached, whichever it is, and not before.', () => {
    const state = restoreBatcher({ settings: SETTINGS, limits }, carriedInfo);
    const due = (of: Partial<WorkflowInfo>, messages = 0) =>
      handOverDue({ ...state, messages }, { ...carriedInfo, ...of });
    expect(due({ historyLength: 99, historySize: 1_909_999 }, 49)).toBe(false);
    expect(due({ historyLength: 100 })).toBe(true);
    expect(due({ historySize: 1_910_000 })).toBe(true);
    expect(due({}, 50)).toBe(true);
    expect(due({ continueAsNewSuggested: true })).toBe(true);
  });

  test('not at once because of what it carries: that is no growth.', () => {
    const state = restoreBatcher({ settings: SETTINGS, limits: RUN_LIMITS }, carriedInfo);
    expect(handOverDue(state, carriedInfo)).toBe(false);
  });

  test('rather than take in a page that it has no room for, unless it has hardly begun.', () => {
    const forNextRun = (grown: number, pageBytes: number) => {
      const state = restoreBatcher({ settings: SETTINGS, limits }, carriedInfo);
      state.buffer.pages.push({
        pageId: 'p',
        records: 1,
        bytes: pageBytes,
        oldestAcceptedAtMs: 0,
        flushOldest: 0,
      });
      return nextPageIsForNextRun(state, info({ historySize: carriedInfo.historySize + grown }));
    };
    expect(forNextRun(5000, 4999)).toBe(false);
    expect(forNextRun(5000, 5000)).toBe(true);
    expect(forNextRun(4999, 1_000_000)).toBe(false);
  });
});

test('G6: what is handed over takes less than 512 KiB with everything at its bound.', () => {
  const conflicts = Array.from({ length: 2500 }, (_, i) => ({
    pair: [`a${i}`, `b${i}`] as [string, string],
  }));
  expect(Buffer.byteLength(JSON.stringify(conflicts))).toBeGreaterThan(63 * KIB);
  expect(problemsOfLimitsPatch({ conflicts })).toEqual([]);
  const state = newState({ conflicts, maxInFlight: 1000, conflictScope: 'running' });
  takeOnScope(state, undefined, 0);
  const room = state.apart!.held.room();
  for (let i = 99_999_000; room.takes([holdOf(`2499.${i}:1`)], true); i++)
    state.apart!.held.begin(i, [holdOf(`2499.${i}:1`)]);
  const set = Object.fromEntries(Object.keys(LIMIT_RANGES).map((key) => [key, 1000]));
  changeLimits(state, { ...set, conflicts }, { by: 'ü'.repeat(64), atMs: 1_790_000_000_000 });
  const batcherId = 'b'.repeat(64);
  for (let i = 0; i < 1000; i++) {
    const batchId = `${batcherId}-63-${String(i).padStart(8, '0')}`;
    state.inFlight.set(batchId, child(batchId, { requestIds: ['r'.repeat(128)] }));
  }
  for (let i = 0; i < 10_000; i++) {
    const digest = { key: String(i).padStart(11, '0'), body: 'abcdef' };
    takeRequest(state, { requestId: String(i).padStart(128, 'r'), values: [], digest }, i * 8640);
  }
  for (let i = 0; i < MAX_STREAMS; i++) {
    const part = { key: String(i).padStart(11, 's'), before: '', after: 'd'.repeat(11), complete: false };
    takeRequest(state, { requestId: 'r', values: [], part, offset: 0 }, 1_790_000_000_000);
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
  for (const rule of conflicts.keys()) state.cuts.deferredBy[rule] = 1_000_000_000 + rule;
  expect(packedBytesBound(state.buffer.tail)).toBeGreaterThan(52 * KIB);
  expect(needsSpill(state.buffer, RUN_LIMITS.lateBytes)).toBe(false);

  const { configured: settings, limits } = state;
  const input: BatcherInput = { settings, limits, carried: carriedFrom(state) };
  expect(Buffer.byteLength(JSON.stringify(input.carried?.held))).toBeGreaterThan(8 * KIB);
  expect(Buffer.byteLength(JSON.stringify(input))).toBeLessThan(512 * KIB);
  expect(Buffer.byteLength(JSON.stringify(input))).toBeGreaterThan(400 * KIB);
});

test('G4: the next run adopts every batch in flight, however many there are.', () => {
  const state = newState({ maxInFlight: 1000 });
  const childIds = Array.from({ length: 1000 }, (_, i) => childIdOf('batcher-0', 99_999_500 + i));
  for (const childId of childIds)
    state.inFlight.set(childId, child(childId, { requestIds: ['r'.repeat(128)] }));
  const carried = carriedFrom(state);
  expect(Buffer.byteLength(JSON.stringify(carried))).toBeLessThan(24 * KIB);
  const next = restoreBatcher(
    { settings: SETTINGS, limits: RUN_LIMITS, carried },
    info({ workflowId: 'batcher-0' }),
  );
  expect([...next.inFlight.keys()]).toEqual(childIds);
});

test('G4: the next run knows all that this one knew, through JSON, and counts its own messages.', () => {
  fc.assert(
    fc.property(anySettings, anyStory, (settings, story) => {
      const state = restoreBatcher({ settings, limits: RUN_LIMITS }, info());
      let nowMs = 1_000_000;
      for (const { happening, afterMs } of story) {
        nowMs += afterMs;
        happen(state, happening, nowMs);
        startFlushes(state, nowMs);
        state.messages++;
      }
      const input: BatcherInput = {
        settings: state.configured,
        limits: RUN_LIMITS,
        carried: carriedFrom(state),
      };
      const next = restoreBatcher(JSON.parse(JSON.stringify(input)) as BatcherInput, info());

      const { buffer, ...rest } = next;
      const { buffer: bufferBefore, ...restBefore } = state;
      expect(rest).toEqual({ ...restBefore, messages: 0, continuedAsNew: 1, reaches: new Map() });
      const told = ({ requestId, index, value, acceptedAtMs }: (typeof buffer.head.waiting)[number]) =>
        [requestId, index, value, acceptedAtMs] as const;
      expect(inOrder(buffer.head).map(told)).toEqual(inOrder(bufferBefore.head).map(told));
    }),
  );
});

test('the next run goes on counting what batches were like', () => {
  const state = newState({ flushIntervalMs: 1 });
  appendToEnd(state.buffer, { requestId: 'a', values: [1, 2, 3] }, 0);
  startFlushes(state, 1);
  const cuts = { batches: 2, records: 3, places: 6, beyondBound: 0, deferred: 1, deferredBy: { 0: 1 } };
  expect(state.cuts).toEqual(cuts);
  const carried = carriedFrom(state);
  const next = restoreBatcher({ settings: SETTINGS, limits: RUN_LIMITS, carried }, info());
  next.cuts.deferredBy[0]!++;
  expect([carried.cuts, next.cuts.deferredBy]).toEqual([cuts, { 0: 2 }]);
});

test('rules that change keep the counts of those that stay.', () => {
  const state = newState({ flushIntervalMs: 1 });
  appendToEnd(state.buffer, { requestId: 'a', values: [1, 2, 3] }, 0);
  startFlushes(state, 1);
  const told = () => statusOf(state, info()).cuts.deferredBy;
  const conflicts: ConflictRule[] = [{ pair: [7, 8] }, { pair: [1, 2] }];
  changeLimits(state, { conflicts }, { by: 'test', atMs: 0 });
  expect(told()).toEqual([{ rule: conflicts[1], records: 1 }]);
  changeLimits(state, { conflicts: [] }, { by: 'test', atMs: 0 });
  changeLimits(state, { conflicts }, { by: 'test', atMs: 0 });
  expect([told(), state.cuts.deferred]).toEqual([[], 1]);
});

test('a batcher tells what it holds, where a request is, and what people need to see.', () => {
  const state = newState({ maxInFlight: 1 });
  appendToEnd(state.buffer, { requestId: 'a', values: [1, 2, 3, 4] }, 10);
  appendToEnd(state.buffer, { requestId: 'b', values: ['é'] }, 11);
  state.messages = 2;
  startFlushes(state, 12);
  expect(statusOf(state, info({ historyLength: 7, historySize: 4321 }))).toEqual({
    bufferedRecords: 2,
    bufferedBytes: 5,
    oldestAcceptedAtMs: 10,
    inFlight: 1,
    counters: state.counters,
    cuts: { ...NO_CUTS, batches: 1, records: 3, places: 3, deferredBy: [] },
    saving: { shape: 'record', sinceMs: 0, due: null, storeIsSlow: false },
    paused: null,
    drain: null,
    pages: 0,
    overridden: {},
    settings: state.settings,
    run: { historyEvents: 7, historyBytes: 4321, messages: 2, continuedAsNew: 0 },
  });
  expect(traceOf(state, 'a')).toEqual({
    size: 4,
    bufferedIndexes: [1],
    inFlightChildIds: ['b-00000001'],
    pageIds: [],
  });
  expect(traceOf(state, 'b')).toEqual({ size: 1, bufferedIndexes: [0], inFlightChildIds: [], pageIds: [] });
  expect(traceOf(state, 'c')).toEqual({ size: null, bufferedIndexes: [], inFlightChildIds: [], pageIds: [] });
  expect(describeBatcher(state)).toBe(
    'running · 2 records buffered · 1 batches in flight · 0 saved · 0 rolled back · 0 batches failed',
  );
  state.paused = { by: 'Kim', atMs: 13 };
  expect(describeBatcher(state)).toMatch(/^paused by Kim · /);
  expect(statusOf(newState(), info())).toMatchObject({ oldestAcceptedAtMs: null, inFlight: 0 });
});
