import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import request from 'supertest';
import { KeepapartError } from '../../src/domain/errors';
import { testApp } from './test-app';
import type { Problem } from './test-app';

const CONTROLS = ['/v1/flush', '/v1/pause', '/v1/resume', '/v1/drain', '/v1/dead-letters/redrive'];
const WRITES = ['/v1/records', ...CONTROLS];
const READS = [
  '/',
  '/healthz',
  '/readyz',
  '/openapi.json',
  '/docs',
  '/docs/swagger-ui.css',
  '/v1/status',
  '/v1/batches',
  '/v1/batches/b',
  '/v1/requests/r',
  '/v1/dead-letters',
];

test('Every error is problem details whose type, status and title are those of the catalogue.', async () => {
  const { app } = testApp();
  const response = await request(app).get('/nowhere').set('X-Request-Id', 'abc-1');
  expect(response.status).toBe(404);
  expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(response.body as Problem).toEqual({
    type: 'urn:keepapart:error:not-found',
    title: 'Not found',
    status: 404,
    detail: 'There is nothing at /nowhere',
    instance: 'urn:keepapart:http-request:abc-1',
    code: 'not-found',
  });
});

test.each([
  '/v1',
  '/v1/',
  '/v1/unknown',
  '/v1/records/1',
  '/v2/records',
  '/favicon.ico',
  '/healthz/x',
  '/%2e%2e',
])('An unknown path is 404: %s.', async (path) => {
  const { app } = testApp();
  const response = await request(app).get(path);
  expect([response.status, response.body.code]).toEqual([404, 'not-found']);
});

test.each(['/%', '/v1/requests/%zz', '/v1/batches/%E0%A4', '/%ff'])(
  'A path that can not be decoded is 404, never 500: %s.',
  async (path) => {
    const { app } = testApp();
    const response = await request(app).get(path);
    expect([response.status, response.body.code]).toEqual([404, 'not-found']);
  },
);

test.each(WRITES)('%s takes POST alone.', async (path) => {
  const { app } = testApp();
  for (const method of ['get', 'put', 'patch', 'delete', 'options'] as const) {
    const response = await request(app)[method](path);
    expect([response.status, response.headers['allow']]).toEqual([405, 'POST']);
    expect(response.body).toMatchObject({ code: 'method-not-allowed', detail: `${path} takes POST` });
  }
});

test.each(READS)('%s takes GET and HEAD alone.', async (path) => {
  const { app } = testApp();
  const response = await request(app).post(path).send([1]);
  expect([response.status, response.headers['allow']]).toEqual([405, 'GET, HEAD']);
});

test('An error that is not of the catalogue tells the client nothing but where to look.', async () => {
  const { app, batcher, logs } = testApp();
  batcher.failure = Object.assign(new Error('connect ECONNREFUSED db.internal:5432'), {
    password: 'hunter2',
  });
  const response = await request(app).post('/v1/records').send([1]);
  expect([response.status, response.body.code]).toEqual([500, 'internal']);
  expect(response.text).not.toMatch(/ECONNREFUSED|internal:5432|hunter2|\bat .*\.ts/);
  const logged = logs.find((line) => line.includes('ECONNREFUSED'));
  expect(logged).toContain(response.headers['x-request-id']);
  expect(logged).toContain('stack');
});

test.each([
  ['a text', 'oops'],
  ['an object', { status: 418, message: 'secret' }],
  ['an error that is for operators', new KeepapartError('invalid-config', 'secret')],
  ['null', null],
])('%s thrown by the batcher is 500 internal.', async (_title, failure) => {
  const { app, batcher } = testApp();
  batcher.failure = failure as Error;
  const response = await request(app).get('/v1/status');
  expect([response.status, response.body.code]).toEqual([500, 'internal']);
  expect(response.text).not.toMatch(/oops|secret/);
});

