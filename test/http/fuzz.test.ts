import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import {
  brotliCompressSync,
  brotliDecompressSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateSync,
} from 'node:zlib';
import fc from 'fast-check';
import { ERRORS, type ErrorCode } from '../../src/domain/errors';
import type { JsonValue } from '../../src/domain/json';
import { listen, type Listening } from '../../src/http/listen';
import { anyBody, mutated } from '../helpers/fuzz';
import { sendRaw } from '../helpers/raw-http';
import { testApp, type Problem } from './test-app';

/*
 * 6,000 requests a run, and 8,000 texts in test/edge/json-text.test.ts: whatever comes, it is answered, never with
 * a 500; every refusal is of the catalogue; and the batcher gets what was sent, for a 202, or nothing.
 */

const { app, batcher } = testApp();
const agent = new Agent({ keepAlive: true });
let api: Listening;

beforeAll(async () => {
  api = await listen(app, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  agent.destroy();
  await api.close({ graceMs: 0 });
});

interface Sent {
  method: string;
  path: string;
  headers: OutgoingHttpHeaders;
  body: Buffer | undefined;
}

interface Answer {
  status: number;
  type: string | undefined;
  body: string;
}

/** The answer, and the lists that the batcher got by it. */
async function call({ method, path, headers, body }: Sent): Promise<Answer & { taken: JsonValue[][] }> {
  batcher.accepted.splice(0);
  batcher.calls.splice(0);
  const sent = httpRequest({ host: '127.0.0.1', port: api.port, agent, method, path, headers });
  // Of methods that usually have no body, Node's client tells no length.
  if (body !== undefined) sent.setHeader('Content-Length', body.length);
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const text = String(await buffer(response));
  return {
    status: response.statusCode ?? 0,
    type: response.headers['content-type'],
    body: text,
    taken: batcher.accepted.map(({ values }) => asWritten(values)),
  };
}

function expectOfTheCatalogue({ status, type, body }: Answer): void {
  const problem = JSON.parse(body) as Problem;
  const entry: { title: string; status?: number } = ERRORS[problem.code as ErrorCode];
  expect(problem).toMatchObject({
    type: `urn:keepapart:error:${problem.code}`,
    title: entry.title,
    status,
    detail: expect.any(String),
  });
  expect(entry.status).toBe(status);
  expect(type).toBe('application/problem+json; charset=utf-8');
  expect(status).not.toBe(500);
}

const INFLATE: Partial<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
  identity: (bytes) => bytes,
};

/** What a body is without its encoding; undefined where it can't be decompressed to its end. */
function inflated({ headers, body = Buffer.alloc(0) }: Sent): Buffer | undefined {
  try {
    return INFLATE[String(headers['Content-Encoding'] ?? 'identity').toLowerCase()]?.(body);
  } catch {
    return undefined;
  }
}

/** The same JSON: -0 is 0 there, and not for `toEqual`. */
function asWritten<T extends JsonValue>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** The judge: JSON.parse, of nothing but valid UTF-8. */
function judged(bytes: Buffer | undefined): JsonValue {
  return asWritten(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as JsonValue);
}

/** The list that a body holds. */
function listIn(sent: Sent): JsonValue[] {
  const body = judged(inflated(sent)) as JsonValue[] | { records: JsonValue[] };
  return Array.isArray(body) ? body : body.records;
}

/** The records of a stream, line by line, up to the first line that is none. */
function linesIn(bytes: Buffer): { values: JsonValue[]; whole: boolean } {
  const values: JsonValue[] = [];
  try {
    for (let from = 0, to; from < bytes.length; from = to + 1) {
      const end = bytes.indexOf('\n', from);
      to = end === -1 ? bytes.length : end;
      const line = bytes.subarray(from, to);
      if (line.toString().trim() !== '') values.push(judged(line));
    }
  } catch {
    return { values, whole: false };
  }
  return { values, whole: true };
}

