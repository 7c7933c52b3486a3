import { createHash } from 'node:crypto';
import request, { type Test } from 'supertest';
import { RIGHTS } from '../../src/domain/rights';
import { testApp } from './test-app';

const KEY = 'correct-horse-battery-staple';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const apiKeys = [
  { name: 'other', sha256: sha256('another key'), rights: RIGHTS },
  { name: 'ops', sha256: sha256(KEY), rights: RIGHTS },
  // What a careless `printf "$UNSET" | sha256sum` leaves: it must open nothing.
  { name: 'empty', sha256: sha256(''), rights: RIGHTS },
];

test.each([
  ['a bearer token', { Authorization: `Bearer ${KEY}` }],
  ['a bearer token, the scheme in lower case', { Authorization: `bearer ${KEY}` }],
  ['x-api-key', { 'X-Api-Key': KEY }],
  ['x-api-key beside the credentials of a proxy', { Authorization: 'Basic eDp5', 'X-Api-Key': KEY }],
])('The key is taken as %s.', async (_title, headers) => {
  const { app } = testApp({ apiKeys });
  await request(app).get('/v1/status').set(headers).expect(200);
});

test.each([
  ['nothing', {}],
  ['another key', { Authorization: 'Bearer wrong' }],
  ['the digest of a key', { Authorization: `Bearer ${sha256(KEY)}` }],
  ['an empty token', { Authorization: 'Bearer ' }],
  ['an empty x-api-key', { 'X-Api-Key': '' }],
  ['Basic', { Authorization: `Basic ${KEY}` }],
])('With %s everything under /v1 is 401, and the batcher is not asked.', async (_title, headers) => {
  const { app, batcher } = testApp({ apiKeys });
  for (const path of ['/v1/status', '/v1/batches', '/v1/requests/r1', '/v1/unknown']) {
    const response = await request(app).get(path).set(headers);
    expect([response.status, response.body.code]).toEqual([401, 'unauthorized']);
    expect(response.headers['www-authenticate']).toBe('Bearer realm="keepapart"');
  }
  await request(app).post('/v1/records').set(headers).send([1]).expect(401);
  expect(batcher.calls).toEqual([]);
  expect(batcher.accepted).toEqual([]);
});

test('The key is asked for before anything of the body is looked at.', async () => {
  const { app } = testApp({ apiKeys });
  await request(app).post('/v1/records').type('text').send('x'.repeat(50_000)).expect(401);
});

test('Probes, the dashboard’s page and the description stay open.', async () => {
  const { app } = testApp({ apiKeys });
  for (const path of ['/healthz', '/readyz', '/', '/openapi.json', '/docs'])
    await request(app).get(path).expect(200);
});

test('What is done by hand is done by the holder of the key, whatever the body claims.', async () => {
  const { app, batcher } = testApp({ apiKeys });
  const response = await request(app).post('/v1/pause').set('X-Api-Key', KEY).send({ by: 'the boss' });
  expect(response.body.by).toBe('ops');
  expect(batcher.calls).toEqual(['pause(ops)']);
});

/** Wherever a client may put its key, rightly or by mistake. */
const PLACES: [string, (sent: Test) => Test][] = [
  ['as it should', (sent) => sent.set('Authorization', `Bearer ${KEY}`)],
  ['in X-Api-Key', (sent) => sent.set('X-Api-Key', KEY)],
  ['without "Bearer"', (sent) => sent.set('Authorization', KEY)],
  ['in a header that is none of ours', (sent) => sent.set('X-Auth-Token', KEY)],
  ['in a cookie', (sent) => sent.set('Cookie', `key=${KEY}`)],
  [
    'as an Idempotency-Key that is none',
    (sent) => sent.set('X-Api-Key', KEY).set('Idempotency-Key', `${KEY} !`),
  ],
  ['in the query', (sent) => sent.set('X-Api-Key', KEY).query({ key: KEY, cursor: KEY })],
  ['in the body', (sent) => sent.set('X-Api-Key', KEY).send({ by: KEY, records: [KEY], [KEY]: KEY })],
  ['in a body that is no JSON', (sent) => sent.set('X-Api-Key', KEY).type('json').send(`{"${KEY}": ${KEY}`)],
  ['in a body of another type', (sent) => sent.set('X-Api-Key', KEY).type('text').send(KEY)],
];

