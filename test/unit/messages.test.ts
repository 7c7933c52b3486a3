import { ApplicationFailure } from '@temporalio/common';
import fc from 'fast-check';
import { KIB, MIB, MINUTE } from '../../src/domain/duration';
import { adoptLayout, type Layout } from '../../src/domain/windows/layout';
import { flushEverything } from '../../src/domain/buffer/paged-buffer';
import { noteMessage } from '../../src/domain/windows/sender-window';
import { digestOf, keyRefOf } from '../../src/temporal/shard/digests';
import { NumberedSender } from '../../src/temporal/shard/numbered';
import { followScope } from '../../workflows/batcher/children/conflict-scope';
import { changeLimits, configure, refuseBadLimits } from '../../workflows/batcher/messages/limits';
import {
  actionFrom,
  isProgress,
  isSettings,
  questionsFrom,
  refuseBadLayout,
  refuseBadRequests,
} from '../../workflows/batcher/messages/messages';
import { describeBatcher } from '../../workflows/batcher/messages/details';
import { recordProgress } from '../../workflows/batcher/run/in-flight';
import { isOrigin, requestsFrom } from '../../src/contracts/workflow/message-checks';
import { beginDrain, takeRequest } from '../../workflows/batcher/messages/requests';
import { carriedFrom, type BatcherState } from '../../workflows/batcher/run/state';
import { answersTo, statusOf, takeAnswers } from '../../workflows/batcher/messages/view';
import { infoOf, newState, progress, startBatches, stateFrom } from '../helpers/batcher-loop';
import { TEST_SETTINGS } from '../helpers/test-settings';

/** As many levels as a text of 40 KB can have: JSON.parse takes them, and JSON.stringify doesn't. */
const DEEP = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown;

const LIST = { requestId: 'r-1', values: [1, { a: [null] }] };
const KEYED = { ...LIST, digest: digestOf(LIST) };
const PART = {
  ...LIST,
  offset: 0,
  part: { ...keyRefOf('r-1'), before: '', after: 'a'.repeat(20), complete: false },
};
const LAYOUT: Layout = { version: 3, shards: 2, before: [[1, 29_000_000]] };
const ORIGIN = { sender: 'AbCdEfGhIjKl', number: 1 };

function failureOf(act: () => void): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

