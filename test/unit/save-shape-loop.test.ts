import fc from 'fast-check';
import type { PipelineSettings } from '../../src/contracts/workflow/settings';
import { flushEverything } from '../../src/domain/buffer/paged-buffer';
import { nextWakeAtMs } from '../../workflows/batcher/children/conflict-scope';
import { noteFastestSave } from '../../workflows/batcher/children/save-shape';
import { takeRequest } from '../../workflows/batcher/messages/requests';
import type { BatcherState } from '../../workflows/batcher/run/state';
import { endChild, newState, startBatches } from '../helpers/batcher-loop';

/** How long a child that saves in bulk counts as busy. */
const BUSY_MS = 1000;
const START_MS = 1_000_000;

const anySettings = fc
  .record({
    saveActivity: fc.constantFrom('auto', 'record', 'batch'),
    conflicts: fc.constantFrom<PipelineSettings['conflicts']>([], [{ pair: [1, 2] }], [{ distinct: '' }]),
    conflictScope: fc.constantFrom('file', 'file', 'running'),
    maxBatchSize: fc.constantFrom(2, 5, 400),
    maxInFlight: fc.constantFrom(3, 12, 2000),
    batchSpacingMs: fc.constantFrom(0, 0, 0, 20),
    flushIntervalMs: fc.constantFrom(30, 1000),
    maxSavesPerSecond: fc.constantFrom<PipelineSettings['maxSavesPerSecond'][]>(
      ...[0, 0, 7, 300],
      [{ at: '', perSecond: 3 }],
      [{ perSecond: 20 }, { at: '', perSecond: 9 }],
    ),
  })
  .map((settings) => settings as Partial<PipelineSettings>);

type Step =
  | { arrive: number[] }
  | { ends: number }
  | { took: number }
  | { settings: Partial<PipelineSettings> }
  | 'flush'
  | 'pass';

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ arrive: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 60 }) }),
  },
  { weight: 3, arbitrary: fc.record({ ends: fc.nat({ max: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ took: fc.constantFrom(10, 1500, 3000) }) },
  { weight: 1, arbitrary: fc.record({ settings: anySettings }) },
  { weight: 1, arbitrary: fc.constantFrom('flush' as const, 'pass' as const) },
);

function happen(state: BatcherState, step: Step, nowMs: number): void {
  const childAt = (place: number) => [...state.inFlight.keys()][place % Math.max(1, state.inFlight.size)];
  if (step === 'flush') flushEverything(state.buffer, 'manual');
  else if (step === 'pass') return;
  else if ('arrive' in step) takeRequest(state, { requestId: `at ${nowMs}`, values: step.arrive }, nowMs);
  else if ('ends' in step) {
    const childId = childAt(step.ends);
    if (childId !== undefined) endChild(state, childId, nowMs);
  } else if ('took' in step) noteFastestSave(state, step.took);
  else
    Object.assign(state.settings, {
      saveActivity: step.settings.saveActivity,
      maxInFlight: step.settings.maxInFlight,
    });
}

const anyStory = fc.array(fc.record({ step: anyStep, afterMs: fc.nat({ max: 60 }) }), { maxLength: 40 });

test('Whatever happened, the timer of the loop is for later than now: it never wakes again and again for nothing.', () => {
  fc.assert(
    fc.property(anySettings, anyStory, (settings, story) => {
      const state = newState(settings, START_MS);
      let nowMs = START_MS;
      for (const { step, afterMs } of story) {
        nowMs += afterMs;
        happen(state, step, nowMs);
        startBatches(state, nowMs);
        // What is left could not start now, so that whoever wakes at once would find the same again.
        expect(nextWakeAtMs(state, nowMs) ?? Infinity).toBeGreaterThan(nowMs);
      }
    }),
    { numRuns: 500 },
  );
});

test('G7: the loop sleeps past nothing that may start, unless two children are busy saving in bulk.', () => {
  fc.assert(
    fc.property(anySettings, anyStory, fc.nat({ max: 2000 }), (settings, story, laterMs) => {
      const state = newState(settings, START_MS);
      let nowMs = START_MS;
      for (const { step, afterMs } of story) {
        nowMs += afterMs;
        happen(state, step, nowMs);
        startBatches(state, nowMs);
      }
      const busy = [...state.inFlight.values()].filter(
        ({ bulk, startedAtMs }) => bulk && nowMs < startedAtMs + BUSY_MS,
      );
      fc.pre(busy.length < 2);
      const thenMs = Math.min(nowMs + laterMs, (nextWakeAtMs(state, nowMs) ?? Infinity) - 1);
      expect(startBatches(state, thenMs)).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
