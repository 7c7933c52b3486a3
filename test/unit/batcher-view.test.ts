import { rankOf } from '../../src/domain/windows/layout';
import { NOT_YET, type BatcherQuestion } from '../../src/contracts/workflow/batcher';
import type { ConflictRule } from '../../src/domain/rules';
import { NO_CUTS } from '../../src/domain/explain/cut-counts';
import { appendToEnd, flushEverything } from '../../src/domain/buffer/paged-buffer';
import { NO_LAYOUT } from '../../src/domain/windows/layout';
import { digestOf, keyRefOf } from '../../src/temporal/shard/digests';
import { changeLimits } from '../../workflows/batcher/messages/limits';
import { recordProgress } from '../../workflows/batcher/run/in-flight';
import { takeRequest } from '../../workflows/batcher/messages/requests';
import type { BatcherState } from '../../workflows/batcher/run/state';
import { describeBatcher } from '../../workflows/batcher/messages/details';
import { answersTo, statusOf, takeAnswers, traceOf } from '../../workflows/batcher/messages/view';
import { bufferWaitsOf, oldestDueAtMs } from '../../workflows/batcher/messages/waits';
import { infoOf, newState, progress, startBatches } from '../helpers/batcher-loop';

test('Rules that change keep the counts of those that stay.', () => {
  const state = newState({ flushIntervalMs: 1, maxBatchSize: 3 });
  appendToEnd(state.buffer, { requestId: 'a', values: [1, 2, 3] }, 0);
  startBatches(state, 1);
  const told = () => statusOf(state, infoOf()).cuts.deferredBy;
  const conflicts: ConflictRule[] = [{ pair: [7, 8] }, { pair: [1, 2] }];
  changeLimits(state, { conflicts }, { by: 'test', atMs: 0 });
  expect(told()).toEqual([{ rule: conflicts[1], records: 1 }]);
  changeLimits(state, { conflicts: [] }, { by: 'test', atMs: 0 });
  changeLimits(state, { conflicts }, { by: 'test', atMs: 0 });
  expect([told(), state.cuts.deferred]).toEqual([[], 1]);
});

test('A batcher tells what it holds, where a request is, and what people need to see.', () => {
  const state = newState({ maxInFlight: 1, maxBatchSize: 3 });
  appendToEnd(state.buffer, { requestId: 'a', values: [1, 2, 3, 4] }, 10);
  appendToEnd(state.buffer, { requestId: 'b', values: ['é'] }, 11);
  state.messages = 2;
  state.counters.accepted = 5;
  startBatches(state, 12);
  expect(statusOf(state, infoOf({ historyLength: 7, historySize: 4321 }))).toEqual({
    bufferedRecords: 2,
    bufferedBytes: 5,
    oldestAcceptedAtMs: 10,
    oldestDueAtMs: 110,
    inFlight: 1,
    inFlightRecords: 3,
    unaccounted: 0,
    storeAway: null,
    counters: state.counters,
    cuts: { ...NO_CUTS, batches: 1, records: 3, places: 3, deferredBy: [] },
    saving: { shape: 'record', sinceMs: 0, due: null, storeIsSlow: false },
    pace: null,
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
    inFlightChildIds: ['batcher-0-00000001'],
    pageIds: [],
  });
  expect(traceOf(state, 'b')).toEqual({ size: 1, bufferedIndexes: [0], inFlightChildIds: [], pageIds: [] });
  expect(traceOf(state, 'c')).toEqual({ size: null, bufferedIndexes: [], inFlightChildIds: [], pageIds: [] });
  expect(statusOf(newState(), infoOf())).toMatchObject({ oldestAcceptedAtMs: null, inFlight: 0 });
});

test('Batches of a child that have their file are no longer in flight, whatever the others of the child do.', () => {
  const state = newState({ saveActivity: 'batch', conflicts: [], maxBatchSize: 3 });
  appendToEnd(state.buffer, { requestId: 'a', values: [1, 2, 3, 4, 5, 6, 7, 8, 9] }, 0);
  const [child] = startBatches(state, 0);
  expect(statusOf(state, infoOf()).inFlight).toBe(3);
  recordProgress(state, child!.childId, progress({ batches: 2, saved: 6 }));
  expect(statusOf(state, infoOf())).toMatchObject({
    inFlight: 1,
    counters: { batchesCompleted: 2, saved: 6 },
  });
});

const LIST = { requestId: 'k', values: [1, 2] };
const OTHER = { requestId: 'k', values: [3] };
const partOf = (offset: number, values: number[], complete = false) => ({
  requestId: 's',
  values,
  offset,
  part: {
    ...keyRefOf('s'),
    before: offset === 0 ? '' : String(offset).padStart(20, 'd'),
    after: String(offset + values.length).padStart(20, 'd'),
    complete,
  },
});

function take(state: BatcherState, ...requests: Parameters<typeof takeRequest>[1][]) {
  const nowMs = Date.now();
  for (const request of requests) takeRequest(state, request, nowMs);
  return takeAnswers(state, requests, nowMs);
}