test('What this release sends is taken as it is: lists, lists with a key, parts of streams and redrives.', async () => {
  const redrive = { ...KEYED, requestId: `redrive-2.${'a'.repeat(32)}~${'r'.repeat(128)}:9999` };
  const scoped = { requestId: `alice~${'r'.repeat(128)}`, values: [1] };
  const requests = [
    LIST,
    KEYED,
    PART,
    redrive,
    { ...scoped, digest: digestOf(scoped), layout: 3 },
    { ...PART, values: [] },
  ];
  expect(requestsFrom(requests)).toEqual(requests);
  const origin = await new NumberedSender().send((given) => Promise.resolve(given));
  expect(isOrigin(origin)).toBe(true);
  expect(() => refuseBadRequests(requests, origin)).not.toThrow();
  const action = { by: 'Ann', atMs: Date.now() };
  expect(actionFrom(action, 0)).toEqual(action);
  expect(() => refuseBadLimits({ maxBatchSize: 2 }, action)).not.toThrow();
  expect(isSettings(TEST_SETTINGS)).toBe(true);
  expect(isProgress(progress({ batches: 1, saved: 5 }))).toBe(true);
  const questions = [
    { about: 'status' },
    { about: 'request', requestId: 'r' },
    { about: 'keys', keys: [keyRefOf('k')] },
    { about: 'stream', key: keyRefOf('alice~k') },
    { about: 'layout' },
  ];
  expect(questionsFrom(questions)).toEqual(questions);
  expect(() => refuseBadLayout(LAYOUT)).not.toThrow();
});

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['one request without its list', LIST],
  ['a text for a request', ['r-1']],
  ['no requestId', [{ values: [1] }]],
  ['a requestId that no client can have', [{ ...LIST, requestId: "'; --" }]],
  ['a requestId that is too long for a memo', [{ ...LIST, requestId: 'r'.repeat(129) }]],
  ['a requestId of two clients', [{ ...LIST, requestId: 'a~b~c' }]],
  ['a requestId of nobody', [{ ...LIST, requestId: '~c' }]],
  [
    'a scope that no API key has as its name',
    [{ ...KEYED, digest: { ...KEYED.digest, scope: 's'.repeat(34) } }],
  ],
  ['a digest of other characters', [{ ...KEYED, digest: { ...KEYED.digest, key: '"'.repeat(20) } }]],
  ['a version that is no count', [{ ...KEYED, layout: 0.5 }]],
  ['no values', [{ requestId: 'r' }]],
  ['values that are a text', [{ ...LIST, values: 'x' }]],
  ['a record of more levels than a record may have', [{ ...LIST, values: [DEEP] }]],
  ['a record that is larger than a batch', [{ ...LIST, values: ['x'.repeat(MIB)] }]],
  ['a digest of another length', [{ ...KEYED, digest: { ...KEYED.digest, key: 'k' } }]],
  ['half a digest', [{ ...KEYED, digest: { scope: '', key: KEYED.digest.key } }]],
  ['a negative offset', [{ ...LIST, offset: -1 }]],
  ['a part without an offset', [{ ...PART, offset: undefined }]],
  ['a part without its end', [{ ...PART, part: { ...PART.part, after: undefined } }]],
  ['a part that does not say whether more comes', [{ ...PART, part: { ...PART.part, complete: 1 } }]],
])('Requests are malformed, all of the message, with %s.', (_, input) => {
  expect(requestsFrom(input)).toBeUndefined();
  if (Array.isArray(input)) expect(requestsFrom([LIST, ...(input as unknown[])])).toBeUndefined();
  expect(failureOf(() => refuseBadRequests(input, ORIGIN))).toMatchObject({ type: 'invalid-request' });
});

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['no shards', { ...LAYOUT, shards: 0 }],
  ['a version that JSON does not carry', { ...LAYOUT, version: -0 }],
  ['more shards than there can be', { ...LAYOUT, shards: 65 }],
  ['a version that is no count', { ...LAYOUT, version: -1 }],
  ['nothing before', { version: 3, shards: 2 }],
  ['what was before without a time', { ...LAYOUT, before: [[1]] }],
  ['shards before that there can not be', { ...LAYOUT, before: [[1.5, 2]] }],
  ['very much before', { ...LAYOUT, before: Array.from({ length: 65 }, () => [1, 2]) }],
])('A layout is refused with %s.', (_, layout) => {
  expect(failureOf(() => refuseBadLayout(layout))).toMatchObject({ type: 'invalid-request' });
});

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['a sender alone', { sender: 's' }],
  ['a number that is no count', { sender: 's', number: 1.5 }],
  ['a sender of any length', { sender: 's'.repeat(17), number: 1 }],
])('An origin is none with %s, and an update without one is refused.', (_, origin) => {
  expect(isOrigin(origin)).toBe(false);
  expect(failureOf(() => refuseBadRequests([LIST], origin))).toMatchObject({ type: 'invalid-request' });
});

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['a text', 'settings'],
  ['a limit that is not there', { ...TEST_SETTINGS, maxAttempts: undefined }],
  ['a limit of null', { ...TEST_SETTINGS, maxAttempts: null }],
  ['a limit beyond its range', { ...TEST_SETTINGS, maxBatchSize: 0 }],
  ['rules that are none', { ...TEST_SETTINGS, conflicts: [{ pair: [1] }] }],
  ['rules of any depth', { ...TEST_SETTINGS, conflicts: [{ pair: [DEEP, 1] }] }],
  ['a time that is none', { ...TEST_SETTINGS, apartMs: -1 }],
  ['a scope that there is not', { ...TEST_SETTINGS, conflictScope: 'toString' }],
  ['a way to save of an earlier release', { ...TEST_SETTINGS, saveActivity: 'local' }],
])('Settings are malformed with %s.', (_, input) => {
  expect(isSettings(input)).toBe(false);
});

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['a text', 'done'],
  ['a number that is missing', { batches: 1, saved: 1, rolledBack: 0 }],
  ['a number that is none', { ...progress(), saved: 'many' }],
])('Progress is malformed with %s.', (_, input) => {
  expect(isProgress(input)).toBe(false);
});

