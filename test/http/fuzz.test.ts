import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import type { JsonValue } from '../../src/domain/json';
import { testApp } from './test-app';

const { app, batcher } = testApp();
let server: Server;

beforeAll(async () => {
  server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
});

afterEach(() => void batcher.accepted.splice(0));

interface Answer {
  status: number;
  body: string;
}

async function call(
  method: string,
  path: string,
  body?: string | Buffer,
  type = 'application/json',
): Promise<Answer> {
  const { port } = server.address() as AddressInfo;
  const sent = httpRequest({
    port,
    method,
    path,
    headers: body === undefined ? {} : { 'Content-Type': type },
  });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: await text(response) };
}

/** What a body must have been for its records to be taken; JSON.parse is the judge of what was sent. */
async function expectTakenAsSentOrRefused(body: string | Buffer): Promise<void> {
  const before = batcher.accepted.length;
  const { status, body: answer } = await call('POST', '/v1/records', body);
  const taken = batcher.accepted.slice(before);
  if (status !== 202) {
    expect([400, 413, 415, 422]).toContain(status);
    expect(JSON.parse(answer)).toMatchObject({
      status,
      type: expect.stringMatching(/^urn:keepapart:error:/),
    });
    expect(taken).toEqual([]);
    return;
  }
  const sent = JSON.parse(String(body)) as JsonValue[] | { records: JsonValue[] };
  const records = Array.isArray(sent) ? sent : sent.records;
  expect(taken.map(({ values }) => values)).toEqual([records]);
  const { accepted, records: echoed } = JSON.parse(answer) as {
    accepted: number;
    records: { value: JsonValue }[];
  };
  expect(accepted).toBe(records.length);
  expect(JSON.stringify(echoed.map(({ value }) => value))).toBe(JSON.stringify(records));
}

const runs = { numRuns: 200 };

test('Any JSON list is taken as it was sent or refused whole, and never a 500 (G9).', async () => {
  const body = fc.oneof(
    fc.array(fc.jsonValue()).map((list) => JSON.stringify(list)),
    fc.array(fc.jsonValue()).map((records) => JSON.stringify({ records })),
    fc.array(fc.double({ noNaN: true })).map((list) => JSON.stringify(list)),
  );
  await fc.assert(fc.asyncProperty(body, expectTakenAsSentOrRefused), runs);
});

test('Numbers of any length and size are taken without rounding or refused.', async () => {
  const number = fc
    .tuple(fc.bigInt(), fc.nat(), fc.integer({ min: -400, max: 400 }))
    .map(([whole, fraction, exponent]) => `${whole}.${fraction}e${exponent}`);
  const integer = fc.bigInt().map(String);
  await fc.assert(
    fc.asyncProperty(fc.oneof(number, integer), async (token) => {
      const { status, body } = await call('POST', '/v1/records', `[${token}]`);
      if (status !== 202) {
        expect(body).toContain('a 64-bit float');
        return;
      }
      const value = batcher.accepted.at(-1)?.values[0] as number;
      // Both sides as fractions of whole numbers, so that nothing is rounded here either.
      expect(scaled(JSON.stringify(value))).toBe(scaled(token));
    }),
    runs,
  );
});

test('Any bytes and any text are answered with a refusal or taken as JSON, never a 500.', async () => {
  const almostJson = fc
    .array(
      fc.constantFrom(
        '[',
        ']',
        '{',
        '}',
        ',',
        ':',
        '"',
        '\\',
        '1',
        '-',
        'e9',
        '.',
        'null',
        '"a"',
        '"records"',
      ),
    )
    .map((parts) => parts.join(''));
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
  const body = fc.oneof(almostJson, fc.string({ unit: 'binary' }), bytes);
  await fc.assert(fc.asyncProperty(body, expectTakenAsSentOrRefused), runs);
});

test('Any method, path and query is answered, never with a 500, and adds no record.', async () => {
  const segment = fc.oneof(
    fc.constantFrom('v1', 'records', 'batches', 'requests', 'status', 'healthz', '..', '%', '%2f', '%00', ''),
    fc.string({ maxLength: 10 }).map((part) => part.replace(/[^!-~]|[#?]/g, '')),
  );
  const path = fc.tuple(fc.array(segment, { maxLength: 4 }), fc.option(segment, { nil: undefined }));
  const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH');
  await fc.assert(
    fc.asyncProperty(method, path, async (verb, [segments, query]) => {
      const { status } = await call(
        verb,
        `/${segments.join('/')}${query === undefined ? '' : `?limit=${query}`}`,
      );
      expect([200, 202, 404, 405, 415, 422]).toContain(status);
      expect(batcher.accepted).toEqual([]);
    }),
    runs,
  );
});

/** A decimal as a whole number of 1e-1000ths. */
function scaled(decimal: string): bigint {
  const [mantissa = '', exponent = '0'] = decimal.split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return BigInt(whole + fraction + '0'.repeat(1000 - fraction.length + Number(exponent)));
}
