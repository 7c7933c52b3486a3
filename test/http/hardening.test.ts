import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import request from 'supertest';
import { listen, type Listening } from '../../src/http/listen';
import { sendRaw } from '../helpers/raw-http';
import { waitFor } from '../helpers/wait-for';
import { testApp, type TestApp } from './test-app';

let edge: TestApp;
let api: Listening;
beforeEach(async () => {
  edge = testApp({ allowedHosts: ['api.example'] });
  api = await listen(edge.app, { host: '127.0.0.1', port: 0 });
});
afterEach(() => api.close({ graceMs: 0 }));

const accepted = () => edge.batcher.accepted.map(({ values }) => values);
const raw = (message: string | Uint8Array, options?: { halfClose: boolean }) =>
  sendRaw(api.port, message, options);
const LAST = 'Host: localhost\r\nConnection: close\r\n';

test.each(['/v1/status', '/nowhere', '/v1/records', '/healthz'])(
  'The answer at %s has the headers that keep browsers careful, and is not to be loaded or framed.',
  async (path) => {
    const { headers } = await request(edge.app).get(path);
    expect(headers).toMatchObject({
      'content-security-policy':
        "default-src 'none';frame-ancestors 'none';base-uri 'none';form-action 'none'",
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
    });
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['server', 'x-powered-by']));
  },
);

