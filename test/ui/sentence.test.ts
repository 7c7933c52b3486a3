import type { Point } from '../../src/contracts/api/answers/live';
import { pointOf } from '../../src/contracts/api/live-points';
import { withPoint } from '../../src/ui/model/history';
import { sentenceOf } from '../../src/contracts/api/sentence';
import { statusWith } from './status';

const AT = Date.parse('2026-11-30T12:00:00Z');

/** Points of a minute in which so many records a second were saved and rolled back. */
function minuteOf(saved: number, rolledBack = 0): Point[] {
  let points: Point[] = [];
  let before;
  for (let second = 0; second <= 60; second++) {
    const counters = { accepted: 9999, saved: saved * second, rolledBack: rolledBack * second };
    const reading = { atMs: AT + second * 1000, status: statusWith({ counters }) };
    points = withPoint(points, pointOf(reading, before));
    before = reading;
  }
  return points;
}

function sentence(status: ReturnType<typeof statusWith>, points: readonly Point[] = []) {
  const { mood, head, text } = sentenceOf({ atMs: AT, status }, points);
  return `${mood}: ${head}, ${text}`;
}

test('The first screen says that nothing has been sent, when nothing has been.', () => {
  expect(sentence(statusWith())).toBe('idle: Ready, nothing has been sent yet');
});

test('An idle system says what it has done so far.', () => {
  const status = statusWith({ counters: { accepted: 12, saved: 11, rolledBack: 1 } });
  expect(sentence(status)).toBe('idle: Idle, nothing waits; 11 records saved, 1 rolled back so far');
});

test('A system that saves tells its rate by the minute and the age of its oldest record.', () => {
  const status = statusWith({ bufferedRecords: 7, oldestAgeMs: 400, counters: { accepted: 9, saved: 9 } });
  expect(sentence(status, minuteOf(36))).toBe('well: Well, 2,160 records a minute, oldest record 0.4 s');
});

test('Records that wait for a slot are told with how many batches are in flight.', () => {
  const status = statusWith({
    bufferedRecords: 812,
    oldestAgeMs: 95_000,
    inFlight: 50,
    counters: { accepted: 900 },
  });
  expect(sentence(status)).toBe(
    'held: Held up, 812 records wait for a slot; 50 of 50 batches in flight, the oldest record is 95 s old',
  );
});

test('A pause is told with who made it, and that nothing is refused.', () => {
  const status = statusWith({ bufferedRecords: 1 }, { paused: { by: 'Ann', atMs: AT } });
  expect(sentence(status)).toMatch(
    /^held: Paused, by Ann since \d\d:\d\d:\d\d; 1 record wait, new ones are still accepted$/,
  );
});

test('A store that is away comes before a pause, with its own words.', () => {
  const storeAway = {
    since: '2026-11-30T11:59:00.000Z',
    reason: 'connection refused',
    workers: 1,
    holdsBack: true,
  };
  const status = statusWith({ bufferedRecords: 3 }, { storeAway, paused: { by: 'Ann', atMs: AT } });
  expect(sentence(status)).toMatch(
    /^wrong: Store away, since .*: connection refused; 3 records wait, none is lost$/,
  );
});

test('Records that are unaccounted for come before everything else.', () => {
  const status = statusWith({ unaccounted: -2 }, { paused: { by: 'Ann', atMs: AT } });
  expect(sentence(status)).toBe(
    'wrong: Wrong, 2 records can’t be accounted for; this is a bug, run an audit',
  );
});

test('A system that rolls back more than it saves is failing.', () => {
  const status = statusWith({ bufferedRecords: 1, oldestAgeMs: 100, counters: { accepted: 900 } });
  expect(sentence(status, minuteOf(1, 4))).toBe(
    'wrong: Failing, 240 records a minute are rolled back and 60 saved',
  );
});

test('A late record that no bound explains is told as being behind.', () => {
  const status = statusWith({
    bufferedRecords: 40,
    oldestAgeMs: 30_000,
    inFlight: 3,
    counters: { accepted: 90 },
  });
  expect(sentence(status, minuteOf(2))).toBe(
    'busy: Behind, the oldest of 40 records has waited 30 s; 120 records a minute',
  );
});

test('Late records that wait for what they conflict with are told so, and slow saves explain a lack of slots.', () => {
  const late = { bufferedRecords: 40, oldestAgeMs: 30_000, counters: { accepted: 90 } };
  const waits = [
    { for: 'older_records' as const, text: '', records: 30 },
    { for: 'conflict' as const, text: '', records: 9 },
    { for: 'age' as const, text: '', records: 1 },
  ];
  const shards = [{ shard: 0, batcher: 'batcher-0', bufferedRecords: 40, waits, rules: [] }];
  expect(sentenceOf({ atMs: AT, status: statusWith(late) }, [], { shards })).toMatchObject({
    head: 'Held up',
    text: '9 records of 40 wait for what they conflict with, in flight or just ended; the oldest record is 30 s old',
  });
  const full = statusWith({ ...late, inFlight: 50 });
  const point = { ...pointOf({ atMs: AT, status: full }, undefined), save: { p50: 4100, p95: 1, p99: 1 } };
  expect(sentence(full, [point])).toContain('batches in flight, a save takes 4.1 s, the oldest');
});

test('Clients that are refused because the buffer is full are told with the cause, or as the state where there is none.', () => {
  const refusing = minuteOf(1).map((point): Point => ({ ...point, refused: { 'buffer-full': 3 } }));
  const after = (status: ReturnType<typeof statusWith>, points: readonly Point[]) => {
    const { head, text } = sentenceOf({ atMs: points.at(-1)?.atMs ?? 0, status }, points);
    return `${head}, ${text}`;
  };
  const paused = statusWith(
    { bufferedRecords: 7, counters: { accepted: 9 } },
    { paused: { by: 'Ann', atMs: AT } },
  );
  expect(after(paused, refusing)).toMatch(
    /^Paused, .*7 records wait; the buffer is full, so new records are/,
  );
  expect(after(paused, minuteOf(1))).toMatch(/^Paused, .*7 records wait, new ones are still accepted$/);
  const well = statusWith({ bufferedRecords: 7, oldestAgeMs: 1, counters: { accepted: 9 } });
  expect(after(well, refusing)).toMatch(/^Buffer full, .*; the buffer is full/);
  const before = refusing.map((point): Point => ({ ...point, atMs: point.atMs - 60_000 }));
  expect(after(well, [...before, ...minuteOf(1)])).toMatch(/^Well, /);
});

test('A store that a worker reports away is told as the cause of late records, also while batches may still start.', () => {
  const away = {
    since: '2026-11-30T11:58:00.000Z',
    reason: 'connect ECONNREFUSED',
    workers: 1,
    holdsBack: false,
  };
  const late = { bufferedRecords: 65, oldestAgeMs: 70_000, inFlight: 50, counters: { accepted: 260 } };
  expect(sentence(statusWith(late, { storeAway: away }))).toMatch(
    /^held: Store away, for 1 worker since .*: connect ECONNREFUSED; 65 records wait, none is lost$/,
  );
  expect(sentence(statusWith({ ...late, oldestAgeMs: 300 }, { storeAway: away }))).toMatch(/^well: Well/);
});
