import { once } from 'node:events';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import request from 'supertest';
import { KeepapartError } from '../../src/domain/errors';
import type { JsonValue } from '../../src/domain/json';
import { waitFor } from '../helpers/wait-for';
import { testApp, type Problem, type TestApp } from './test-app';

const NDJSON = 'application/x-ndjson';
type StreamProblem = Problem & { requestId: string; accepted: number };

function send({ app }: TestApp, body: string | Buffer, headers: Record<string, string> = {}) {
  return request(app)
    .post('/v1/records')
    .set('content-type', NDJSON)
    .set(headers)
    .serialize((sent) => sent as string)
    .send(body as string);
}

test('Each line is a record; the answer, at the end, has counts alone.', async () => {
  const test = testApp();
  const response = await send(test, '1\n{"a": 2}\r\n\n  \n"drei"');
  expect(response.status).toBe(202);
  expect(response.body).toEqual({ requestId: 'r1', accepted: 3 });
  expect(response.headers['location']).toBe('/v1/requests/r1');
  expect(test.batcher.accepted).toEqual([{ requestId: 'r1', values: [1, { a: 2 }, 'drei'] }]);
  expect(test.batcher.onceOnly).toEqual([]);
});

test('The Idempotency-Key is the requestId, and the stream is taken once under it (G5).', async () => {
  const test = testApp();
  const response = await send(test, '1\n', { 'idempotency-key': 'import-7' });
  expect(response.body).toEqual({ requestId: 'import-7', accepted: 1 });
  expect(test.batcher.onceOnly).toEqual(['import-7']);
});

test('A body may be compressed, and larger than a list may be.', async () => {
  const test = testApp();
  const values = Array.from({ length: 20_000 }, (_, i) => i);
  const response = await send(test, gzipSync(values.join('\n')), { 'content-encoding': 'gzip' });
  expect(response.body).toEqual({ requestId: 'r1', accepted: 20_000 });
  expect(test.batcher.accepted[0]!.values).toEqual(values);
});

