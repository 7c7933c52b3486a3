import request from 'supertest';
import type { BatchView } from '../../src/contracts/api/answers/batches';
import type { RequestView } from '../../src/contracts/api/answers/requests';
import { testApp } from './test-app';

const REQUEST: RequestView = {
  requestId: 'order-1',
  counts: { buffered: 0, in_batch: 0, saved: 2, rolled_back: 0 },
  records: [0, 1].map((index) => ({
    recordId: `order-1:${index}`,
    state: 'saved',
    batchId: 'batcher-0-00000001',
    attempts: 1,
  })),
};
const FIGURES = { requestId: 'order-1', redriveOf: null, records: 2, counts: REQUEST.counts };
const SUMMARY = {
  batchId: 'batcher-0-00000001',
  batcher: 'batcher-0',
  state: 'completed',
  flushReason: 'age',
  requestIds: ['order-1'],
  startedAt: '2020-02-02T02:02:02.000Z',
  closedAt: '2020-02-02T02:02:03.000Z',
  saved: 2,
  rolledBack: 0,
  retries: 0,
  runId: 'run',
} as const;
const FILE = 'test_log_202002020202_batcher-0-00000001.log';
const BATCH: BatchView = {
  ...SUMMARY,
  requestIds: ['order-1'],
  ...{ file: FILE, work: [], records: [], saving: { text: 'so', shape: 'record', due: null } },
  cut: {
    ...{ text: 'so', maxBatchSize: 5, why: 'full', oldestMs: null, left: null, unseen: null },
    ...{ keptOut: [], tooLarge: null, fitting: null },
  },
};

function appThatKnows() {
  const edge = testApp();
  edge.batcher.requests.set('order-1', REQUEST);
  edge.batcher.batchViews.set(BATCH.batchId, BATCH);
  const find = async (q: string) =>
    (await request(edge.app).get('/v1/find').query({ q }).expect(200)).body as { found: unknown[] };
  return { ...edge, find };
}

test('A record is found by its id with its request, and a request alone by its own.', async () => {
  const { find } = appThatKnows();
  expect(await find('order-1:1')).toEqual({
    query: 'order-1:1',
    found: [{ kind: 'record', record: REQUEST.records[1], request: FIGURES }],
  });
  expect((await find('order-1')).found).toEqual([{ kind: 'request', request: FIGURES }]);
});

test('A batch is found by its id, and by the name of its file with or without a folder.', async () => {
  const { find } = appThatKnows();
  const batch = { kind: 'batch', batch: SUMMARY, file: FILE };
  for (const q of [BATCH.batchId, FILE, `/data/out/${FILE}`]) expect((await find(q)).found).toEqual([batch]);
});

test('A list is found by the X-Request-Id of its answer.', async () => {
  const { app, batcher, find } = appThatKnows();
  const sent = await request(app)
    .post('/v1/records')
    .set('Idempotency-Key', 'order-1')
    .send([1, 2])
    .expect(202);
  const found = await find(String(sent.headers['x-request-id']));
  expect(found.found).toEqual([{ kind: 'log', request: FIGURES }]);
  expect(batcher.accepted).toHaveLength(1);
});

test('What is not known is no error: nothing is found, and each place is asked once.', async () => {
  const { batcher, find } = appThatKnows();
  expect((await find('order-2:0')).found).toEqual([]);
  expect(batcher.calls).toEqual(['request(order-2)', 'request(order-2:0)', 'batch(order-2:0)']);
});

test('A place that its request does not have is no record.', async () => {
  const { find } = appThatKnows();
  expect((await find('order-1:2')).found).toEqual([]);
});