test('Progress of more batches than a child has changes nothing: no child of ours reports that.', () => {
  const state = newState({ saveActivity: 'batch', conflicts: [] });
  takeRequest(state, { requestId: 'r', values: [1, 2, 3, 4, 5] }, 0);
  const [child] = startBatches(state, 0);
  const before = structuredClone([...state.inFlight]);
  recordProgress(state, child!.childId, progress({ batches: 2, saved: 10 }));
  expect([...state.inFlight]).toEqual(before);
  expect(state.counters.saved).toBe(0);
});

test('Who acted is somebody unknown, now, where a message does not say; a long name is cut, and no time is beyond all dates.', () => {
  for (const input of [undefined, null, 'Ann', { by: 1, atMs: '2' }, [], { by: {}, atMs: 1e300 }]) {
    expect(actionFrom(input, 7)).toEqual({ by: 'unknown', atMs: 7 });
  }
  const { by, atMs } = actionFrom({ by: 'ü'.repeat(10_000), atMs: Number.MAX_SAFE_INTEGER }, 7);
  expect(by).toBe('ü'.repeat(128));
  expect(new Date(atMs).toISOString()).toBe('1970-01-01T00:00:00.007Z');
});

test.each<[string, unknown]>([
  ['nobody', undefined],
  ['a name alone', { by: 'Ann' }],
  ['a time alone', { atMs: 1 }],
  ['a name that is very long', { by: 'x'.repeat(257), atMs: 1 }],
  ['a time that is a text', { by: 'Ann', atMs: '1' }],
  ['a time that no date has', { by: 'Ann', atMs: 8.64e15 + 1 }],
])('A change of limits by %s is refused: it is kept who made it, and when.', (_, action) => {
  expect(failureOf(() => refuseBadLimits({ maxBatchSize: 2 }, action as never))).toMatchObject({
    type: 'invalid-request',
  });
});

const anyJson = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(undefined, null, DEEP, { '': DEEP }, '__proto__', -1, 1e300, 'x'.repeat(4 * KIB)),
);

/** Something that is right, but for what takes the place of one of its members; or anything at all. */
function nearly(...right: object[]): fc.Arbitrary<unknown> {
  const spoilt = fc.tuple(fc.constantFrom(...right), fc.nat(), anyJson).map(([whole, place, other]) => {
    const keys = Object.keys(whole);
    return { ...whole, [keys[place % keys.length] ?? '']: other };
  });
  return fc.oneof(
    { weight: 3, arbitrary: spoilt },
    { weight: 1, arbitrary: fc.constantFrom(...right) },
    anyJson,
  );
}

const ACTION = { by: 'Ann', atMs: 1 };
const anyMessage = fc.oneof(
  fc.tuple(
    fc.constantFrom('addRecords' as const, 'take' as const),
    fc.oneof(fc.array(nearly(LIST, KEYED, PART, { ...PART, part: nearlyPart() }), { maxLength: 3 }), anyJson),
    nearly(ORIGIN),
  ),
  fc.tuple(
    fc.constant('configure' as const),
    nearly(TEST_SETTINGS, { ...TEST_SETTINGS, conflictScope: 'running' }),
    anyJson,
  ),
  fc.tuple(
    fc.constant('limits' as const),
    nearly({ maxBatchSize: 2, conflicts: [{ distinct: '/a' }], maxAttempts: null }),
    nearly(ACTION),
  ),
  fc.tuple(
    fc.constantFrom('pause' as const, 'resume' as const, 'drain' as const, 'flush' as const),
    nearly(ACTION),
    anyJson,
  ),
  fc.tuple(
    fc.constant('childProgress' as const),
    fc.oneof(fc.constantFrom('batcher-0-00000001', '__proto__'), anyJson),
    nearly(progress({ batches: 1, saved: 5 })),
  ),
  fc.tuple(fc.constant('layout' as const), nearly(LAYOUT), anyJson),
  fc.tuple(
    fc.constant('read' as const),
    fc.oneof(
      fc.array(
        nearly(
          { about: 'status' },
          { about: 'request', requestId: 'r-1', withWaits: true },
          { about: 'keys', keys: [keyRefOf('k')] },
          { about: 'stream', key: keyRefOf('k') },
          { about: 'layout' },
        ),
      ),
      anyJson,
    ),
    anyJson,
  ),
);