test('A request keeps the sane id that it came with, and gets a new one instead of any other.', async () => {
  const { app } = testApp();
  const sane = await request(app).get('/healthz').set('X-Request-Id', 'trace-42.a_b');
  expect(sane.headers['x-request-id']).toBe('trace-42.a_b');
  for (const id of ['', 'a b', '"}', '<script>', 'x'.repeat(65), '-flag']) {
    const response = await request(app).get('/healthz').set('X-Request-Id', id);
    expect(response.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test('A line is logged for each request; probes at debug, and never what records hold.', async () => {
  const { app, logs } = testApp();
  await request(app).post('/v1/records').send(['s3cret-content']);
  await request(app)
    .post('/v1/records')
    .send([['s3cret-content']]);
  await request(app).post('/v1/records').type('json').send('[s3cret-content');
  await request(app).get('/healthz');
  const lines = logs.map(
    (line) => JSON.parse(line) as { level: number; req: { path: string }; res?: object },
  );
  const completed = lines.filter((line) => line.res);
  expect(completed.map(({ level, req, res }) => [level, req.path, res])).toEqual([
    [30, '/v1/records', { statusCode: 202 }],
    [30, '/v1/records', { statusCode: 422 }],
    [30, '/v1/records', { statusCode: 400 }],
    [20, '/healthz', { statusCode: 200 }],
  ]);
  expect(logs.join('')).not.toContain('s3cret');
});

test('An unreachable Temporal is logged as a warning, with its cause.', async () => {
  const { app, batcher, logs } = testApp();
  const cause = new Error('14 UNAVAILABLE');
  batcher.failure = new KeepapartError('temporal-unavailable', 'Nothing answers at 10.1.2.3', { cause });
  const response = await request(app).get('/v1/status').expect(503);
  expect(response.text).not.toMatch(/10\.1\.2\.3|UNAVAILABLE/);
  expect(logs.find((line) => line.includes('14 UNAVAILABLE'))).toContain('"level":40');
});

test('Answers carry the headers that keep browsers careful, and none that tells what runs here.', async () => {
  const { app } = testApp();
  for (const path of ['/v1/status', '/nowhere', '/']) {
    const { headers } = await request(app).get(path).set('Origin', 'https://elsewhere.example');
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers['etag']).toBeUndefined();
    expect(headers['access-control-allow-origin']).toBeUndefined();
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['cache-control']).toBe('no-store');
  }
});

test('The process is healthy whatever Temporal does, and ready when Temporal answers.', async () => {
  const { app, batcher } = testApp();
  expect((await request(app).get('/healthz')).body).toEqual({ status: 'ok' });
  expect((await request(app).get('/readyz')).body).toEqual({ status: 'ready' });
  const { app: other, batcher: itsBatcher } = testApp();
  itsBatcher.failure = new KeepapartError('temporal-unavailable', 'No answer');
  await request(other).get('/healthz').expect(200);
  const response = await request(other).get('/readyz');
  expect([response.status, response.body.code]).toEqual([503, 'temporal-unavailable']);
  expect(batcher.calls).toEqual(['checkReady()']);
});

test('However many ask at once whether it is ready, Temporal is asked once a second at most.', async () => {
  let nowMs = 1_000_000;
  jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  const { app, batcher } = testApp();
  const ask = () => Promise.all(Array.from({ length: 20 }, () => request(app).get('/readyz').expect(200)));
  await ask();
  nowMs += 999;
  await ask();
  expect(batcher.calls).toEqual(['checkReady()']);
  nowMs += 1;
  await ask();
  expect(batcher.calls).toEqual(['checkReady()', 'checkReady()']);
  jest.restoreAllMocks();
});

describe('While draining', () => {
  test.each(WRITES)('%s takes nothing: 503, Retry-After, and the connection is closed.', async (path) => {
    const { app, batcher, drain } = testApp();
    drain.on = true;
    const response = await request(app).post(path).send([1]);
    expect([response.status, response.body.code]).toEqual([503, 'not-ready']);
    expect(response.body.type).toBe('urn:keepapart:error:not-ready');
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
    expect(response.headers['connection']).toBe('close');
    expect([...batcher.accepted, ...batcher.calls]).toEqual([]);
  });

  test('what is there can still be read, and the process is alive but not ready.', async () => {
    const { app, drain } = testApp();
    drain.on = true;
    await request(app).get('/v1/status').expect(200).expect('Connection', 'close');
    await request(app).get('/healthz').expect(200);
    const response = await request(app).get('/readyz');
    expect([response.status, response.body.code]).toEqual([503, 'not-ready']);
  });
});

describe('The dashboard', () => {
  const assets = mkdtempSync(path.join(tmpdir(), 'keepapart-ui-'));
  writeFileSync(path.join(assets, 'index.html'), '<html><head></head><body></body></html>');
  writeFileSync(path.join(assets, 'app-1A2B.js'), 'export {}');
  afterAll(() => rmSync(assets, { recursive: true, force: true }));

  test('is a page that may load what comes from here, and run nothing that it holds itself.', async () => {
    const { app } = testApp({ uiAssets: assets });
    const response = await request(app).get('/').expect(200);
    expect(response.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
      ].join('; '),
    });
  });

  test('is told whether keys are needed and where the Web UI is, as text that can end no attribute.', async () => {
    const webUiUrl = 'http://127.0.0.1:8233/?a=1&b="><script>2';
    const apiKeys = [{ name: 'ops', sha256: 'a'.repeat(64), rights: ['read'] as const }];
    const { text } = await request(testApp({ uiAssets: assets, webUiUrl, apiKeys }).app).get('/');
    expect(text).toContain('<meta name="keepapart-keys" content="required">');
    expect(text).toContain('content="http://127.0.0.1:8233/?a=1&#38;b=&#34;&#62;&#60;script&#62;2"');
    expect((await request(testApp({ uiAssets: assets }).app).get('/')).text).toContain('content="none"');
  });

  test('loads files that browsers keep for ever, and no others.', async () => {
    const { app } = testApp({ uiAssets: assets });
    const script = await request(app).get('/ui/app-1A2B.js').expect(200);
    expect(script.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    for (const name of [
      'index.html',
      'app-0000.js',
      '..%2findex.html',
      '%2e%2e%2fpackage.json',
      '__proto__',
    ]) {
      const response = await request(app).get(`/ui/${name}`);
      expect([name, response.status, response.body.code]).toEqual([name, 404, 'not-found']);
    }
  });

  test('comes with a description of the API, which no cache keeps.', async () => {
    const { app } = testApp();
    const description = await request(app).get('/openapi.json').set('If-None-Match', '*').expect(200);
    expect(description.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    });
  });
});
