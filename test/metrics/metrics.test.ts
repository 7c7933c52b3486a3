import { KeepapartError } from '../../src/domain/errors';
import { ERRORS, type ErrorCode } from '../../src/domain/errors';
import { SAVE_RESULT, type ClosedBatchReport, type SaveResultKind } from '../../src/contracts/instruments';
import type { KnownShard, ShardReading } from '../../src/contracts/workflow/readings';
import { NO_COUNTS } from '../../src/contracts/workflow/batcher';
import type { RecordStore } from '../../src/domain/records/record-store';
import { apiMetrics } from '../../src/metrics/api-metrics';
import { batcherMetrics, ruleIdOf } from '../../src/metrics/batcher-metrics';
import { expiryMetrics } from '../../src/metrics/api-metrics';
import { measuredStore } from '../../src/metrics/measured-store';
import { MetricRegistry } from '../../src/metrics/registry';
import { batchMetrics, saveMetrics } from '../../src/metrics/worker-metrics';
import { TEST_SETTINGS } from '../helpers/test-settings';

const BOUNDS = { maxBufferedRecords: 100, maxBufferedBytes: 1000 };

/** Each series with its value. */
function seriesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}

function reading(conflicts: number): ShardReading {
  const rules = Array.from({ length: conflicts }, (_, i) => ({ pair: [i, 'other'] as [number, string] }));
  return {
    shard: 0,
    batcher: 'batcher-0',
    atMs: 100_000,
    status: {
      bufferedRecords: 7,
      bufferedBytes: 70,
      oldestAcceptedAtMs: 90_000,
      oldestDueAtMs: 95_500,
      inFlight: 3,
      inFlightRecords: 9,
      unaccounted: 0,
      counters: { ...NO_COUNTS, accepted: 20, duplicateRequests: 2 },
      cuts: {
        ...{ batches: 5, records: 11, places: 25, beyondBound: 1, deferred: 4 },
        deferredBy: rules.map((rule) => ({ rule, records: 4 })),
      },
      saving: { shape: 'record', sinceMs: 0, due: null, storeIsSlow: false },
      paused: null,
      pace: null,
      storeAway: null,
      drain: null,
      pages: 1,
      settings: TEST_SETTINGS,
      overridden: {},
      run: { historyEvents: 40, historyBytes: 4000, messages: 3, continuedAsNew: 6 },
    },
    waits: {
      counts: [
        { for: 'age', records: 5 },
        { for: 'slot', records: 2 },
      ],
      rules: [],
    },
  };
}

const known = (value: ShardReading | undefined): KnownShard => ({
  shard: 0,
  batcher: 'batcher-0',
  reading: value,
});

test('An API with one shard has at most 1,500 series, whatever requests clients send.', async () => {
  const registry = new MetricRegistry();
  const edge = apiMetrics(registry);
  batcherMetrics(registry, BOUNDS, () => Promise.resolve([known(reading(100))]));
  expiryMetrics(registry, () => ({ oldestSeconds: 1, retentionSeconds: 2 }));
  for (const code of Object.keys(ERRORS) as ErrorCode[]) edge.refused(code);
  for (let i = 0; i < 5000; i++) {
    const method = ['GET', 'POST', 'PATCH', 'HEAD', `M${i}`][i % 5] ?? '';
    edge.requestEnded({ method, route: `/v1/r${i % 40}`, status: 200 + (i % 400), seconds: 0.1 });
  }
  edge.received('tcp', 1, 1);
  edge.committed(1, 0.1);
  const series = seriesOf(await registry.text());
  expect(series.size).toBeGreaterThan(500);
  expect(series.size).toBeLessThanOrEqual(1500);
  const requests = [...series].filter(([name]) =>
    name.startsWith('http_server_request_duration_seconds_count'),
  );
  expect(requests.reduce((sum, [, count]) => sum + count, 0)).toBe(5000);
});

test('A method that HTTP has not heard of, and an id in a path, come into no label.', async () => {
  const registry = new MetricRegistry();
  const edge = apiMetrics(registry);
  edge.requestEnded({ method: 'SECRET', route: undefined, status: 401, seconds: 0.01 });
  const text = await registry.text();
  expect(text).not.toContain('SECRET');
  expect(text).toContain(
    'http_server_request_duration_seconds_count{http_request_method="_OTHER",http_route="",http_response_status_code="401"} 1',
  );
});

