import { Pace } from '../../src/domain/pace/pace';
import { paceLimitsOf } from '../../src/domain/pace/pace-limits';
import type { WorkflowInfo } from '@temporalio/workflow';
import fc from 'fast-check';
import { CHILD_CLOSING } from '../../src/contracts/workflow/activities';
import { RUN_LIMITS, type RunLimits } from '../../src/contracts/workflow/batcher';
import type { PipelineSettings } from '../../src/contracts/workflow/settings';
import { appendToEnd } from '../../src/domain/buffer/paged-buffer';
import { nextWakeAtMs } from '../../workflows/batcher/children/conflict-scope';
import { batchesInFlight, recordClosing, recordProgress } from '../../workflows/batcher/run/in-flight';
import { freeSlots } from '../../workflows/batcher/children/free-slots';
import { restoreBatcher, type BatcherState } from '../../workflows/batcher/run/state';
import { handOverDue, nextPageIsForNextRun } from '../../workflows/batcher/run/run-length';
import { StoreNotices } from '../../workflows/batcher/run/store-notices';
import { closing, infoOf, newState, progress, startBatches } from '../helpers/batcher-loop';
import { anySettings, anyStory, happen } from '../helpers/batcher-story';
import { TEST_SETTINGS } from '../helpers/test-settings';

const THREES: Partial<PipelineSettings> = { maxBatchSize: 3, flushIntervalMs: 1000, maxInFlight: 2 };

function inFlight(state: BatcherState, childId: string, batches = 1, bulk = false): void {
  state.inFlight.set(childId, {
    childId,
    batches,
    records: 5 * batches,
    bulk,
    startedAtMs: 0,
    requestIds: [],
  });
}

/** One turn of the loop, and what has to be true until the next: nothing could start, and nobody looks in vain. */
function turn(state: BatcherState, nowMs: number, pick: number): number | undefined {
  const started = startBatches(state, nowMs);
  if (started.length > 0) expect(batchesInFlight(state)).toBeLessThanOrEqual(state.settings.maxInFlight);

  const wakeAtMs = nextWakeAtMs(state, nowMs);
  expect(wakeAtMs ?? Infinity).toBeGreaterThan(nowMs);
  const lastMs = (wakeAtMs ?? Number.MAX_SAFE_INTEGER) - 1;
  for (const thenMs of [nowMs + (pick % (lastMs - nowMs + 1)), lastMs]) {
    const store = new StoreNotices(state.store.pack());
    const { maxSavesPerSecond, maxBatchSize } = state.settings;
    const pace = Pace.unpack(state.pace?.pack() ?? {}, paceLimitsOf(maxSavesPerSecond), maxBatchSize);
    const copy = { ...structuredClone({ ...state, store: null, pace: null }), store, pace };
    expect(startBatches(copy, thenMs)).toEqual([]);
  }
  return wakeAtMs;
}

