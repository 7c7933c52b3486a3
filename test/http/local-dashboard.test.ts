import { createHash } from 'node:crypto';
import request from 'supertest';
import { KeepapartClient } from '../../src/client';
import { listen, type Listening } from '../../src/http/listen';
import { startLocalDashboard } from '../../src/http/local-dashboard';
import { testApp, type TestApp } from './test-app';

const KEY = 'of-somebody';
let system: TestApp;
let api: Listening;
let dashboard: Awaited<ReturnType<typeof startLocalDashboard>>;

beforeEach(async () => {
  const sha256 = createHash('sha256').update(KEY).digest('hex');
  system = testApp({ apiKeys: [{ name: 'Ann', sha256, rights: ['read', 'operate'] }] });
  api = await listen(system.app, { host: '127.0.0.1', port: 0 });
  dashboard = await startLocalDashboard({
    ...{ apiUrl: api.url, needsKey: true, port: 0, version: '1.2.3', uiAssets: 'dist/ui' },
  });
});
afterEach(async () => {
  await dashboard.close();
  await api.close({ graceMs: 0 });
});
const local = () => request(dashboard.url.replace(/\/$/, ''));

test('The page comes from here and asks for a key; its calls, events among them, are handed on with it.', async () => {
  const page = await local().get('/').expect(200);
  expect(page.text).toContain('<meta name="keepapart-keys" content="required">');
  expect(page.headers['content-security-policy']).toContain("default-src 'none'");
  await local().get('/v1/status').expect(401);
  const client = new KeepapartClient({ url: dashboard.url, apiKey: KEY });
  expect(await client.status()).toEqual(system.batcher.statusView);
  for await (const { event } of client.events()) {
    expect(event).toBe('picture');
    break;
  }
  await local()
    .post('/v1/pause')
    .set('Authorization', `Bearer ${KEY}`)
    .set('Sec-Fetch-Site', 'same-origin')
    .expect(202);
  expect(system.batcher.calls).toContain('pause(Ann)');
});

test('A page of another origin, another host and what is no part of the API are refused (G11).', async () => {
  const pause = local().post('/v1/pause').set('Authorization', `Bearer ${KEY}`);
  expect((await pause.set('Sec-Fetch-Site', 'cross-site').expect(403)).body.code).toBe('cross-origin');
  await local().get('/v1/status').set('Host', 'rebound.example').expect(421);
  await local().get('/metrics').expect(404);
  expect(system.batcher.calls).toEqual([]);
});

test('When the API can not be reached, the page gets a problem that says so.', async () => {
  await api.close({ graceMs: 0 });
  const refused = await local().get('/v1/status').expect(503);
  expect(refused.body).toMatchObject({
    code: 'temporal-unavailable',
    detail: expect.stringContaining(api.url),
  });
});
