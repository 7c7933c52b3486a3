import type { PipelineSettings } from '../../src/contracts/workflow/settings';
import type { Wait } from '../../src/contracts/workflow/waits';
import { flushAll } from '../../src/domain/buffer/buffer';
import type { ConflictRule } from '../../src/domain/rules';
import type { JsonValue } from '../../src/domain/json';
import { spill } from '../../src/domain/buffer/paged-buffer';
import { waitView } from '../../src/temporal/views/wait-view';
import { paceStatusOf } from '../../workflows/batcher/children/pace';
import { takeRequest } from '../../workflows/batcher/messages/requests';
import type { BatcherState } from '../../workflows/batcher/run/state';
import { traceOf } from '../../workflows/batcher/messages/view';
import { waitsOf } from '../../workflows/batcher/messages/waits';
import { newState as stateWith, startBatches } from '../helpers/batcher-loop';

const PAIR: ConflictRule = { pair: [1, 2] };

function newState(of: Partial<PipelineSettings> = {}): BatcherState {
  return stateWith({ maxBatchSize: 3, ...of });
}

function append(state: BatcherState, requestId: string, values: JsonValue[], nowMs = 0): void {
  takeRequest(state, { requestId, values }, nowMs);
}

/** What each buffered record of a request waits for. */
function waits(state: BatcherState, requestId: string, nowMs: number): (Wait | undefined)[] {
  const { distinct, of } = waitsOf(state, requestId, nowMs);
  expect(distinct).toHaveLength(new Set(distinct.map((wait) => JSON.stringify(wait))).size);
  return traceOf(state, requestId).bufferedIndexes.map((_, place) => distinct[of[place]!]);
}

test('A record in a batch that is not full waits until the oldest of it is due, and no longer than that.', () => {
  const state = newState();
  append(state, 'a', ['x'], 0);
  startBatches(state, 0);
  append(state, 'b', ['y'], 40);
  expect(waits(state, 'a', 50)).toEqual([{ for: 'age', untilMs: 100 }]);
  expect(waits(state, 'b', 50)).toEqual([{ for: 'age', untilMs: 140 }]);
  append(state, 'c', ['z', 'more'], 50);
  startBatches(state, 50);
  // Full with the first of c; the second waits on its own.
  expect(waits(state, 'c', 60)).toEqual([{ for: 'age', untilMs: 150 }]);
});

test('What may go and has no place waits for one: full, due, by hand, or not even cut.', () => {
  const state = newState({ maxInFlight: 1 });
  append(state, 'first', ['x', 'x', 'x'], 0);
  startBatches(state, 0);
  append(state, 'full', ['a', 'b', 'c'], 1);
  expect(waits(state, 'full', 2)).toEqual(Array.from({ length: 3 }, () => ({ for: 'slot' })));
  state.settings = { ...state.settings, maxBatchSize: 4 };
  expect(waits(state, 'full', 2)[0]).toEqual({ for: 'age', untilMs: 101 });
  expect(waits(state, 'full', 101)[0]).toEqual({ for: 'slot' });
  flushAll(state.buffer.head, 'manual');
  expect(waits(state, 'full', 2)[0]).toEqual({ for: 'slot' });
});

test('Between two starts it waits for the spacing, and with nothing in its way for starts that are under way.', () => {
  const state = newState({ batchSpacingMs: 50 });
  append(state, 'first', ['x', 'x', 'x'], 1000);
  startBatches(state, 1000);
  append(state, 'full', ['a', 'b', 'c'], 1010);
  expect(waits(state, 'full', 1010)[0]).toEqual({ for: 'spacing', untilMs: 1050 });
  expect(waits(state, 'full', 1050)[0]).toEqual({ for: 'start' });
});