test('G7: the loop never sleeps while a batch could start, and always sleeps when none can.', () => {
  fc.assert(
    fc.property(anySettings, anyStory, fc.nat(), (settings, story, pick) => {
      const state = newState(settings);
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

test('A full batch that arrives between two starts goes as soon as BATCH_SPACING_MS is over, whatever its age.', () => {
  const state = newState({ ...THREES, batchSpacingMs: 50 });
  appendToEnd(state.buffer, { requestId: 'a', values: [3, 4, 5] }, 1000);
  expect(startBatches(state, 1000)).toHaveLength(1);
  appendToEnd(state.buffer, { requestId: 'b', values: [3, 4, 5] }, 1010);
  expect(startBatches(state, 1010)).toEqual([]);
  expect(nextWakeAtMs(state, 1010)).toBe(1050);
  expect(startBatches(state, 1050)).toHaveLength(1);
});

describe('slots', () => {
  test('are what MAX_IN_FLIGHT leaves, none when it was lowered below what is in flight.', () => {
    const state = newState({ ...THREES, maxInFlight: 3 });
    expect(freeSlots(state, 0)).toBe(3);
    inFlight(state, 'b');
    expect(freeSlots(state, 0)).toBe(2);
    inFlight(state, 'c');
    state.settings = { ...state.settings, maxInFlight: 1 };
    expect(freeSlots(state, 0)).toBe(0);
  });

  test('are one at a time with BATCH_SPACING_MS, none until it is over.', () => {
    const state = newState({ ...THREES, batchSpacingMs: 50 });
    state.lastBatchStartedAtMs = 100;
    expect([149, 150, 1000].map((nowMs) => freeSlots(state, nowMs))).toEqual([0, 1, 1]);
    inFlight(state, 'b');
    inFlight(state, 'c');
    expect(freeSlots(state, 1000)).toBe(0);
  });

  test('are none while paused, and then nothing wakes the loop.', () => {
    const state = newState(THREES);
    appendToEnd(state.buffer, { requestId: 'a', values: [3, 4, 5] }, 0);
    state.paused = { by: 'test', atMs: 0 };
    expect(freeSlots(state, 5000)).toBe(0);
    expect(nextWakeAtMs(state, 5000)).toBeUndefined();
  });

  test('are given back by every way of closing; only what completed is counted.', () => {
    const state = newState(THREES);
    for (const childId of ['a', 'b', 'c']) inFlight(state, childId);
    recordClosing(state, 'a', closing({ saved: 2, rolledBack: 1, retries: 4 }));
    recordClosing(state, 'b', closing({ status: CHILD_CLOSING.terminated, saved: 9 }));
    recordClosing(state, 'c', undefined);
    expect(state.inFlight.size).toBe(0);
    expect(state.counters).toMatchObject({ batchesCompleted: 1, saved: 2, rolledBack: 1, retries: 4 });
  });

  test('are given back batch by batch as a child reports them, and what it reported is counted once.', () => {
    const state = newState({ ...THREES, maxInFlight: 10 });
    inFlight(state, 'a', 4, true);
    recordProgress(state, 'a', progress({ batches: 1, saved: 5, retries: 1 }));
    expect([batchesInFlight(state), freeSlots(state, 0)]).toEqual([3, 7]);
    recordProgress(state, 'a', progress({ batches: 3, saved: 12, rolledBack: 3, retries: 6 }));
    expect(batchesInFlight(state)).toBe(1);
    recordClosing(state, 'a', closing({ batches: 4, saved: 16, rolledBack: 4, retries: 8 }));
    expect(batchesInFlight(state)).toBe(0);
    expect(state.counters).toMatchObject({ batchesCompleted: 4, saved: 16, rolledBack: 4, retries: 8 });
  });

  test('are not given back twice by a report that comes late, or of a child that has ended.', () => {
    const state = newState(THREES);
    inFlight(state, 'a', 3, true);
    recordProgress(state, 'a', progress({ batches: 2, saved: 10 }));
    recordProgress(state, 'a', progress({ batches: 1, saved: 5 }));
    expect(state.counters).toMatchObject({ batchesCompleted: 2, saved: 10 });
    recordClosing(state, 'a', closing({ batches: 3, saved: 15 }));
    recordProgress(state, 'a', progress({ batches: 3, saved: 15 }));
    expect(state.counters).toMatchObject({ batchesCompleted: 3, saved: 15 });
    expect(freeSlots(state, 0)).toBe(2);
  });
});

describe('a run hands over', () => {
  const limits: RunLimits = { ...RUN_LIMITS, historyEvents: 100, historyBytes: 10_000, messages: 50 };
  const carriedInfo = infoOf({ historySize: 1_900_000 });

  test('when one of its limits is reached, whichever it is, and not before.', () => {
    const state = restoreBatcher({ settings: TEST_SETTINGS, limits }, carriedInfo);
    const due = (of: Partial<WorkflowInfo>, messages = 0) =>
      handOverDue({ ...state, messages }, { ...carriedInfo, ...of });
    expect(due({ historyLength: 99, historySize: 1_909_999 }, 49)).toBe(false);
    expect(due({ historyLength: 100 })).toBe(true);
    expect(due({ historySize: 1_910_000 })).toBe(true);
    expect(due({}, 50)).toBe(true);
    expect(due({ continueAsNewSuggested: true })).toBe(true);
  });

  test('not at once because of what it carries: that is no growth.', () => {
    const state = restoreBatcher({ settings: TEST_SETTINGS, limits }, carriedInfo);
    expect(handOverDue(state, carriedInfo)).toBe(false);
  });

  test('rather than take in a page that it has no room for, unless it has hardly begun.', () => {
    const forNextRun = (grown: number, pageBytes: number) => {
      const state = restoreBatcher({ settings: TEST_SETTINGS, limits }, carriedInfo);
      state.buffer.pages.push({
        pageId: 'p',
        records: 1,
        bytes: pageBytes,
        oldestAcceptedAtMs: 0,
        flushOldest: 0,
      });
      return nextPageIsForNextRun(state, infoOf({ historySize: carriedInfo.historySize + grown }));
    };
    expect(forNextRun(5000, 4999)).toBe(false);
    expect(forNextRun(5000, 5000)).toBe(true);
    expect(forNextRun(4999, 1_000_000)).toBe(false);
  });
});
