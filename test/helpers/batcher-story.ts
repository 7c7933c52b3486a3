import fc from 'fast-check';
import type { PipelineSettings } from '../../src/contracts/workflow/settings';
import type { ConflictRule } from '../../src/domain/rules';
import { appendToEnd, flushEverything } from '../../src/domain/buffer/paged-buffer';
import { configure } from '../../workflows/batcher/messages/limits';
import { followPace } from '../../workflows/batcher/children/pace';
import type { BatcherState } from '../../workflows/batcher/run/state';
import { endChild } from './batcher-loop';
import { TEST_SETTINGS } from './test-settings';

/*
 * What can happen to a batcher, in any order.
 */

export const anySettings = fc
  .record({
    maxBatchSize: fc.integer({ min: 1, max: 4 }),
    conflicts: fc.constantFrom<ConflictRule[]>([], [{ pair: [1, 2] }], [{ distinct: '' }]),
    flushIntervalMs: fc.constantFrom(1, 30, 1000),
    batchSpacingMs: fc.constantFrom(0, 0, 20, 200),
    maxInFlight: fc.integer({ min: 1, max: 4 }),
    maxSavesPerSecond: fc.constantFrom<PipelineSettings['maxSavesPerSecond'][]>(...[0, 0, 20], [
      { perSecond: 50 },
      { at: '', perSecond: 5 },
    ]),
  })
  .map((settings) => ({ ...TEST_SETTINGS, ...settings }));

export type Happening =
  { values: number[] } | { configure: PipelineSettings } | 'close' | 'flush' | 'pause' | 'resume' | 'nothing';
const anyHappening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ values: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 9 }) }),
  },
  { weight: 4, arbitrary: fc.constantFrom('close' as const, 'nothing' as const) },
  { weight: 1, arbitrary: fc.constantFrom('flush' as const, 'pause' as const, 'resume' as const) },
  { weight: 1, arbitrary: fc.record({ configure: anySettings }) },
);

export function happen(state: BatcherState, happening: Happening, nowMs: number): void {
  if (happening === 'flush') flushEverything(state.buffer, 'manual');
  else if (happening === 'pause') state.paused = { by: 'test', atMs: nowMs };
  else if (happening === 'resume') state.paused = null;
  else if (happening === 'close') {
    const [childId] = state.inFlight.keys();
    if (childId !== undefined) endChild(state, childId, nowMs);
  } else if (happening !== 'nothing') {
    if ('values' in happening) {
      appendToEnd(state.buffer, { requestId: `at ${nowMs}`, values: happening.values }, nowMs);
    } else {
      configure(state, happening.configure);
      followPace(state, nowMs);
    }
  }
}

export const anyStory = fc.array(fc.record({ happening: anyHappening, afterMs: fc.nat({ max: 60 }) }), {
  maxLength: 25,
});
