import type { BatchSummary } from '../../src/contracts/api/answers/batches';
import { confirmationOf, confirmationOfRedrive } from '../../src/ui/model/confirm';
import { errorKind } from '../../src/domain/error-kind';
import { lookupsOf } from '../../src/domain/lookups';
import { groupLetters } from '../../src/ui/model/dead-letters';
import { lifeOf, requestInWords } from '../../src/ui/model/find';
import { ago, bytes, count, counted, duration } from '../../src/domain/format';
import { follow, hasArrived, setOut, stations } from '../../src/ui/model/journey';
import { lookOf, timelineOf } from '../../src/ui/model/timeline';
import { sharesOf } from '../../src/ui/model/waits';
import { statusWith } from './status';

test('Figures read as people write them.', () => {
  expect([0, 0.44, 7, 1234.6].map(count)).toEqual(['0', '0.4', '7', '1,235']);
  expect([40, 400, 95_000, 240_000, 9_000_000].map(duration)).toEqual([
    '40 ms',
    '0.4 s',
    '95 s',
    '4 min',
    '2.5 h',
  ]);
  expect([310, 12_288, 1_468_006].map(bytes)).toEqual(['310 B', '12 KiB', '1.4 MiB']);
  expect([counted(1, 'batch'), counted(2, 'batch'), counted(3, 'try')]).toEqual([
    '1 batch',
    '2 batches',
    '3 tries',
  ]);
  expect([ago(1000, 1400), ago(1000, 4700)]).toEqual(['now', '3 s ago']);
});

test('A pause says what goes on, what waits, and that new records are accepted.', () => {
  const { lines, word } = confirmationOf('pause', statusWith({ bufferedRecords: 1204, inFlight: 12 }));
  expect(lines).toEqual([
    '12 batches in flight end as usual; no other starts.',
    '1,204 records wait until somebody resumes, and new ones are accepted until the buffer is full.',
  ]);
  expect(word).toBeUndefined();
});

test('A drain says how much goes and how much is waited for, and wants a word.', () => {
  const { lines, word } = confirmationOf(
    'drain',
    statusWith({ bufferedRecords: 11, inFlight: 1, inFlightRecords: 4 }),
  );
  expect(lines[0]).toBe('11 records go in at least 3 batches.');
  expect(lines[1]).toMatch(/^4 records in 1 batch is waited for/);
  expect(word).toBe('drain');
});

test('A redrive of everything wants a word, one of some tells their number.', () => {
  expect(confirmationOfRedrive('all', '').word).toBe('redrive');
  expect(confirmationOfRedrive(3, 'of this group')).toMatchObject({
    title: 'Redrive 3 dead letters?',
    verb: 'Redrive 3',
  });
});

test('Errors that differ only in ids, numbers and quoted values are one kind.', () => {
  const errors = ['no place for "a-1" on shard 3', 'no place for "b-2" on shard 17', null];
  expect(errors.map(errorKind)).toEqual([
    'no place for # on shard #',
    'no place for # on shard #',
    'no error was reported',
  ]);
});

test('Dead letters are grouped by kind of error, the largest group first.', () => {
  const letter = (recordId: string, error: string) =>
    ({ recordId, error }) as Parameters<typeof groupLetters>[0][number];
  const groups = groupLetters([letter('a:0', 'x'), letter('b:0', 'full: 1'), letter('b:1', 'full: 2')]);
  expect(groups.map(({ error, letters }) => [error, letters.map(({ recordId }) => recordId)])).toEqual([
    ['full: #', ['b:0', 'b:1']],
    ['x', ['a:0']],
  ]);
});

test('A text may be a record, a request, a batch, or a file of one.', () => {
  expect(lookupsOf('order-1:0').map(({ kind, id }) => `${kind} ${id}`)).toEqual([
    'record order-1',
    'request order-1:0',
    'batch order-1:0',
  ]);
  expect(lookupsOf(' test_log_202611301200_batcher-0-00000042.log ')).toEqual([
    { kind: 'file', id: 'batcher-0-00000042' },
  ]);
  expect(lookupsOf('  ')).toEqual([]);
});

