import type { KnownShard, ShardReading } from '../../src/contracts/workflow/readings';
import type { Point } from '../../src/contracts/api/answers/live';
import { packHistory, pointOf, unpackHistory } from '../../src/contracts/api/live-points';
import { eventReader } from '../../src/domain/server-sent-events';
import { LiveMemory } from '../../src/http/live/live-memory';
import { LiveMeter } from '../../src/metrics/live-meter';
import { mergeNotes } from '../../src/temporal/views/controls-view';
import { readOverview } from '../../src/temporal/views/overview';
import { noteControl } from '../../workflows/batcher/messages/controls';
import { MAX_CONTROL_NOTES, type ControlNote } from '../../src/contracts/workflow/controls';
import { statusOf } from '../../workflows/batcher/messages/view';
import { infoOf, newState } from '../helpers/batcher-loop';
import { TEST_SETTINGS } from '../helpers/test-settings';
import { statusWith } from '../ui/status';

const point = (atMs: number, accepted: number | null = 1): Point => ({
  ...pointOf({ atMs, status: statusWith() }, undefined),
  accepted,
});

test('The memory of an API holds 15 minutes by the second and 6 hours by ten seconds, and no more.', () => {
  const memory = new LiveMemory(0);
  const seconds = 7 * 3600;
  for (let second = 1; second <= seconds; second++) memory.add(second, point(second * 1000, second));
  const { seconds: fine, tens } = memory.read('hours');
  expect(fine).toHaveLength(900);
  expect(fine.at(-1)?.atMs).toBe(seconds * 1000);
  expect(tens.length).toBeGreaterThan(2155);
  expect(tens.length).toBeLessThanOrEqual(2160);
  // Each is the mean of its ten seconds.
  expect(tens.at(-1)).toMatchObject({ atMs: (seconds - 1) * 1000, accepted: seconds - 5.5 });
  expect(memory.read('minutes').tens).toEqual([]);
  expect(memory.read('hours', seconds - 2).seconds).toHaveLength(2);
});

test('A history is the same after it was packed and unpacked, but for digits of rates.', () => {
  const seconds = [point(1000, null), { ...point(2000, 3), commit: { p50: 1, p95: 2, p99: 3 } }];
  const history = { sinceMs: 5, seconds, tens: [{ ...point(2000), accepted: 33.3333, waits: { slot: 2 } }] };
  const packed = JSON.parse(JSON.stringify(packHistory(history))) as ReturnType<typeof packHistory>;
  expect(unpackHistory(packed)).toEqual({ ...history, tens: [{ ...history.tens[0], accepted: 33.3 }] });
  const older = { ...packed, fields: packed.fields.filter((field) => field !== 'save') };
  expect(unpackHistory(older).seconds[0]?.save).toBeNull();
});

test('What a process measures is told once, with percentiles, and bounded.', () => {
  const meter = new LiveMeter();
  expect(meter.take()).toEqual({ refused: {}, commit: null, save: null });
  for (let i = 1; i <= 5000; i++) meter.committed(1, i / 1000);
  meter.refused('buffer-full');
  meter.refused('buffer-full');
  meter.saveEnded('saved', 0.25);
  // Of 5,000 the latest thousand.
  expect(meter.take()).toEqual({
    refused: { 'buffer-full': 2 },
    commit: { p50: 4500, p95: 4950, p99: 4990 },
    save: { p50: 250, p95: 250, p99: 250 },
  });
  expect(meter.take()).toEqual({ refused: {}, commit: null, save: null });
});

test('A batcher that has not answered for seconds is silent; its last answer still counts.', async () => {
  const status = statusOf(newState(), infoOf());
  const reading = (shard: number, ageMs: number): ShardReading => ({
    ...{ shard, batcher: `batcher-${shard}`, atMs: Date.now() - ageMs, status },
    waits: { counts: [{ for: 'slot', records: 3 }], rules: [] },
  });
  const known: KnownShard[] = [
    { shard: 0, batcher: 'batcher-0', reading: reading(0, 100) },
    { shard: 1, batcher: 'batcher-1', reading: reading(1, 9000) },
    { shard: 2, batcher: 'batcher-2', reading: undefined },
  ];
  const look = (shards: KnownShard[]) => readOverview({ look: () => Promise.resolve(shards) }, TEST_SETTINGS);
  const overview = await look(known);
  expect(overview.silent).toEqual(['batcher-1', 'batcher-2']);
  expect(overview.status?.shards.map(({ shard }) => shard)).toEqual([0, 1]);
  expect(overview.waits.shards[0]).toMatchObject({ bufferedRecords: 3, waits: [{ for: 'slot' }] });
  expect(await look(known.slice(2))).toMatchObject({ status: null, asOfMs: null, waits: { shards: [] } });
});

test('What was done to several shards at once is listed once; records of a redrive are added up.', () => {
  const note = (action: ControlNote['action'], shard: number, atMs: number, detail?: string) => ({
    ...{ action, by: 'Ann', atMs, shard },
    ...(detail !== undefined && { detail }),
  });
  expect(
    mergeNotes([
      note('pause', 0, 1000),
      note('redrive', 0, 2000, '1 record'),
      note('redrive', 1, 2000, '3 records'),
      note('pause', 1, 1000),
    ]),
  ).toEqual([
    { action: 'redrive', by: 'Ann', at: '1970-01-01T00:00:02.000Z', detail: '4 records', shards: [0, 1] },
    { action: 'pause', by: 'Ann', at: '1970-01-01T00:00:01.000Z', detail: null, shards: [0, 1] },
  ]);
});

test('G6: a batcher remembers few of the things that were done, and little of each.', () => {
  const controls: ControlNote[] = [];
  for (let i = 0; i < 100; i++)
    noteControl(controls, { action: 'limits', by: 'ü'.repeat(200), atMs: i, detail: 'x'.repeat(5000) });
  expect(controls).toHaveLength(MAX_CONTROL_NOTES);
  expect(controls.at(-1)?.atMs).toBe(99);
  expect(Buffer.byteLength(JSON.stringify(controls))).toBeLessThan(7 * 1024);
});

test('Events are read from pieces that are cut anywhere; comments are left out.', () => {
  const text = ':\n\nevent: picture\nid: a-1\ndata: {"a":\ndata: 1}\n\nid: a-2\ndata: 2\n\n';
  for (let size = 1; size <= text.length; size++) {
    const read = eventReader();
    const events = [];
    for (let at = 0; at < text.length; at += size) events.push(...read(text.slice(at, at + size)));
    expect(events).toEqual([
      { event: 'picture', id: 'a-1', data: '{"a":\n1}' },
      { event: 'message', id: 'a-2', data: '2' },
    ]);
  }
});