/** What was taken of a stream is what stands in its first lines; all of it only with 202. */
function expectStreamTakenOrRefused(sent: Sent, answer: Awaited<ReturnType<typeof call>>): void {
  const bytes = inflated(sent);
  const { values, whole } = linesIn(bytes ?? Buffer.alloc(0));
  const taken = answer.taken.flat();
  // Of a body that breaks off, nobody else says what came before.
  if (bytes !== undefined) expect(taken).toEqual(values.slice(0, taken.length));
  const { accepted = 0 } = JSON.parse(answer.body) as { accepted?: number };
  expect(accepted).toBe(taken.length);
  if (answer.status === 202)
    expect([bytes !== undefined && whole, taken.length]).toEqual([true, values.length]);
  else expectOfTheCatalogue(answer);
}

async function expectTakenAsSentOrRefused(sent: Sent): Promise<void> {
  const answer = await call(sent);
  if (sent.headers['Content-Type'] === 'application/x-ndjson') {
    expectStreamTakenOrRefused(sent, answer);
    return;
  }
  const isList = answer.status === 202 && /^\/v1\/records\/?(\?|$)/i.test(sent.path);
  if (isList) {
    const list = listIn(sent);
    expect(answer.taken).toEqual([list]);
    const { accepted, records } = JSON.parse(answer.body) as {
      accepted: number;
      records: { value: JsonValue }[];
    };
    expect([accepted, records.map(({ value }) => value)]).toEqual([list.length, list]);
    return;
  }
  expect(answer.taken).toEqual([]);
  // To HEAD there is an answer without a body.
  if (answer.status >= 400 && sent.method !== 'HEAD') expectOfTheCatalogue(answer);
  else expect([200, 202, 400, 403, 404, 405, 413, 415, 421, 422]).toContain(answer.status);
}

const JSON_TYPE = { 'Content-Type': 'application/json' };

test('Any body is taken as it was sent or refused whole (G9).', async () => {
  const sent = anyBody.map((body) => ({ method: 'POST', path: '/v1/records', headers: JSON_TYPE, body }));
  await fc.assert(fc.asyncProperty(sent, expectTakenAsSentOrRefused), { numRuns: 1500 });
});

