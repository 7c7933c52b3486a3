import request from 'supertest';
import type { DeadLetter } from '../../src/contracts/api/answers/dead-letters';
import { KeepapartError } from '../../src/domain/errors';
import { testApp } from './test-app';

const letter: DeadLetter = {
  recordId: 'r1:1',
  requestId: 'r1',
  value: { any: 'thing' },
  attempts: 3,
  error: 'the disk is full',
  rollbackError: null,
  at: '2020-02-02T02:02:03.000Z',
  batchId: 'batcher-0-00000001',
  batcher: 'batcher-0',
  file: 'test_log_202002020202_batcher-0-00000001.log',
  redriveOf: null,
  redrivenAs: null,
};

test('Dead letters are answered as the batcher tells them, by default those that were not sent again.', async () => {
  const { app, batcher } = testApp();
  batcher.letterPage = { deadLetters: [letter], nextCursor: 'more' };
  const response = await request(app).get('/v1/dead-letters').expect(200);
  expect(response.body).toEqual(batcher.letterPage);
  expect(batcher.calls).toEqual(['deadLetters({"limit":50,"redriven":"false"})']);
});

test('What is asked for is passed on: page, request, batch, and whether they were sent again.', async () => {
  const { app, batcher } = testApp();
  await request(app)
    .get('/v1/dead-letters?limit=2&cursor=c&requestId=r1&batchId=b-1&redriven=any')
    .expect(200);
  const filter = { limit: 2, cursor: 'c', requestId: 'r1', batchId: 'b-1', redriven: 'any' };
  expect(batcher.calls).toEqual([`deadLetters(${JSON.stringify(filter)})`]);
});

test.each([
  ['limit=0', 'limit', 'a whole number from 1 to 200'],
  ['cursor=', 'cursor', 'the nextCursor of the page before'],
  ['redriven=yes', 'redriven', 'one of false, true, any'],
  ['requestId=', 'requestId', 'an id of 1 to 255 printable characters'],
  ['batchId=a%0Ab', 'batchId', 'an id of 1 to 255 printable characters'],
  ['request=r1', 'request', 'no such key'],
])('A query that means nothing is refused: %s.', async (query, field, expected) => {
  const { app, batcher } = testApp();
  const response = await request(app).get(`/v1/dead-letters?${query}`);
  expect([response.status, response.body.code]).toEqual([422, 'invalid-request']);
  expect(response.body.problems).toEqual([expect.objectContaining({ field, expected })]);
  expect(batcher.calls).toEqual([]);
});

test.each([{ records: ['r1:1', 'r1:2'] }, { batchId: 'b-1' }, { requestId: 'r1' }, { all: true }])(
  'A redrive says what to send again in one of four ways, and tells what was done: %j.',
  async (selection) => {
    const { app, batcher } = testApp();
    batcher.redriveResult = {
      redriven: [{ recordId: 'r1:1', requestId: 'redrive-1.r1:1' }],
      alreadyRedriven: [],
      notFound: ['r1:2'],
    };
    const response = await request(app)
      .post('/v1/dead-letters/redrive')
      .send({ ...selection, by: 'Zoë' });
    expect(response.status).toBe(202);
    expect(response.body).toEqual({ ...batcher.redriveResult, by: 'Zoë' });
    expect(batcher.calls).toEqual([`redrive(${JSON.stringify(selection)}, Zoë)`]);
  },
);

const ONE_OF = 'exactly one of records, batchId, requestId, error, all';

test.each([
  [undefined, '', 'an object with one of records, batchId, requestId, error, all'],
  [{}, '', ONE_OF],
  [{ by: 'me' }, '', ONE_OF],
  [{ all: true, batchId: 'b' }, '', ONE_OF],
  [{ all: false }, '/all', 'true'],
  [{ records: [] }, '/records', 'at least one recordId'],
  [{ records: 'r1:1' }, '/records', 'a list of recordIds'],
  [{ records: ['a', 5] }, '/records/1', 'an id of 1 to 255 printable characters'],
  [{ records: Array.from({ length: 1001 }, (_, i) => `r:${i}`) }, '/records', 'at most 1000 recordIds'],
  [{ batchId: '' }, '/batchId', 'an id of 1 to 255 printable characters'],
  [{ all: true, by: 'a\nb' }, '/by', 'a name of 1 to 64 printable characters'],
  [{ all: true, force: true }, '/force', 'no such key'],
])('A redrive that can not be understood sends nothing: %j.', async (body, field, expected) => {
  const { app, batcher } = testApp();
  const response = await request(app).post('/v1/dead-letters/redrive').send(body);
  expect([response.status, response.body.code]).toEqual([422, 'invalid-request']);
  expect(response.body.problems).toEqual([expect.objectContaining({ field, expected })]);
  expect(batcher.calls).toEqual([]);
});

test('A thousand ids of any length of ours fit into one redrive.', async () => {
  const { app, batcher } = testApp();
  const records = Array.from({ length: 1000 }, (_, i) => `redrive-1000.${'x'.repeat(128)}:${i}:0`);
  await request(app).post('/v1/dead-letters/redrive').send({ records }).expect(202);
  expect(batcher.calls).toHaveLength(1);
});

test('The holder of the key is who did it, whatever the body says.', async () => {
  const sha256 = '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b';
  const { app, batcher } = testApp({ apiKeys: [{ name: 'ops', sha256, rights: ['read', 'operate'] }] });
  await request(app).post('/v1/dead-letters/redrive').send({ all: true }).expect(401);
  await request(app).get('/v1/dead-letters').expect(401);
  const response = await request(app)
    .post('/v1/dead-letters/redrive')
    .set('Authorization', 'Bearer secret')
    .send({ all: true, by: 'somebody else' });
  expect([response.status, response.body.by]).toEqual([202, 'ops']);
  expect(batcher.calls).toEqual(['redrive({"all":true}, ops)']);
});

test.each([
  ['dead-letter-not-found', 404, undefined],
  ['buffer-full', 429, '3'],
] as const)('A redrive that comes to nothing is told as %s.', async (code, status, retryAfter) => {
  const { app, batcher } = testApp();
  batcher.failure = new KeepapartError(code, 'No', { retryAfterMs: 3000 });
  if (code === 'dead-letter-not-found') batcher.failure = new KeepapartError(code, 'No');
  const response = await request(app).post('/v1/dead-letters/redrive').send({ all: true });
  expect([response.status, response.body.code]).toEqual([status, code]);
  expect(response.headers['retry-after']).toBe(retryAfter);
});
