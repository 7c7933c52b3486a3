import { createHash } from 'node:crypto';
import request from 'supertest';
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

test('Probes and the index stay open.', async () => {
  const { app } = testApp({ apiKeys });
  for (const path of ['/healthz', '/readyz', '/']) await request(app).get(path).expect(200);
});

test('What is done by hand is done by the holder of the key, whatever the body claims.', async () => {
  const { app, batcher } = testApp({ apiKeys });
  const response = await request(app).post('/v1/pause').set('X-Api-Key', KEY).send({ by: 'the boss' });
  expect(response.body.by).toBe('ops');
  expect(batcher.calls).toEqual(['pause(ops)']);
});

test('No key reaches the log, neither a right nor a wrong one.', async () => {
  const { app, logs } = testApp({ apiKeys });
  await request(app).get('/v1/status').set('Authorization', `Bearer ${KEY}`);
  await request(app).get('/v1/status').set('X-Api-Key', KEY);
  await request(app).get('/v1/status').set('X-Api-Key', 'almost-right');
  await request(app).get(`/v1/status?key=${KEY}`);
  expect(logs.length).toBeGreaterThan(0);
  expect(logs.join('')).not.toMatch(new RegExp(`${KEY}|almost-right|authorization|x-api-key`, 'i'));
});

test('A key that is configured by anything but its SHA-256 is refused when the app is made.', () => {
  const withKey = () => testApp({ apiKeys: [{ name: 'ops', sha256: KEY, rights: RIGHTS }] });
  expect(withKey).toThrow(expect.objectContaining({ code: 'invalid-config' }));
  expect(withKey).not.toThrow(KEY);
});