test('G5: whoever sends a list under a key is answered with the body that the key stands for, its own or an earlier one.', () => {
  const state = newState();
  const [mine, other] = [LIST, OTHER].map((list) => ({ ...list, digest: digestOf(list) }));
  expect(take(state, mine!)).toEqual([{ body: mine!.digest.body }]);
  expect(take(state, other!, mine!)).toEqual([{ body: mine!.digest.body }, { body: mine!.digest.body }]);
  expect(statusOf(state, infoOf())).toMatchObject({
    bufferedRecords: 2,
    counters: { accepted: 2, duplicateRequests: 2 },
  });
});

test('A window without room for keys answers that the key stands for nothing, and the list is taken.', () => {
  const state = newState({ idempotencyWindowKeys: 0 });
  expect(take(state, { ...LIST, digest: digestOf(LIST) })).toEqual([{ body: null }]);
  expect(statusOf(state, infoOf()).bufferedRecords).toBe(2);
});

test('G5: whoever sends a part of a stream is answered how far the stream has been taken, in and out of turn.', () => {
  const state = newState();
  const first = { stream: { taken: 2, digest: 'd'.repeat(19) + '2', complete: false } };
  expect(take(state, partOf(0, [1, 2]))).toEqual([first]);
  expect(take(state, partOf(4, [5]), partOf(0, [1, 2]))).toEqual([first, first]);
  expect(take(state, partOf(2, [3], true))).toMatchObject([{ stream: { taken: 3, complete: true } }]);
  expect(statusOf(state, infoOf()).bufferedRecords).toBe(3);
});

test('G5: under a layout that is no longer in force nothing is taken, and the sender is told so; without one it is.', () => {
  const state = newState();
  state.layout = { version: 2, shards: 3, before: [[2, 0]] };
  const list = { ...LIST, digest: digestOf(LIST) };
  const lower = rankOf({ version: 2, shards: 2, before: [] });
  const old = { ...list, layout: lower };
  const part = { ...partOf(0, [1, 2]), layout: lower };
  expect(take(state, old, part)).toEqual([{ isOutdated: true }, { isOutdated: true }]);
  expect(statusOf(state, infoOf())).toMatchObject({
    bufferedRecords: 0,
    counters: { accepted: 0, duplicateRequests: 0 },
  });
  expect(take(state, { ...list, layout: rankOf(state.layout) }, list)).toEqual([
    { body: list.digest.body },
    { body: list.digest.body },
  ]);
  expect(statusOf(state, infoOf()).bufferedRecords).toBe(2);
});

test('A list has no answer without a key: nobody waits for one.', () => {
  expect(take(newState(), LIST)).toEqual([{}]);
});

test('Questions are answered in order, each by its kind, and change nothing.', () => {
  const state = newState({ flushIntervalMs: 3_600_000 });
  state.takeOver = false;
  take(state, { ...LIST, digest: digestOf(LIST) }, partOf(0, [1]));
  const before = JSON.stringify(statusOf(state, infoOf()));
  const [keys, list, stream, unknown, request, waiting, status, layout, waits] = answersTo(state, infoOf(), [
    { about: 'keys', keys: [keyRefOf('k'), keyRefOf('none')] },
    { about: 'stream', key: keyRefOf('k') },
    { about: 'stream', key: keyRefOf('s') },
    { about: 'stream', key: keyRefOf('none') },
    { about: 'request', requestId: 'k' },
    { about: 'request', requestId: 'k', withWaits: true },
    { about: 'status' },
    { about: 'layout' },
    { about: 'waits' },
  ]);
  expect(keys).toEqual([digestOf(LIST).body, null]);
  expect(layout).toEqual(NO_LAYOUT);
  expect(waits).toMatchObject({ counts: [{ for: 'age', records: 3 }] });
  // A list under a key stands for a whole stream of other records.
  expect(list).toEqual({ taken: 0, digest: digestOf(LIST).body, complete: true });
  expect(stream).toMatchObject({ taken: 1, complete: false });
  expect(unknown).toBeNull();
  expect(request).toEqual({ size: 2, bufferedIndexes: [0, 1], inFlightChildIds: [], pageIds: [] });
  expect(waiting).toMatchObject({ size: 2, waits: { of: [0, 1] } });
  expect(JSON.stringify(status)).toBe(before);
});

test('G5: while it is not known what an earlier batcher took, nothing is said of keys, streams and the layout, and a part of an unknown stream is to be sent again.', () => {
  const state = newState();
  expect(state.takeOver).toBe(true);
  const about = (questions: BatcherQuestion[]) => answersTo(state, infoOf(), questions);
  const questions: BatcherQuestion[] = [
    { about: 'keys', keys: [keyRefOf('k')] },
    { about: 'stream', key: keyRefOf('s') },
    { about: 'layout' },
  ];
  expect(about(questions)).toEqual([NOT_YET, NOT_YET, NOT_YET]);
  expect(take(state, partOf(4, [5]))).toEqual([{ isNotYet: true }]);
  state.takeOver = false;
  expect(about(questions)).toEqual([[null], null, NO_LAYOUT]);
  expect(take(state, partOf(4, [5]))).toEqual([{ stream: null }]);
});