test.each(PLACES)(
  'A key that is sent %s does not reach the log, whatever becomes of the request.',
  async (_where, put) => {
    const { app, batcher, logs } = testApp({ apiKeys });
    const sendAll = async () => {
      for (const path of ['/v1/records', '/v1/pause', '/v1/nothing', '/elsewhere'])
        await put(request(app).post(path));
      for (const path of ['/v1/batches', '/v1/status', '/']) await put(request(app).get(path));
    };
    await sendAll();
    batcher.failure = new Error('on our side');
    await sendAll();
    expect(logs.length).toBeGreaterThanOrEqual(14);
    expect(logs.join('')).not.toMatch(new RegExp(`${KEY}|${sha256(KEY)}|authorization|x-api-key`, 'i'));
  },
);

test('A key that is configured by anything but its SHA-256 is refused when the app is made.', () => {
  const withKey = () => testApp({ apiKeys: [{ name: 'ops', sha256: KEY, rights: RIGHTS }] });
  expect(withKey).toThrow(expect.objectContaining({ code: 'invalid-config' }));
  expect(withKey).not.toThrow(KEY);
});

test('The log has whose key it was and where a request came from, and never the key.', async () => {
  const { app, logs } = testApp({
    apiKeys: [{ name: 'shop', sha256: sha256('s3cret-key'), rights: RIGHTS }],
  });
  await request(app).get('/v1/status').set('X-Api-Key', 's3cret-key').expect(200);
  const lines = logs.filter((line) => line.includes('request completed')).map((line) => JSON.parse(line));
  expect(lines).toEqual([
    expect.objectContaining({
      key: 'shop',
      req: expect.objectContaining({ address: expect.stringContaining('127.0.0.1') }),
    }),
  ]);
  expect(logs.join('')).not.toContain('s3cret-key');
});

test('A flood of requests without a key in force is one line in the log, with their number.', async () => {
  jest.spyOn(performance, 'now').mockReturnValue(1_000_000);
  const { app, logs } = testApp({
    apiKeys: [{ name: 'shop', sha256: sha256('s3cret-key'), rights: RIGHTS }],
  });
  const levels = () => logs.map((line) => JSON.parse(line)).filter(({ level }) => level >= 30);
  for (let i = 0; i < 30; i++) {
    const { status } = await request(app).get('/v1/status').set('X-Api-Key', `guess ${i}`);
    expect([401, 429]).toContain(status);
  }
  expect(levels()).toEqual([expect.objectContaining({ level: 40, refused: 1 })]);
  jest.restoreAllMocks();
});

test('An address that sends too many requests without a key in force gets 429 and loses its connection; a key in force is never affected.', async () => {
  const { app } = testApp({ apiKeys });
  const answers = await Promise.all(
    Array.from({ length: 300 }, () => request(app).get('/v1/status').set('X-Api-Key', 'wrong')),
  );
  const limited = answers.filter(({ status }) => status === 429);
  expect(answers.filter(({ status }) => status === 401).length).toBeGreaterThanOrEqual(100);
  expect(limited.length).toBeGreaterThan(0);
  for (const { body, headers } of limited) {
    expect(body).toMatchObject({ code: 'rate-limited', detail: expect.stringContaining('without a key') });
    expect(headers).toMatchObject({ connection: 'close', 'retry-after': expect.stringMatching(/^\d+$/) });
  }
  await request(app).get('/v1/status').set('X-Api-Key', KEY).expect(200);
});