test('What a batcher reports about itself is exported by shard, and updated at each scrape.', async () => {
  const registry = new MetricRegistry();
  let now = [known(reading(1))];
  batcherMetrics(registry, BOUNDS, () => Promise.resolve(now));
  await registry.text();
  const series = seriesOf(await registry.text());
  const rule = ruleIdOf({ pair: [0, 'other'] });
  expect(rule).toMatch(/^[0-9a-f]{8}$/);
  const of = (name: string, more = '') => series.get(`keepapart_batcher_${name}{shard="0"${more}}`);
  expect({
    up: of('up'),
    records: of('buffered_records'),
    limit: of('buffered_records_limit'),
    oldest: of('oldest_age_seconds'),
    due: of('oldest_due_age_seconds'),
    age: of('waiting_records', ',for="age"'),
    conflict: of('waiting_records', ',for="conflict"'),
    bound: of('lower_bound_batches_total'),
    cut: of('cut_batches_total'),
    deferred: of('deferred_records_total', `,rule="${rule}"`),
    accepted: of('accepted_total'),
    runs: of('continued_as_new_total'),
  }).toEqual({
    ...{ up: 1, records: 7, limit: 100, oldest: 10, due: 4.5, age: 5, conflict: 0 },
    ...{ bound: 4, cut: 5, deferred: 4, accepted: 20, runs: 6 },
  });
  expect(series.get(`keepapart_rule_info{rule="${rule}",text="{\\"pair\\":[0,\\"other\\"]}"}`)).toBe(1);

  now = [known(undefined)];
  const silent = [...seriesOf(await registry.text())].filter(([name]) =>
    name.startsWith('keepapart_batcher'),
  );
  expect(silent.map(([name]) => name.replace(/\{.*/, ''))).toEqual([
    'keepapart_batcher_up',
    'keepapart_batcher_buffered_records_limit',
    'keepapart_batcher_buffered_bytes_limit',
  ]);
  expect(silent[0]?.[1]).toBe(0);
});

test('Closed batches are counted by their records, outcomes, attempts and waits.', async () => {
  const registry = new MetricRegistry();
  const batches = batchMetrics(registry);
  const report: ClosedBatchReport = {
    ...{ reason: 'age', places: 5, tookMs: 2000, saved: 2, rolledBack: 1, undoFailed: 1 },
    attempts: [
      [1, 2],
      [3, 1],
    ],
    waits: [
      { waitedMs: 1000, saved: 2, rolledBack: 0 },
      { waitedMs: 500, saved: 0, rolledBack: 1 },
    ],
  };
  batches.batchesClosed([report]);
  batches.batchesEndedEarly([{ reason: 'size', batches: 4 }]);
  const series = seriesOf(await registry.text());
  const expected = {
    'keepapart_outcomes_total{outcome="saved"}': 2,
    'keepapart_outcomes_total{outcome="rolled_back"}': 1,
    'keepapart_record_wait_seconds_count{reason="age"}': 3,
    'keepapart_record_wait_seconds_sum{reason="age"}': 2.5,
    'keepapart_record_duration_seconds_sum{outcome="saved"}': 6,
    'keepapart_record_duration_seconds_sum{outcome="rolled_back"}': 2.5,
    keepapart_save_attempts_sum: 5,
    'keepapart_batches_total{reason="age",state="completed"}': 1,
    'keepapart_batches_total{reason="size",state="failed"}': 4,
    keepapart_batch_places_total: 5,
    keepapart_batch_filled_places_total: 3,
    keepapart_undo_failures_total: 1,
  };
  expect(Object.fromEntries(Object.keys(expected).map((name) => [name, series.get(name)]))).toEqual(expected);
});

test('A store is measured by how its saves end, and does what it did.', async () => {
  const ended: SaveResultKind[] = [];
  let failure: Error | undefined;
  const store: RecordStore = {
    save: () => (failure === undefined ? Promise.resolve() : Promise.reject(failure)),
    saveAll: (batches) =>
      Promise.resolve(
        batches.map(() => [
          { status: 'fulfilled', value: undefined },
          { status: 'rejected', reason: new Error('no') },
        ]),
      ),
    rollback: () => Promise.resolve(),
    closeBatch: () => Promise.resolve({ location: 'file' }),
    readBatch: () => Promise.resolve(undefined),
  };
  const measured = measuredStore(store, { saveEnded: (result) => void ended.push(result) });
  expect(measured.closeBatches).toBeUndefined();
  const [record, batch] = [
    { recordId: 'a:0', value: 1 },
    { batchId: 'b', openedAtMs: 0 },
  ];
  await measured.save(record, batch);
  for (failure of [
    new Error('busy'),
    new KeepapartError('record-rejected', 'never'),
    Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }),
  ])
    await expect(measured.save(record, batch)).rejects.toBe(failure);
  await measured.saveAll?.([{ batch, records: [record, record] }]);
  expect(ended).toEqual([
    ...[SAVE_RESULT.saved, SAVE_RESULT.failed, SAVE_RESULT.refused, SAVE_RESULT.away],
    SAVE_RESULT.failed,
  ]);
});

test('The path of a module of somebody’s own is no label.', async () => {
  const registry = new MetricRegistry();
  saveMetrics(registry, './secret/store.mjs').saveEnded('saved', 0.1);
  const text = await registry.text();
  expect(text).toContain('keepapart_save_attempt_duration_seconds_count{store="module",result="saved"} 1');
  expect(text).not.toContain('secret');
});