test('A life is told in words, with what a record waits for and what failed.', () => {
  expect(lifeOf({ recordId: 'r:0', state: 'rolled_back', attempts: 3, batchId: 'b', error: 'full' })).toEqual(
    ['Rolled back after 3 attempts, in batch b.', 'The last attempt failed: full'],
  );
  const counts = { buffered: 0, in_batch: 1, saved: 2, rolled_back: 0 };
  expect(requestInWords({ requestId: 'r', counts, records: [] })).toContain('1 in a batch, 2 saved');
});

const batch = (
  batchId: string,
  from: number,
  to: number | null,
  facts: Partial<BatchSummary> = {},
): BatchSummary => ({
  batchId,
  batcher: 'batcher-0',
  state: to === null ? 'running' : 'completed',
  flushReason: 'age',
  requestIds: [],
  startedAt: new Date(from).toISOString(),
  closedAt: to === null ? null : new Date(to).toISOString(),
  saved: to === null ? null : 1,
  rolledBack: to === null ? null : 0,
  retries: 0,
  runId: 'run',
  ...facts,
});

test('Batches that overlap are in different lanes, and a lane that is free is used again.', () => {
  const bars = timelineOf(
    [batch('c', 60_000, null), batch('b', 20_000, 50_000), batch('a', 10_000, 40_000)],
    90_000,
  );
  expect(bars.bars.map((bar) => [bar.batch.batchId, bar.lane])).toEqual([
    ['a', 0],
    ['b', 1],
    ['c', 0],
  ]);
  expect([bars.lanes, bars.fromMs, bars.toMs, bars.bars[2]?.to]).toEqual([2, 10_000, 90_000, 1]);
});

test('A batch of no time at all is wide enough to be seen.', () => {
  const [bar] = timelineOf([batch('a', 10_000, 10_000)], 90_000).bars;
  expect((bar?.to ?? 0) - (bar?.from ?? 0)).toBeGreaterThan(0.005);
});

test('A batch looks as its records ended.', () => {
  const looks = [
    batch('a', 0, null),
    batch('b', 0, 1),
    batch('c', 0, 1, { rolledBack: 1 }),
    batch('d', 0, 1, { saved: 0, rolledBack: 1 }),
    batch('e', 0, 1, { state: 'failed', saved: null, rolledBack: null }),
  ].map(lookOf);
  expect(looks).toEqual(['running', 'saved', 'mixed', 'lost', 'lost']);
});

test('The records of the example wait until they have a batch, and have arrived with their outcome.', () => {
  const counts = { buffered: 0, in_batch: 0, saved: 2, rolled_back: 0 };
  const records = [1, 2, 3, 4].map((value) => ({
    recordId: `r:${value}`,
    state: 'saved' as const,
    batchId: value === 2 ? 'b-2' : 'b-1',
  }));
  const travellers = follow(setOut(), 0, { requestId: 'r', counts, records });
  const { waiting, batches } = stations(travellers);
  expect(waiting.map(({ value }) => value)).toEqual([5, 7, 8, 1, 2]);
  expect(batches.map(({ batchId, records }) => [batchId, records.map(({ value }) => value)])).toEqual([
    ['b-1', [1, 3, 4]],
    ['b-2', [2]],
  ]);
  expect(travellers.filter(hasArrived)).toHaveLength(4);
});

test('What is waited for is summed over shards, the most first, with its share of the buffer.', () => {
  const wait = (reason: 'slot' | 'age', records: number) => ({ for: reason, text: `for ${reason}`, records });
  const shard = (waits: ReturnType<typeof wait>[]) => ({ shard: 0, bufferedRecords: 0, waits, rules: [] });
  expect(sharesOf({ shards: [shard([wait('age', 3), wait('slot', 2)]), shard([wait('slot', 5)])] })).toEqual([
    { for: 'slot', text: 'for slot', records: 7, share: 0.7 },
    { for: 'age', text: 'for age', records: 3, share: 0.3 },
  ]);
  expect(sharesOf({ shards: [] })).toEqual([]);
});
