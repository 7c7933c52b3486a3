import { createHash } from 'node:crypto';
import request from 'supertest';
import { RIGHTS } from '../../src/domain/rights';
import { testApp } from './test-app';

const apiKeys = ['first', 'second'].map((key) => ({
  name: key,
  sha256: createHash('sha256').update(key).digest('hex'),
  rights: RIGHTS,
}));

/** The clock of the limiter stands still but for what a test lets pass. */
let nowMs: number;
beforeEach(() => {
  nowMs = 1_000_000;
  jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
});
afterEach(() => jest.restoreAllMocks());

type App = ReturnType<typeof testApp>['app'];

async function statuses(app: App, count: number, key = 'first'): Promise<number[]> {
  const answers: number[] = [];
  for (let i = 0; i < count; i++)
    answers.push((await request(app).get('/v1/status').set('X-Api-Key', key)).status);
  return answers;
}

test('A key may make a second’s worth of requests at once, and then so many a second.', async () => {
  const { app } = testApp({ apiKeys, rateLimitPerSecond: 4 });
  expect(await statuses(app, 6)).toEqual([200, 200, 200, 200, 429, 429]);
  nowMs += 500;
  expect(await statuses(app, 3)).toEqual([200, 200, 429]);
  nowMs += 60_000;
  expect(await statuses(app, 5)).toEqual([200, 200, 200, 200, 429]);
});

test('What is beyond it is 429 rate-limited with a time to come back, and nothing of it is done.', async () => {
  const { app, batcher } = testApp({ rateLimitPerSecond: 1 });
  await request(app).post('/v1/records').send([1]).expect(202);
  const response = await request(app).post('/v1/records').send([2]);
  expect([response.status, response.body.code]).toEqual([429, 'rate-limited']);
  expect(response.headers['retry-after']).toBe('1');
  expect(batcher.accepted.map(({ values }) => values)).toEqual([[1]]);
  nowMs += 1000;
  await request(app).post('/v1/records').send([2]).expect(202);
});

test('Keys don’t share their allowance; without keys, the requests of one address do.', async () => {
  const { app } = testApp({ apiKeys, rateLimitPerSecond: 1 });
  expect(await statuses(app, 2, 'first')).toEqual([200, 429]);
  expect(await statuses(app, 2, 'second')).toEqual([200, 429]);
  const { app: open } = testApp({ rateLimitPerSecond: 1 });
  expect([...(await statuses(open, 1, 'a')), ...(await statuses(open, 1, 'b'))]).toEqual([200, 429]);
});

test('Every request under /v1 counts that has a key, and none without one uses anybody’s allowance.', async () => {
  const { app } = testApp({ apiKeys, rateLimitPerSecond: 1 });
  expect(await statuses(app, 2, 'wrong')).toEqual([401, 401]);
  await request(app).get('/v1/nothing').set('X-Api-Key', 'first').expect(404);
  expect(await statuses(app, 1)).toEqual([429]);
});

test('Probes and the dashboard’s page are never limited.', async () => {
  const { app } = testApp({ rateLimitPerSecond: 1 });
  await request(app).get('/v1/status').expect(200);
  await request(app).get('/v1/status').expect(429);
  for (const path of ['/healthz', '/readyz', '/', '/healthz', '/readyz', '/'])
    await request(app).get(path).expect(200);
});

test('Nothing is limited by default.', async () => {
  const { app } = testApp({ apiKeys });
  expect(new Set(await statuses(app, 50))).toEqual(new Set([200]));
});