test('Any body of any type and encoding, true or not, is taken as it was sent or refused whole.', async () => {
  const type = fc.oneof(
    { arbitrary: fc.constant('application/json'), weight: 4 },
    mutated(fc.constant('application/json; charset=utf-8'), [';', '=', '"', ',', 'charset', 'latin1']).map(
      printable,
    ),
    fc.constantFrom('', 'text/plain', 'application/x-ndjson', 'multipart/form-data; boundary=x'),
  );
  const compress = fc.constantFrom<[string, (bytes: Buffer) => Buffer]>(
    ['identity', (bytes) => bytes],
    ['gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['gzip', (bytes) => bytes],
    ['br', gzipSync],
    ['deflate', (bytes) => deflateSync(bytes).subarray(0, -3)],
    ['gzip, gzip', (bytes) => gzipSync(gzipSync(bytes))],
    ['zstd', (bytes) => bytes],
    ['', (bytes) => bytes],
  );
  const sent = fc.tuple(anyBody, type, compress).map(([body, contentType, [encoding, encode]]) => ({
    method: 'POST',
    path: '/v1/records',
    headers: { 'Content-Type': contentType, ...(encoding !== '' && { 'Content-Encoding': encoding }) },
    body: encode(body),
  }));
  await fc.assert(fc.asyncProperty(sent, expectTakenAsSentOrRefused), { numRuns: 1500 });
});

test('Any method, path, query and header is answered, and only a list that was sent as one is taken.', async () => {
  const segment = fc.oneof(
    fc.constantFrom(
      'v1',
      'records',
      'batches',
      'requests',
      'status',
      'flush',
      'drain',
      'dead-letters',
      'redrive',
    ),
    fc.constantFrom('healthz', '..', '.', '%', '%2f', '%00', '%ff', '', '__proto__', 'constructor', '*', ';'),
    fc.string({ unit: 'binary-ascii', maxLength: 10 }).map((part) => part.replace(/[^!-~]|[#?]/g, '')),
  );
  const route = fc.constantFrom(
    '/v1/records',
    '/v1/status',
    '/v1/batches',
    '/v1/dead-letters',
    '/v1/pause',
    '/v1/drain',
  );
  const path = fc.oneof(
    route,
    fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`),
    fc
      .tuple(route, segment, segment)
      .map(([start, name, value]) => `${start}?${name}=${value}&limit=${value}`),
  );
  const method = fc.constantFrom(
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'DELETE',
    'OPTIONS',
    'PATCH',
    'QUERY',
    'PROPFIND',
  );
  const name = fc.constantFrom(
    ...[
      'Accept',
      'Accept-Encoding',
      'Authorization',
      'Content-Encoding',
      'Content-Type',
      'Cookie',
      'Forwarded',
    ],
    ...[
      'Host',
      'Idempotency-Key',
      'If-None-Match',
      'Origin',
      'Range',
      'Sec-Fetch-Site',
      'Upgrade',
      'X-Api-Key',
    ],
    ...['X-Forwarded-For', 'X-HTTP-Method-Override', 'X-Request-Id', '__proto__', 'constructor', 'X'],
  );
  const value = fc.oneof(
    fc.constantFrom('', 'null', '*', 'a,b', 'application/json'),
    fc.string({ unit: 'binary' }),
  );
  const headers = fc.array(fc.tuple(name, value.map(printable)), { maxLength: 4 });
  const sent = fc
    .tuple(method, path, headers, fc.option(anyBody, { nil: undefined }), fc.boolean())
    .map(([verb, target, pairs, body, asJson]) => ({
      method: verb,
      path: target,
      headers: Object.fromEntries([...(asJson ? Object.entries(JSON_TYPE) : []), ...pairs]),
      body,
    }));
  const otherSpellings = ['//', '/docs/', '/OpenAPI.json/', '/v1/STATUS/', '/v1//status', '//v1/status'];
  await fc.assert(fc.asyncProperty(sent, expectTakenAsSentOrRefused), {
    numRuns: 2000,
    examples: otherSpellings.map((path): [Sent] => [{ method: 'GET', path, headers: {}, body: undefined }]),
  });
});

test('Any bytes on a connection are answered as HTTP or not at all, and no list is made up from them.', async () => {
  const message = fc.constantFrom(
    'POST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n[1,2]',
    'POST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1,2]\r\n0\r\n\r\n',
    'GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\nPOST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n[3]',
  );
  const pieces = [
    '\r\n',
    '\n',
    '\r',
    '\0',
    ' ',
    ':',
    '5',
    '-1',
    'Content-Length: 3\r\n',
    'Transfer-Encoding: chunked\r\n',
  ];
  const bytes = fc.oneof(
    { arbitrary: mutated(message, pieces).map((text) => Buffer.from(text, 'latin1')), weight: 4 },
    { arbitrary: fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array)), weight: 1 },
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (sent) => {
      batcher.accepted.splice(0);
      for (const { status, headers, body } of await sendRaw(api.port, sent))
        if (status >= 400) expectOfTheCatalogue({ status, type: headers['content-type'], body });
      const possible = listsIn(String(sent));
      for (const { values } of batcher.accepted) expect(possible).toContainEqual(values);
    }),
    { numRuns: 1000 },
  );
});

/** What a client library lets into a header. */
function printable(text: string): string {
  return text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '').trim();
}

/** Every JSON list that stands in a message, also across its chunks. */
function listsIn(message: string): unknown[] {
  return [message, message.replaceAll(/\r\n[0-9a-f]+[^\r\n]*\r\n/gi, '')].flatMap((text) => {
    const [starts, ends] = [/\[/g, /\]/g].map((bracket) =>
      [...text.matchAll(bracket)].map(({ index }) => index),
    );
    return (starts ?? []).flatMap((start) =>
      (ends ?? []).flatMap((end) => {
        try {
          return [JSON.parse(text.slice(start, end + 1)) as unknown];
        } catch {
          return [];
        }
      }),
    );
  });
}