test('A record is due since its age allowed it to go, or since a flush by hand; not while the shard is paused.', () => {
  const state = newState({ flushIntervalMs: 100 });
  take(state, LIST);
  const acceptedAtMs = state.buffer.head.waiting[0]?.acceptedAtMs ?? NaN;
  const due = (afterMs: number) => oldestDueAtMs(state, acceptedAtMs + afterMs);
  expect([due(99), due(100), due(5000)]).toEqual([null, acceptedAtMs + 100, acceptedAtMs + 100]);
  flushEverything(state.buffer, 'manual');
  expect(due(1)).toBe(acceptedAtMs);
  state.paused = { by: 'Ann', atMs: 0 };
  expect(due(5000)).toBeNull();
});

test('What the whole buffer waits for adds up to what is buffered, in pages and all.', () => {
  const state = newState({ flushIntervalMs: 3_600_000, maxBatchSize: 100 });
  take(state, LIST);
  state.buffer.pages.push({ pageId: 'p', records: 9, bytes: 9, oldestAcceptedAtMs: 0, flushOldest: 0 });
  const { counts } = bufferWaitsOf(state, Date.now());
  expect(counts.map(({ for: reason, records }) => [reason, records])).toEqual([
    ['age', LIST.values.length],
    ['older_records', 9],
  ]);
  state.paused = { by: 'Ann', atMs: 0 };
  expect(bufferWaitsOf(state, Date.now()).counts).toEqual([
    { for: 'resume', by: 'Ann', records: LIST.values.length + 9 },
  ]);
});

test('In Temporal’s Web UI, the current details say first why nothing moves, with whom or what it waits for, and then the figures.', () => {
  const state = newState({ maxInFlight: 1, conflicts: [], maxBatchSize: 3 });
  state.takeOver = false;
  const reason = (wakeAtMs?: number) => describeBatcher(state, 20, wakeAtMs).split('\n\n')[0];
  expect(reason()).toBe('**Idle**: nothing waits');
  appendToEnd(state.buffer, { requestId: 'a', values: [1, 2, 3, 4] }, 0);
  expect(reason(100)).toBe('**Waiting**: looks for the next batch at 1970-01-01T00:00:00.100Z');
  startBatches(state, 0);
  expect(reason(100)).toMatch(/^\*\*Held up\*\*: MAX_IN_FLIGHT batches are in flight/);
  expect(describeBatcher(state, 20, undefined).split('\n\n').slice(1)).toEqual([
    '1 record buffered, the oldest since 1970-01-01T00:00:00.000Z · 1 of 1 batch in flight',
    '0 saved · 0 rolled back · 0 retries · 0 batches ended early',
  ]);
  state.store.note({ worker: 'w', away: { sinceMs: 7, reason: 'connection refused' } }, 20);
  expect(reason()).toBe(
    '**Store away** since 1970-01-01T00:00:00.007Z: connection refused; batches wait until it is back',
  );
  state.paused = { by: 'Kim', atMs: 13 };
  expect(reason()).toBe(
    '**Paused** by Kim since 1970-01-01T00:00:00.013Z: no batch starts until somebody resumes it',
  );
});

test('The sample of a buffer has its first records in order, bounded, and in scope running who holds each until when.', () => {
  const state = newState({
    ...{ maxBatchSize: 1, maxInFlight: 9, flushIntervalMs: 1 },
    ...{ conflictScope: 'running', apartMs: 500, conflicts: [{ pair: [1, 2] }] },
  });
  const sample = () => answersTo(state, infoOf(), [{ about: 'buffer' }])[0];
  appendToEnd(state.buffer, { requestId: 'a', values: [1] }, 10);
  startBatches(state, 12);
  appendToEnd(state.buffer, { requestId: 'b', values: [2, 1, 7] }, 13);
  const held = { childIds: ['batcher-0-00000001'], untilMs: null };
  expect(sample()).toEqual({
    records: [
      { recordId: 'b:0', value: 2, acceptedAtMs: 13, heldBy: held },
      { recordId: 'b:1', value: 1, acceptedAtMs: 13 },
      { recordId: 'b:2', value: 7, acceptedAtMs: 13 },
    ],
    more: 0,
  });
  state.apart?.held.end(1, 20);
  expect(sample()).toMatchObject({ records: [{ heldBy: { childIds: [], untilMs: 520 } }, {}, {}] });

  appendToEnd(state.buffer, { requestId: 'c', values: Array.from({ length: 400 }, () => 8) }, 14);
  expect(sample()).toMatchObject({ records: { length: 300 }, more: 103 });
  appendToEnd(state.buffer, { requestId: 'd', values: [] }, 15);
  state.buffer.head.waiting.unshift({
    ...{ requestId: 'big', index: 0, requestSize: 1, value: 'x', acceptedAtMs: 1, seq: -1, bytes: 70_000 },
  });
  expect(sample()).toMatchObject({ records: [] });
});