test('What its value or the rate of all records holds back waits for that, until its own turn.', () => {
  const settings = { maxSavesPerSecond: [{ perSecond: 20 }, { at: '/t', perSecond: 3 }], maxBatchSize: 2 };
  const state = newState({ ...settings, conflicts: [], flushIntervalMs: 100 });
  const many = Array.from({ length: 8 }, () => ({ t: 'many' }));
  append(state, 'many', many, 1000);
  expect(startBatches(state, 1000)).toHaveLength(2);
  // A bucket lets 4.4 go at first, and gains 3 a second: two are gathered, then one by one.
  const untilMs = (ms: number) => ({ for: 'pace', untilMs: ms });
  expect(waits(state, 'many', 1001)).toEqual([untilMs(1600), untilMs(1600), untilMs(2000), untilMs(2200)]);
  expect(paceStatusOf(state, 1001)).toEqual({ room: 14, values: 1, heldRecords: 4, untilMs: 1600 });
  append(state, 'other', [{ t: 'other' }], 1001);
  expect(waits(state, 'other', 1001)).toEqual([{ for: 'age', untilMs: 1101 }]);

  append(
    state,
    'free',
    Array.from({ length: 30 }, () => 'free'),
    1101,
  );
  expect(startBatches(state, 1101)).toHaveLength(7);
  expect(waits(state, 'free', 1102).slice(0, 5)).toEqual([1200, 1200, 1200, 1200, 1400].map(untilMs));
});

test('While two children save in bulk, what may go waits for others to go with, a second at most.', () => {
  const state = newState({ saveActivity: 'batch' });
  for (const nowMs of [1000, 1200]) {
    append(state, `at ${nowMs}`, ['x', 'x', 'x'], nowMs);
    expect(startBatches(state, nowMs)).toHaveLength(1);
  }
  append(state, 'full', ['a', 'b', 'c'], 1300);
  expect(waits(state, 'full', 1300)[0]).toEqual({ for: 'gathering', untilMs: 2000 });
  expect(waits(state, 'full', 2000)[0]).toEqual({ for: 'start' });
});

test('With as many children as a workflow may have, what may go waits for one of them to end.', () => {
  const state = newState({ saveActivity: 'record', maxInFlight: 2000, maxBatchSize: 1 });
  append(
    state,
    'many',
    Array.from({ length: 1001 }, () => 'x'),
  );
  expect(startBatches(state, 0)).toHaveLength(1000);
  expect(waits(state, 'many', 0)).toEqual([{ for: 'slot' }]);
});

test('In a paused shard everything waits for somebody, whatever else there is.', () => {
  const state = newState({ maxInFlight: 1 });
  append(state, 'a', ['x', 'y', 'z', 'due'], 0);
  state.paused = { by: 'Ann', atMs: 5 };
  expect(waitsOf(state, 'a', 500)).toEqual({
    distinct: [{ for: 'resume', by: 'Ann' }],
    of: [0, 0, 0, 0],
    inPages: { for: 'resume', by: 'Ann' },
  });
});

test('Rules tell what they kept a record out of, and what they keep it apart from.', () => {
  const conflicts: ConflictRule[] = [{ distinct: '/none' }, PAIR];
  const state = newState({ conflicts });
  append(state, 'a', [1, 2, 'x', 'y', 1], 0);
  startBatches(state, 0);
  append(state, 'b', [1], 10);
  startBatches(state, 10);
  // Both 1 and x have left: a younger 1 has passed 2 over, which keeps the next one out of its batch.
  expect(waits(state, 'a', 10)).toEqual([
    { for: 'age', untilMs: 100, passedOverBy: [PAIR] },
    { for: 'age', untilMs: 100 },
  ]);
  expect(waits(state, 'b', 10)).toEqual([{ for: 'age', untilMs: 110, keptApartBy: [PAIR] }]);
});