test('A client that asks for it is told while it sends how many records are durable, and no other client is.', async () => {
  const test = testApp();
  const server = createServer(test.app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const open = (headers: Record<string, string>) => {
    const reported: unknown[] = [];
    const req = httpRequest({
      port,
      method: 'POST',
      path: '/v1/records',
      headers: { 'content-type': NDJSON, ...headers },
    });
    req.on('information', (info) => reported.push([info.statusCode, info.headers['keepapart-accepted']]));
    const status = once(req, 'response').then(([response]) => {
      (response as NodeJS.ReadableStream).resume();
      return (response as { statusCode: number }).statusCode;
    });
    return { req, reported, status };
  };
  const asking = open({ 'keepapart-progress': '1' });
  const other = open({});
  for (const { req } of [asking, other]) req.write('1\n2\n');
  await waitFor('a report', () => asking.reported.length > 0);
  for (const { req } of [asking, other]) req.write('3\n');
  await waitFor('another report', () => asking.reported.length > 1);
  for (const { req } of [asking, other]) req.end('4\n');
  expect(await Promise.all([asking.status, other.status])).toEqual([202, 202]);
  expect([asking.reported, other.reported]).toEqual([
    [
      [103, '2'],
      [103, '3'],
    ],
    [],
  ]);
  server.close();
});

test('However the bytes are cut on their way, the records are those of the lines.', async () => {
  const anyValue = fc.oneof(
    fc.constantFrom<JsonValue>(null, true, 'é€😀', '\u2028', { 'a\nb': ['\n'] }),
    fc.integer(),
    fc.string({ maxLength: 20 }),
  );
  const test = testApp();
  const server = createServer(test.app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyValue, { minLength: 1, maxLength: 20 }),
      fc.array(fc.nat(400), { maxLength: 8 }),
      fc.constantFrom('\n', '\r\n', '\n\n'),
      async (values, cuts, lineEnd) => {
        const body = Buffer.from(values.map((value) => JSON.stringify(value)).join(lineEnd));
        const places = [0, ...cuts.map((cut) => cut % body.length).sort((a, b) => a - b), body.length];
        const req = httpRequest({
          port,
          method: 'POST',
          path: '/v1/records',
          headers: { 'content-type': NDJSON },
        });
        for (const [i, place] of places.entries()) {
          req.write(body.subarray(place, places[i + 1]));
          await turn();
        }
        req.end();
        const [response] = (await once(req, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
        response.resume();
        await once(response, 'end');
        expect(response.statusCode).toBe(202);
        expect(test.batcher.accepted.at(-1)!.values).toEqual(JSON.parse(JSON.stringify(values)));
      },
    ),
    { numRuns: 60 },
  );
  await closed(server);
});

test.each<[string, string | Buffer, number, string, object[]]>([
  ['no record at all', '\n\n', 422, 'invalid-request', [{ field: '' }]],
  ['a line that is not JSON', '1\n2\n{oops\n4', 400, 'invalid-json', []],
  [
    'a list',
    '1\n2\n[3]\n4',
    422,
    'invalid-request',
    [{ field: 'line 3', expected: 'a record that is not itself a list' }],
  ],
  [
    'a number that would be rounded',
    '1\n2\n{"a":[9007199254740993]}',
    422,
    'invalid-request',
    [{ field: 'line 3/a/0' }],
  ],
  ['a key that occurs twice', '1\n2\n{"a":1,"a":2}', 422, 'invalid-request', [{ field: 'line 3/a' }]],
  [
    'a record that is too large',
    `1\n2\n{"a":[${Array(100).fill('1e20').join()}]}`,
    422,
    'invalid-request',
    [{ field: 'line 3' }],
  ],
  ['a line that is too long', `1\n2\n"${'x'.repeat(3000)}"`, 413, 'request-too-large', []],
  ['a line that is too long and never ends', `1\n2\n"${'x'.repeat(30_000)}`, 413, 'request-too-large', []],
  ['what is not UTF-8', Buffer.from([0x31, 0x0a, 0x32, 0x0a, 0xff]), 400, 'invalid-json', []],
])(
  '%s is refused, saying which line and how many records before it are durable.',
  async (title, body, status, code, problems) => {
    const test = testApp();
    const response = await send(test, body);
    const problem = response.body as StreamProblem;
    expect(response.status).toBe(status);
    expect(problem).toMatchObject({ code, requestId: 'r1', accepted: title.startsWith('no record') ? 0 : 2 });
    if (!title.startsWith('no record')) expect(problem.detail).toMatch(/^line 3|^Line 3/);
    expect(problem.problems ?? []).toMatchObject(problems);
    expect(test.batcher.accepted[0]!.values).toEqual(problem.accepted === 0 ? [] : [1, 2]);
  },
);

test.each(['latin1', 'utf-16'])('The charset %s is refused: JSON is UTF-8.', async (charset) => {
  const test = testApp();
  const response = await send(test, '1', { 'content-type': `${NDJSON}; charset=${charset}` });
  expect(response.status).toBe(415);
  expect(test.batcher.accepted).toEqual([]);
});

test('An encoding that is not known is refused, and nothing is taken.', async () => {
  const test = testApp();
  const response = await send(test, '1', { 'content-encoding': 'zstd' });
  expect(response.status).toBe(415);
  expect(test.batcher.accepted[0]?.values ?? []).toEqual([]);
});

test('What the batcher refuses in the middle is answered with how much is durable, and when to come back.', async () => {
  const test = testApp();
  const server = createServer(test.app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const req = httpRequest({ port, method: 'POST', path: '/v1/records', headers: { 'content-type': NDJSON } });
  const answered = once(req, 'response');
  req.write('1\n2\n');
  await waitFor('two records', () => Promise.resolve(test.batcher.accepted[0]?.values.length === 2));
  test.batcher.failure = new KeepapartError('buffer-full', 'full', { retryAfterMs: 7000 });
  // The client still sends: it must be able to read the answer all the same.
  req.write('3\n4\n');
  const [response] = (await answered) as [
    NodeJS.ReadableStream & { statusCode: number; headers: Record<string, string> },
  ];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  expect(response.statusCode).toBe(429);
  expect(response.headers['retry-after']).toBe('7');
  expect(JSON.parse(text)).toMatchObject({ code: 'buffer-full', requestId: 'r1', accepted: 2 });
  req.destroy();
  await closed(server);
});

test('A stream that is under way when the process is to stop ends with 503 and what is durable.', async () => {
  const test = testApp();
  const server = createServer(test.app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const req = httpRequest({ port, method: 'POST', path: '/v1/records', headers: { 'content-type': NDJSON } });
  const answered = once(req, 'response');
  req.write('1\n');
  await waitFor('a record', () => Promise.resolve(test.batcher.accepted[0]?.values.length === 1));
  test.drain.on = true;
  req.write('2\n');
  const [response] = (await answered) as [NodeJS.ReadableStream & { statusCode: number }];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  expect(response.statusCode).toBe(503);
  expect(JSON.parse(text)).toMatchObject({ code: 'not-ready', accepted: 1 });
  req.destroy();
  await closed(server);
});

test('A client that goes silent is told so, with what is durable.', async () => {
  const test = testApp({ streamIdleMs: 100 });
  const server = createServer(test.app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.write(
    `POST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${NDJSON}\r\nContent-Length: 100\r\n\r\n1\n2\n3`,
  );
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  await waitFor('the answer', () => Promise.resolve(answer.endsWith('}')));
  expect(answer).toContain('408 Request Timeout');
  expect(answer).toContain('"accepted":2');
  socket.destroy();
  await closed(server);
});

test('Of a client that vanishes, nothing behind its last whole line is taken.', async () => {
  const test = testApp();
  const server = createServer(test.app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.write(
    `POST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${NDJSON}\r\nContent-Length: 100\r\n\r\n1\n2\n34`,
  );
  await waitFor('two records', () => Promise.resolve(test.batcher.accepted[0]?.values.length === 2));
  socket.destroy();
  await waitFor('the end of the request', () =>
    Promise.resolve(test.logs.some((line) => line.includes('request completed') || line.includes('aborted'))),
  );
  await closed(server);
  expect(test.batcher.accepted[0]!.values).toEqual([1, 2]);
});

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}