function nearlyPart(): object {
  return { ...PART.part, before: 'b'.repeat(20) };
}

/** What the handlers do; @returns what a validator refused the message with */
function receive(
  state: BatcherState,
  [name, first, second]: [string, unknown, unknown],
  nowMs: number,
): unknown {
  switch (name) {
    case 'addRecords':
      if (!isOrigin(second) || noteMessage(state.senders, second))
        for (const request of requestsFrom(first) ?? []) takeRequest(state, request, nowMs);
      return undefined;
    case 'take': {
      const refusal = failureOf(() => refuseBadRequests(first, second));
      if (refusal !== undefined) return refusal;
      const requests = requestsFrom(first) ?? [];
      for (const request of requests) takeRequest(state, request, nowMs);
      expect(takeAnswers(state, requests, nowMs)).toHaveLength(requests.length);
      return undefined;
    }
    case 'configure':
      if (!isSettings(first)) return undefined;
      configure(state, first);
      followScope(state, nowMs);
      return undefined;
    case 'limits': {
      const refusal = failureOf(() => refuseBadLimits(first as never, second as never));
      if (refusal === undefined) changeLimits(state, first as never, second as never);
      return refusal;
    }
    case 'layout': {
      const refusal = failureOf(() => refuseBadLayout(first));
      if (refusal === undefined) state.layout = adoptLayout(state.layout, first as never, MINUTE, nowMs);
      return refusal;
    }
    case 'pause':
      state.paused = actionFrom(first, nowMs);
      return undefined;
    case 'resume':
      state.paused = null;
      return undefined;
    case 'drain':
      beginDrain(state, actionFrom(first, nowMs));
      return undefined;
    case 'flush':
      flushEverything(state.buffer, 'manual');
      return undefined;
    case 'childProgress':
      if (typeof first === 'string' && isProgress(second)) recordProgress(state, first, second);
      return undefined;
    default:
      return failureOf(() => answersTo(state, infoOf(), questionsFrom(first)));
  }
}

test('G6: no message, whatever it holds, throws anything but a refusal, and the state after it can be carried and shown.', () => {
  fc.assert(
    fc.property(fc.array(anyMessage, { maxLength: 12 }), (messages) => {
      const state = newState({ saveActivity: 'auto' });
      let nowMs = 0;
      for (const message of messages) {
        const refusal = receive(state, message, ++nowMs);
        if (refusal !== undefined) {
          expect(refusal).toBeInstanceOf(ApplicationFailure);
          expect(refusal).toMatchObject({ type: 'invalid-request', nonRetryable: true });
        }
        startBatches(state, nowMs);
        expect(describeBatcher(state, 0, undefined).length).toBeLessThan(1000);
        JSON.stringify(statusOf(state, infoOf()));
      }
      const { configured: settings, limits } = state;
      const next = stateFrom({ settings, limits, carried: carriedFrom(state) }, nowMs);
      const { keys, streams, senders, layout } = state;
      expect(next).toMatchObject({ keys, streams, senders, layout });
      expect(next.counters).toEqual(state.counters);
    }),
    { numRuns: 500 },
  );
});
