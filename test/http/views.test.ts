import request from 'supertest';
import type { BatchView } from '../../src/contracts/api/answers/batches';
import type { RequestView } from '../../src/contracts/api/answers/requests';
import { KeepapartError } from '../../src/domain/errors';
import { testApp } from './test-app';

const requestView: RequestView = {
  requestId: 'r1',
  counts: { buffered: 1, in_batch: 0, saved: 1, rolled_back: 0 },
  records: [
    { recordId: 'r1:0', state: 'saved', batchId: 'batcher-0-00000001', attempts: 2 },
    {
      ...{ recordId: 'r1:1', state: 'buffered' as const },
      waitsFor: { for: 'age', text: 'as it was told', until: '2020-02-02T02:02:03.000Z' },
    },
  ],
};

const batchView: BatchView = {
  batchId: 'batcher-0-00000001',
  batcher: 'batcher-0',
  state: 'completed',
  flushReason: 'age',
  requestIds: ['r1'],
  startedAt: '2020-02-02T02:02:02.000Z',
  closedAt: '2020-02-02T02:02:03.000Z',
  saved: 1,
  rolledBack: 0,
  retries: 1,
  runId: 'run',
  file: 'test_log_202002020202_batcher-0-00000001.log',
  work: [],
  saving: { text: 'one activity per record', shape: 'record', due: null },
  cut: {
    text: 'as it was told',
    maxBatchSize: 5,
    why: 'rules',
    oldestMs: 1002,
    left: 1,
    unseen: 0,
    keptOut: [{ rule: { pair: [1, 2] }, records: 1 }],
    tooLarge: 0,
    fitting: 0,
  },
  records: [{ recordId: 'r1:0', value: 1, outcome: 'saved', attempts: 2, error: null }],
};

test('A request tells where each of its records is.', async () => {
  const { app, batcher } = testApp();
  batcher.requests.set('r1', requestView);
  const response = await request(app).get('/v1/requests/r1').expect(200);
  expect(response.body).toEqual(requestView);
});

test('An id in the path is decoded, so that it may hold any printable character.', async () => {
  const { app, batcher } = testApp();
  batcher.requests.set('a:b/c ü', { ...requestView, requestId: 'a:b/c ü' });
  await request(app)
    .get(`/v1/requests/${encodeURIComponent('a:b/c ü')}`)
    .expect(200);
  expect(batcher.calls).toEqual(['request(a:b/c ü)']);
});

test('An unknown request is 404 request-not-found, an unknown batch 404 batch-not-found.', async () => {
  const { app } = testApp();
  const unknownRequest = await request(app).get('/v1/requests/nope');
  expect([unknownRequest.status, unknownRequest.body.code]).toEqual([404, 'request-not-found']);
  const unknownBatch = await request(app).get('/v1/batches/nope');
  expect([unknownBatch.status, unknownBatch.body.code]).toEqual([404, 'batch-not-found']);
});

test.each(['%00', 'a%0Ab', 'x'.repeat(256)])(
  'An id that can not be one of ours is not asked for: %s.',
  async (id) => {
    const { app, batcher } = testApp();
    await request(app).get(`/v1/requests/${id}`).expect(404);
    await request(app).get(`/v1/batches/${id}`).expect(404);
    expect(batcher.calls).toEqual([]);
  },
);

test('A batch tells its records and outcomes.', async () => {
  const { app, batcher } = testApp();
  batcher.batchViews.set(batchView.batchId, batchView);
  const response = await request(app).get(`/v1/batches/${batchView.batchId}`).expect(200);
  expect(response.body).toEqual(batchView);
});

test('Batches come fifty at a time unless asked otherwise.', async () => {
  const { app, batcher } = testApp();
  batcher.page = { batches: [], nextCursor: 'c2' };
  const response = await request(app).get('/v1/batches').expect(200);
  expect(response.body).toEqual({ batches: [], nextCursor: 'c2' });
  await request(app).get('/v1/batches?state=failed&limit=200&cursor=c2').expect(200);
  expect(batcher.calls).toEqual([
    'batches({"limit":50})',
    'batches({"state":"failed","limit":200,"cursor":"c2"})',
  ]);
});

test.each([
  ['limit=0', 'limit', 'a whole number from 1 to 200', '"0" (string)'],
  ['limit=201', 'limit', 'a whole number from 1 to 200', '"201" (string)'],
  ['limit=1e1', 'limit', 'a whole number from 1 to 200', '"1e1" (string)'],
  ['limit=5&limit=6', 'limit', 'a whole number from 1 to 200', 'a list of 2'],
  ['state=done', 'state', 'one of running, completed, failed', '"done" (string)'],
  ['cursor=', 'cursor', 'the nextCursor of the page before', '"" (string)'],
  ['stat=failed', 'stat', 'no such key', '"failed" (string)'],
  ['__proto__=1', '__proto__', 'no such key', '"1" (string)'],
])(
  'A query that means nothing is refused rather than passed over: %s.',
  async (query, field, expected, received) => {
    const { app, batcher } = testApp();
    const response = await request(app).get(`/v1/batches?${query}`);
    expect([response.status, response.body.code]).toEqual([422, 'invalid-request']);
    expect(response.body.problems).toEqual([{ field, expected, received }]);
    expect(batcher.calls).toEqual([]);
  },
);

test('A cursor that the batcher does not know is 404.', async () => {
  const { app, batcher } = testApp();
  batcher.failure = new KeepapartError('not-found', 'The cursor is none of ours');
  await request(app).get('/v1/batches?cursor=x').expect(404);
});

test('The status is answered as the batcher tells it, and kept by no cache.', async () => {
  const { app, batcher } = testApp();
  const response = await request(app).get('/v1/status').expect(200);
  expect(response.body).toEqual(batcher.statusView);
  expect(response.headers['cache-control']).toBe('no-store');
  expect(response.headers['etag']).toBeUndefined();
});
