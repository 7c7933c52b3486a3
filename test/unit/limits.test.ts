import { ApplicationFailure } from '@temporalio/common';
import fc from 'fast-check';
import type { PipelineSettings } from '../../src/contracts/workflow/settings';
import type { LimitsPatch } from '../../src/domain/limits';
import { LIMIT_KEYS, problemsOfLimitsPatch } from '../../src/domain/limits';
import {
  changeLimits,
  configure,
  limitsInForce,
  refuseBadLimits,
} from '../../workflows/batcher/messages/limits';
import { takeRequest } from '../../workflows/batcher/messages/requests';
import { carriedFrom } from '../../workflows/batcher/run/state';
import { newState, stateFrom } from '../helpers/batcher-loop';
import { TEST_SETTINGS } from '../helpers/test-settings';

const ANN = { by: 'Ann', atMs: 1 };
const BOB = { by: 'Bob', atMs: 2 };

test('An override takes precedence over earlier and later configurations until it is reset.', () => {
  const state = newState({ maxBatchSize: 5, maxInFlight: 50 });
  expect(changeLimits(state, { maxBatchSize: 8 }, ANN)).toMatchObject({
    limits: { maxBatchSize: 8, maxInFlight: 50 },
    overridden: { maxBatchSize: { value: 8, configured: 5, ...ANN } },
  });
  configure(state, { ...TEST_SETTINGS, maxBatchSize: 6, maxInFlight: 20 });
  expect(state.settings).toMatchObject({ maxBatchSize: 8, maxInFlight: 20 });
  expect(limitsInForce(state).overridden).toEqual({ maxBatchSize: { value: 8, configured: 6, ...ANN } });
  expect(changeLimits(state, { maxBatchSize: null }, BOB)).toMatchObject({
    limits: { maxBatchSize: 6 },
    overridden: {},
  });
});

test('Repeating a change of limits changes nothing, not even who made it.', () => {
  const state = newState();
  const patch: LimitsPatch = { conflicts: [{ group: [{ a: 1, b: 2 }, 3] }], maxAttempts: 1 };
  const once = changeLimits(state, patch, ANN);
  expect(changeLimits(state, { conflicts: [{ group: [{ b: 2, a: 1 }, 3] }], maxAttempts: 1 }, BOB)).toEqual(
    once,
  );
  expect(changeLimits(state, { maxAttempts: 2 }, BOB).overridden.maxAttempts).toMatchObject(BOB);
});

test('A new batch size and new rules apply to batches that are already cut (G1, G2).', () => {
  const state = newState();
  takeRequest(state, { requestId: 'r', values: [3, 4, 5] }, 0);
  const { head } = state.buffer;
  head.full = [head.waiting.splice(0, 1)];
  head.partial = [head.waiting.splice(0, 1)];
  changeLimits(state, { conflicts: [{ pair: [3, 4] }] }, ANN);
  expect(head).toMatchObject({ full: [], partial: [], waiting: [{ value: 3 }, { value: 4 }, { value: 5 }] });
});

const anyPatch = fc.record<LimitsPatch>(
  {
    maxBatchSize: fc.option(fc.integer({ min: 1, max: 1000 })),
    maxInFlight: fc.option(fc.integer({ min: 1, max: 10_000 })),
    batchSpacingMs: fc.option(fc.nat({ max: 1000 })),
    conflicts: fc.option(fc.constantFrom([], [{ pair: [1, 2] as [number, number] }], [{ distinct: '/a' }])),
  },
  { requiredKeys: [] },
);

test('Changes of limits are applied as a merge patch (RFC 7396), and survive continue-as-new.', () => {
  fc.assert(
    fc.property(fc.array(anyPatch, { maxLength: 6 }), (patches) => {
      const state = newState();
      const expected: Record<string, unknown> = { ...TEST_SETTINGS };
      for (const patch of patches) {
        expect(() => refuseBadLimits(patch, ANN)).not.toThrow();
        changeLimits(state, patch, ANN);
        for (const [key, value] of Object.entries(patch))
          expected[key] = value ?? TEST_SETTINGS[key as keyof PipelineSettings];
      }
      expect(state.settings).toEqual(expected);
      const { configured: settings, limits } = state;
      const next = stateFrom({ settings, limits, carried: carriedFrom(state) });
      expect(limitsInForce(next)).toEqual(limitsInForce(state));
      expect(next.configured).toEqual(TEST_SETTINGS);
    }),
  );
});

test('The validator rejects the same changes as the API, with the same problems, and changes without an author.', () => {
  const bad = { maxBatchSize: 1001, conflicts: {} as never, other: 1 };
  const refusal = caught(() => refuseBadLimits(bad, ANN));
  expect(refusal).toBeInstanceOf(ApplicationFailure);
  expect(refusal).toMatchObject({ type: 'invalid-request', details: [problemsOfLimitsPatch(bad)] });
  expect(problemsOfLimitsPatch(bad).map(({ field }) => field)).toEqual([
    '/maxBatchSize',
    '/conflicts',
    '/other',
  ]);
  for (const nobody of [undefined, { by: 1, atMs: 1 } as never])
    expect(() => refuseBadLimits({}, nobody)).toThrow('nothing was changed');
});

test('Rules in a change of limits have the same maximum size as in the configuration.', () => {
  const rulesOf = (bytes: number) => [
    { group: ['x', 'y'.repeat(bytes - JSON.stringify([{ group: ['x', ''] }]).length)] },
  ];
  expect(problemsOfLimitsPatch({ conflicts: rulesOf(65_536) })).toEqual([]);
  expect(problemsOfLimitsPatch({ conflicts: rulesOf(65_537) })).toHaveLength(1);
});

test('A name that every JavaScript object has is not a limit.', () => {
  expect(problemsOfLimitsPatch({ toString: 1, constructor: null })).toHaveLength(2);
  expect(LIMIT_KEYS).toHaveLength(Object.keys(limitsInForce(newState()).limits).length);
});

function caught(act: () => void): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}