test('Records in pages and behind them wait for older ones.', () => {
  const state = newState({ flushIntervalMs: 1_000_000 });
  append(
    state,
    'long',
    Array.from({ length: 300 }, (_, i) => `${i} ${'x'.repeat(1000)}`),
  );
  for (const { ref } of spill(state.buffer)) ref.pageId = 'page';
  append(state, 'late', ['x']);
  expect(waits(state, 'late', 1)).toEqual([{ for: 'older_records' }]);
  expect(waitsOf(state, 'long', 1)).toMatchObject({ inPages: { for: 'older_records' } });
});

test('Of a long request the first thousand are told, and of many rules ten.', () => {
  const conflicts = Array.from({ length: 20 }, (_, i): ConflictRule => ({ distinct: `/${i}` }));
  const state = newState({ conflicts });
  const same = Object.fromEntries(conflicts.map((_, i) => [i, 'same']));
  append(
    state,
    'a',
    Array.from({ length: 1500 }, () => same),
  );
  const { distinct, of } = waitsOf(state, 'a', 1);
  expect(of).toHaveLength(1000);
  expect(distinct.map(({ keptApartBy }) => keptApartBy?.length)).toEqual([undefined, 10]);
});

test.each<[Wait, object]>([
  [
    { for: 'age', untilMs: 0, keptApartBy: [PAIR] },
    {
      text: 'enough records to fill its batch, until 1970-01-01T00:00:00.000Z at most',
      ...{ for: 'age', until: '1970-01-01T00:00:00.000Z', keptApartBy: [PAIR] },
    },
  ],
  [
    { for: 'spacing', untilMs: 0 },
    {
      text: 'BATCH_SPACING_MS to pass, at 1970-01-01T00:00:00.000Z',
      ...{ for: 'spacing', until: '1970-01-01T00:00:00.000Z' },
    },
  ],
  [{ for: 'slot' }, { for: 'slot', text: 'a batch to close, because MAX_IN_FLIGHT batches are in flight' }],
  [
    { for: 'gathering', untilMs: 0 },
    {
      text: 'more batches to be saved together, until 1970-01-01T00:00:00.000Z at most',
      ...{ for: 'gathering', until: '1970-01-01T00:00:00.000Z' },
    },
  ],
  [{ for: 'start' }, { for: 'start', text: 'older batches that are being started' }],
  [
    { for: 'older_records' },
    {
      for: 'older_records',
      text: 'older records that are ahead of it in the buffer',
    },
  ],
  [
    { for: 'conflict', heldBy: { rule: PAIR, childId: 'batcher-0-00000007', recordId: 'k:1', place: '' } },
    {
      for: 'conflict',
      text: 'batch batcher-0-00000007 to close: it conflicts with record k:1, as {"pair":[1,2]} keeps them apart',
      heldBy: { rule: PAIR, batchId: 'batcher-0-00000007', recordId: 'k:1' },
    },
  ],
  [
    { for: 'conflict', untilMs: 0, heldBy: { rule: PAIR, childId: 'batcher-0-00000007', place: '' } },
    {
      for: 'conflict',
      text: 'APART_MS after the end of batch batcher-0-00000007, until 1970-01-01T00:00:00.000Z: it conflicts with one of its records, as {"pair":[1,2]} keeps them apart',
      until: '1970-01-01T00:00:00.000Z',
      heldBy: { rule: PAIR, batchId: 'batcher-0-00000007' },
    },
  ],
  [
    { for: 'conflict', heldBy: { rule: PAIR, recordId: 'k:1' } },
    {
      for: 'conflict',
      text: 'record k:1, which is older and goes first: {"pair":[1,2]} keeps them apart',
      heldBy: { rule: PAIR, recordId: 'k:1' },
    },
  ],
  [
    { for: 'conflict', heldBy: { childId: 'batcher-0-00000007' } },
    {
      for: 'conflict',
      text: 'batch batcher-0-00000007 to close: it started under other rules',
      heldBy: { batchId: 'batcher-0-00000007' },
    },
  ],
])('in words: %j', (wait, view) => {
  expect(waitView(wait)).toEqual(view);
});