describe('Pages of other origins', () => {
  const PAGE = 'https://elsewhere.example';
  const WRITES = ['records', 'flush', 'pause', 'resume', 'drain', 'dead-letters/redrive'];

  test.each(WRITES)('may not call /v1/%s: a preflight is granted nothing.', async (path) => {
    const preflight = await request(edge.app).options(`/v1/${path}`).set({
      Origin: PAGE,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'content-type,authorization',
    });
    expect(preflight.status).toBe(405);
    expect(Object.keys(preflight.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });

  test.each([
    { Origin: PAGE },
    { Origin: 'null' },
    { Origin: 'http://api.example:1' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { 'Sec-Fetch-Site': 'cross-site', Origin: 'http://api.example' },
  ])('can not have a browser send what needs no preflight: %j.', async (headers) => {
    for (const path of WRITES) {
      const sent = request(edge.app)
        .post(`/v1/${path}`)
        .set({ Host: 'api.example', ...headers });
      const response = await sent;
      expect([response.status, response.body.code]).toEqual([403, 'cross-origin']);
    }
    expect([...accepted(), ...edge.batcher.calls]).toEqual([]);
  });

  test.each([
    {},
    { Origin: 'http://api.example' },
    { Origin: 'https://api.example' },
    { 'Sec-Fetch-Site': 'same-origin', Origin: 'https://api.example' },
    { 'Sec-Fetch-Site': 'none' },
  ])('are not meant by %j: that is our own page, or no browser.', async (headers) => {
    await request(edge.app)
      .post('/v1/pause')
      .set({ Host: 'api.example', ...headers })
      .expect(202);
  });

  test('may link to what is only read.', async () => {
    await request(edge.app).get('/v1/status').set('Sec-Fetch-Site', 'cross-site').expect(200);
  });
});

describe('A host name that is not ours', () => {
  test.each([
    'elsewhere.example',
    'api.example.elsewhere.example',
    'localhost.example',
    '127.0.0.1.nip.io',
    'api,b',
    '',
  ])('is answered with 421 everywhere, and nothing is done: %j.', async (host) => {
    for (const path of ['/', '/docs', '/openapi.json', '/healthz', '/v1/status', '/v1/requests/r']) {
      const [answer] = await raw(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      expect([answer?.status, JSON.parse(answer?.body ?? '')]).toMatchObject([421, { code: 'unknown-host' }]);
    }
    const sent = `POST /v1/pause HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    expect((await raw(sent))[0]?.status).toBe(421);
    expect(edge.batcher.calls).toEqual([]);
  });

  test.each([
    ...[
      '127.0.0.1',
      '127.0.0.1:3000',
      '[::1]',
      '[::1]:3000',
      '10.1.2.3',
      'localhost:1',
      'LOCALHOST',
      'a.localhost',
    ],
    ...['api.example', 'API.example:8080'],
  ])('is not one of these: %s.', async (host) => {
    const [answer] = await raw(`GET /v1/status HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(answer?.status).toBe(200);
  });

  test.each(['http://elsewhere.example', 'http://localhost@elsewhere.example:3000'])(
    'is refused in the target as well, whatever the header says: %s.',
    async (target) => {
      for (const [method, path] of [
        ['GET', '/v1/status'],
        ['POST', '/v1/pause'],
      ]) {
        const [answer] = await raw(`${method} ${target}${path} HTTP/1.1\r\n${LAST}\r\n`, {
          halfClose: false,
        });
        expect(answer?.status).toBe(421);
      }
      expect(edge.batcher.calls).toEqual([]);
    },
  );

  test('does not count in the header where the target has one that is ours.', async () => {
    const header = 'Host: elsewhere.example\r\nConnection: close\r\n';
    const [answer] = await raw(`GET http://127.0.0.1:3000/v1/status HTTP/1.1\r\n${header}\r\n`);
    expect(answer?.status).toBe(200);
    const page = `${header}Origin: http://elsewhere.example\r\n`;
    const [refused] = await raw(`POST http://127.0.0.1:3000/v1/pause HTTP/1.1\r\n${page}\r\n`);
    expect(JSON.parse(refused?.body ?? '{}')).toMatchObject({ code: 'cross-origin' });
  });

  test('does not matter where callers need a key.', async () => {
    const { app } = testApp({ apiKeys: [{ name: 'ops', sha256: 'a'.repeat(64), rights: ['read'] }] });
    await request(app).get('/healthz').set('Host', 'elsewhere.example').expect(200);
    await request(app).get('/v1/status').set('Host', 'elsewhere.example').expect(401);
  });
});

test.each(['identity', 'gzip'])(
  'What is too large (%s) is read to its end all the same: the next request on the connection is answered.',
  async (encoding) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const post = async (body: Uint8Array | string, headers: Record<string, string> = {}) => {
      const options = { agent, port: api.port, method: 'POST', path: '/v1/records' };
      const sent = httpRequest({ ...options, headers: { 'Content-Type': 'application/json', ...headers } });
      sent.end(body);
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      await text(response);
      return { status: response.statusCode, reused: sent.reusedSocket };
    };
    const noise = randomBytes(1_000_000).toString('base64');
    const large = encoding === 'gzip' ? gzipSync(noise) : noise;
    expect(await post(large, { 'Content-Encoding': encoding })).toEqual({ status: 413, reused: false });
    expect(await post('[1]')).toEqual({ status: 202, reused: true });
    agent.destroy();
  },
);

describe('A small body that inflates beyond the limit is 413, and nothing of it is taken:', () => {
  const plain = `[${'0,'.repeat(20_000_000)}0]`;
  const LINE_BOMB = gzipSync('0'.repeat(40_000_000));
  test.each([
    ['gzip', gzipSync(plain)],
    ['deflate', deflateSync(plain)],
    ['br', brotliCompressSync(plain, { params: { 1: 1 } })],
  ])('%s.', async (encoding, bomb) => {
    expect(bomb.length).toBeLessThan(50_000);
    const response = await request(edge.app)
      .post('/v1/records')
      .set({ 'Content-Type': 'application/json', 'Content-Encoding': encoding })
      .serialize((data) => data as string)
      .send(bomb);
    expect([response.status, response.body.code]).toEqual([413, 'request-too-large']);
    expect(accepted()).toEqual([]);
  });

  test('a line of a stream.', async () => {
    const [answer] = await raw(
      Buffer.concat([
        Buffer.from(`POST /v1/records HTTP/1.1\r\n${LAST}Content-Type: application/x-ndjson\r\n`),
        Buffer.from(`Content-Encoding: gzip\r\nContent-Length: ${LINE_BOMB.length}\r\n\r\n`),
        LINE_BOMB,
      ]),
      { halfClose: false },
    );
    expect([answer?.status, JSON.parse(answer?.body ?? '')]).toMatchObject([
      413,
      { code: 'request-too-large', detail: 'Line 1 is longer than 1000 bytes', accepted: 0 },
    ]);
    expect(accepted().flat()).toEqual([]);
  });

  test('what is compressed twice is not even tried.', async () => {
    const response = await request(edge.app)
      .post('/v1/records')
      .set({ 'Content-Type': 'application/json', 'Content-Encoding': 'gzip, gzip' })
      .serialize((data) => data as string)
      .send(gzipSync(gzipSync('[1]')));
    expect([response.status, response.body.code]).toEqual([415, 'unsupported-media-type']);
  });
});

test('A body without a type is 415.', async () => {
  const [answer] = await raw(`POST /v1/records HTTP/1.1\r\n${LAST}Content-Length: 3\r\n\r\n[1]`, {
    halfClose: false,
  });
  expect([answer?.status, accepted()]).toEqual([415, []]);
});

test('Keys that look like the insides of objects are data like any other, and change nothing.', async () => {
  const record = {
    constructor: { prototype: { admin: true } },
    toString: 1,
    hasOwnProperty: null,
    length: -1,
  };
  await request(edge.app).post('/v1/records').send([record]).expect(202);
  expect(accepted()).toEqual([[record]]);
  expect(({} as { admin?: boolean }).admin).toBeUndefined();
});

describe('A request target', () => {
  test.each([
    ['with a host in it is its path', 'GET http://elsewhere.example/healthz', 200],
    ['with a host in it leads past no key', 'GET http://elsewhere.example/v1/status', 401],
    ['in capitals leads past no key', 'GET /V1/STATUS', 401],
    ['with a slash at its end leads past no key', 'GET /v1/status/', 401],
    ['with a query leads past no key', 'GET /v1/status?/healthz', 401],
    ['with dots is not resolved', 'GET /healthz/../v1/status', 404],
    ['with encoded dots is not resolved', 'GET /healthz/%2e%2e/v1/status', 404],
    ['with two slashes is another one', 'GET //v1/status', 404],
    ['with an encoded slash is another one', 'GET /v1%2fstatus', 404],
    ['with a backslash is another one', 'GET /\\v1\\status', 404],
    ['with broken encoding is none', 'GET /v1/%zz', 401],
    ['in a fragment is none', 'GET /#/v1/status', 200],
    ['that is a star is none', 'OPTIONS *', 404],
  ])('%s: %s', async (_title, line, status) => {
    edge = testApp({ apiKeys: [{ name: 'k', sha256: 'a'.repeat(64), rights: ['read'] }] });
    const closed = await listen(edge.app, { host: '127.0.0.1', port: 0 });
    const [answer] = await sendRaw(closed.port, `${line} HTTP/1.1\r\n${LAST}\r\n`, { halfClose: false });
    await closed.close({ graceMs: 0 });
    expect(answer?.status).toBe(status);
    expect(edge.batcher.calls).toEqual([]);
  });

  test('of CONNECT is not answered: this is no proxy.', async () => {
    expect(await raw(`CONNECT elsewhere.example:443 HTTP/1.1\r\n${LAST}\r\n`)).toEqual([]);
  });
});

test('A body on GET is no list: it is passed over, and the next request is found behind it.', async () => {
  const body = 'Content-Type: application/json\r\nContent-Length: 3\r\n\r\n[1]';
  const answers = await raw(
    `GET /v1/status HTTP/1.1\r\nHost: localhost\r\n${body}GET /healthz HTTP/1.1\r\n${LAST}\r\n`,
    { halfClose: false },
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(accepted()).toEqual([]);
});

describe('A client that asks whether to go on', () => {
  const header = (expectation: string) =>
    `POST /v1/records HTTP/1.1\r\n${LAST}Content-Type: application/json\r\nContent-Length: 3\r\nExpect: ${expectation}\r\n\r\n`;

  test('is told to, and its list is taken once.', async () => {
    const answers = await raw(`${header('100-continue')}[1]`, { halfClose: false });
    expect(answers.map(({ status }) => status)).toEqual([100, 202]);
    expect(accepted()).toEqual([[1]]);
  });

  test('in words of its own is not refused for them.', async () => {
    const [answer] = await raw(`${header('a-miracle')}[1]`, { halfClose: false });
    expect([answer?.status, accepted()]).toEqual([202, [[1]]]);
  });
});

test.each([0, 1, 3, 6])('Of an upload of 7 bytes that ends after %d nothing is taken.', async (sent) => {
  const header = 'Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n';
  await raw(`POST /v1/records HTTP/1.1\r\n${header}${'[1,2,3]'.slice(0, sent)}`);
  await waitFor('the end of the request', () => edge.logs.length > 0);
  expect(accepted()).toEqual([]);
});

test('Slow clients, however many, keep nobody else waiting.', async () => {
  const slow = Array.from({ length: 50 }, (_, index) => {
    const socket = connect(api.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const half =
      'POST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n';
    socket.write(index % 2 === 0 ? half : `${half}\r\n[1`);
    return socket;
  });
  await Promise.all(slow.map((socket) => once(socket, 'connect')));
  const sent = httpRequest(`${api.url}/v1/records`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  });
  sent.end('[1]');
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  expect([response.statusCode, await text(response)]).toEqual([202, expect.any(String)]);
  for (const socket of slow) socket.destroy();
  expect(accepted()).toEqual([[1]]);
});
