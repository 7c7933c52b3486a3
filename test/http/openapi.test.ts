import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Ajv2020, { type AnySchemaObject } from 'ajv/dist/2020';
import { ERRORS, KeepapartError } from '../../src/domain/errors';
import { RIGHTS } from '../../src/domain/rights';
import type { HttpDeps } from '../../src/http/deps';
import { listen, type HttpTimeouts } from '../../src/http/listen';
import { ourDocumentedApi, type DocumentedApi } from '../helpers/documented-api';
import { askRaw } from '../helpers/raw-http';
import { testApp, type TestApp } from './test-app';

let api: DocumentedApi;
beforeAll(async () => {
  api = await ourDocumentedApi();
});
afterEach(() => jest.restoreAllMocks());

test('The description is OpenAPI 3.1: it has the form that the official JSON Schema asks for.', () => {
  const file = require.resolve('@seriousme/openapi-schema-validator/schemas/v3.1/schema.json');
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const isOpenApi = ajv.compile(JSON.parse(readFileSync(file, 'utf8')) as AnySchemaObject);
  expect([isOpenApi(api.document), isOpenApi.errors]).toEqual([true, null]);
  expect(api.document).toMatchObject({ openapi: '3.1.1', info: { version: '1.2.3' } });
});

test('Every schema in it is JSON Schema 2020-12, and every reference leads somewhere.', () => {
  const ajv = new Ajv2020({ strict: false }).addSchema(api.document, 'api');
  for (const name of Object.keys(api.document.components.schemas))
    ajv.compile({ $ref: `api#/components/schemas/${name}` });
  const references = [...JSON.stringify(api.document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
  expect(new Set(references.map(([, name]) => name))).toEqual(
    new Set([...Object.keys(api.document.components.schemas), 'Problem']),
  );
});

test('Clients are told to bear more than is described, and we to answer no more.', () => {
  const closed = Object.entries(api.document.components.schemas).flatMap(([name, schema]) =>
    JSON.stringify(schema).includes('"additionalProperties":false') ? [name] : [],
  );
  // What is asked for is another matter.
  expect(closed).toEqual(['LimitsPatch', 'ConflictRule', 'Selector']);
  const answer = { method: 'GET', path: '/healthz', status: 200 };
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  const outcomeOf = (body: object) => api.outcomeOf({ ...answer, headers, body: JSON.stringify(body) });
  expect(outcomeOf({ status: 'ok' })).toEqual({ outcome: 'getHealth 200 Health' });
  expect(outcomeOf({ status: 'ok', more: 1 })).toEqual({ wrong: expect.stringContaining('additional') });
});

/** One way of calling an operation. */
interface Call {
  operationId: string;
  method: string;
  path: string;
  /** Where it takes a body. */
  type?: string;
  example?: string;
}

/** Each operation, and one that takes bodies of several types once with each. */
function everyCall(): Call[] {
  return Object.entries(api.document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).flatMap(([method, { operationId, requestBody }]) => {
      const call = { operationId, method: method.toUpperCase(), path: template.replaceAll(/[{}]/g, '') };
      if (!requestBody) return [call];
      return Object.entries(requestBody.content).map(([type, { example }]) => ({
        ...call,
        type,
        example: typeof example === 'string' ? example : JSON.stringify(example),
      }));
    }),
  );
}

interface Sent {
  host: string;
  query: string;
  headers: Record<string, string>;
  body: string | undefined;
  type: string | undefined;
  /** What comes behind the header's last line; nothing leaves it open. */
  endOfHeader: string;
}

/** A situation in which every operation is called. */
interface Situation {
  deps?: Partial<HttpDeps>;
  timeouts?: Partial<HttpTimeouts>;
  prepare?: (edge: TestApp) => void;
  send?: (call: Call) => Partial<Sent & { path: string }>;
  /** The operations that it concerns; all by default. */
  only?: (call: Call) => boolean;
}

function messageFor(call: Call, { send }: Situation): string {
  const { host, path, query, headers, body, type, endOfHeader } = {
    ...{
      host: '127.0.0.1',
      path: call.path,
      query: '',
      headers: {},
      body: call.example,
      type: call.type,
      endOfHeader: '\r\n',
    },
    ...send?.(call),
  };
  const lines = [
    `${call.method} ${path}${query} HTTP/1.1`,
    `Host: ${host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined ? [] : [`Content-Type: ${type ?? ''}`, `Content-Length: ${body.length}`]),
  ];
  return `${lines.join('\r\n')}\r\n${endOfHeader}${body ?? ''}`;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const apiKeys = [
  { name: 'useless', sha256: sha256('useless'), rights: [] },
  { name: 'all', sha256: sha256('all'), rights: RIGHTS },
];
const failing = (failure: Error) => ({ prepare: ({ batcher }: TestApp) => void (batcher.failure = failure) });

const SITUATIONS: Record<string, Situation> = {
  'as it should be': {},
  'with a key': { deps: { apiKeys }, send: () => ({ headers: { 'X-Api-Key': 'all' } }) },
  'without a key': { deps: { apiKeys } },
  'with a key that has no rights': {
    deps: { apiKeys },
    send: () => ({ headers: { 'X-Api-Key': 'useless' } }),
  },
  'too often': { deps: { rateLimitPerSecond: 1 } },
  'from a page of another origin': { send: () => ({ headers: { Origin: 'https://elsewhere.example' } }) },
  'for another host': { send: () => ({ host: 'elsewhere.example' }) },
  'with two hosts': { send: () => ({ headers: { host: 'another' } }) },
  'with a header that is too large': { send: () => ({ headers: { 'X-Large': 'x'.repeat(20_000) } }) },
  'with a header that does not end': {
    timeouts: { headersMs: 50 },
    send: () => ({ endOfHeader: '', body: undefined }),
  },
  'with a query that means nothing': { send: () => ({ query: '?nonsense=1' }) },
  'with an id that can not be decoded': { send: ({ path }) => ({ path: path.replace(/\w+Id$/, '%zz') }) },
  'with a body that is no JSON': { send: ({ example }) => ({ body: example && '{' }) },
  'with a body that means nothing': { send: ({ example }) => ({ body: example && '[[]]' }) },
  'with a body of another type': { send: () => ({ type: 'text/plain' }) },
  'with a body that is too large': {
    send: ({ example }) => ({ body: example && `"${'x'.repeat(600_000)}"` }),
  },
  'before the process stops': { prepare: ({ drain }) => void (drain.on = true) },
  'of what is not known': {
    prepare: ({ batcher }) => {
      batcher.requests.clear();
      batcher.batchViews.clear();
    },
  },
  'while Temporal is away': failing(new KeepapartError('temporal-unavailable', 'No answer')),
  'with a bug of ours': failing(new Error('oops')),
};

/** What else a BatcherClient may reject with, by its contract. */
const FAILURES = {
  addRecords: ['buffer-full', 'idempotency-key-reused', 'stream-overtaken'],
  changeLimits: ['invalid-request', 'limits-incomplete'],
  getRequest: ['request-too-long'],
  listBatches: ['invalid-request'],
  listDeadLetters: ['invalid-request'],
  redriveDeadLetters: ['dead-letter-not-found', 'buffer-full'],
} as const;
const WHEN_THE_BATCHER_REFUSES: Situation[] = Object.entries(FAILURES).flatMap(([operationId, codes]) =>
  codes.map((code) => ({
    ...failing(new KeepapartError(code, 'No', ERRORS[code].status >= 429 ? { retryAfterMs: 1000 } : {})),
    only: (call: Call) => call.operationId === operationId,
  })),
);

/** An app in which something is known about the ids in the description's paths. */
function appWithViews(deps: Partial<HttpDeps> = {}): TestApp {
  const edge = testApp(deps);
  const counts = { buffered: 1, in_batch: 0, saved: 0, rolled_back: 0 };
  const waitsFor = {
    ...{ for: 'age' as const, text: 'so', until: '2020-02-02T02:02:03.000Z', by: 'Ann' },
    ...{ since: '2020-02-02T02:02:02.000Z', reason: 'gone' },
    ...{ passedOverBy: [{ distinct: '/a' }], keptApartBy: [{ group: [1, 2, 3] }] },
  };
  const records = [{ recordId: 'requestId:0', state: 'buffered' as const, waitsFor }];
  edge.batcher.requests.set('requestId', { requestId: 'requestId', counts, records });
  edge.batcher.batchViews.set('batchId', {
    ...{
      batchId: 'batchId',
      batcher: 'b-0',
      state: 'running',
      flushReason: 'age',
      requestIds: ['requestId'],
    },
    ...{
      startedAt: '2020-02-02T02:02:02.000Z',
      closedAt: null,
      saved: null,
      rolledBack: null,
      retries: null,
    },
    ...{ runId: 'run', file: null, records: [] },
    work: [{ text: 'so', step: 'closing', attempt: 2, error: 'gone', waitsForStoreSince: null }],
    saving: { text: 'so', shape: 'batch', due: 12 },
    cut: {
      ...{
        text: 'so',
        maxBatchSize: 5,
        why: 'rules',
        oldestMs: 1002,
        left: 3,
        unseen: 1,
        tooLarge: 0,
        fitting: 0,
      },
      keptOut: [{ rule: { distinct: '/a', same: '/b' }, records: 2 }],
    },
  });
  return edge;
}

/** What each call comes to in one situation. */
async function outcomesIn(situation: Situation): Promise<string[]> {
  const edge = appWithViews(situation.deps);
  situation.prepare?.(edge);
  const { timeouts = {} } = situation;
  const { port, close } = await listen(edge.app, { host: '127.0.0.1', port: 0, timeouts });
  // Uses up the allowance, where there is one.
  await askRaw(port, 'GET /v1/nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  const calls = everyCall().filter((call) => situation.only?.(call) ?? true);
  const outcomes = await Promise.all(
    calls.map(async (call) => {
      const { status, headers, body } = await askRaw(port, messageFor(call, situation));
      const result = api.outcomeOf({ method: call.method, path: call.path, status, headers, body });
      return 'wrong' in result ? result.wrong : result.outcome;
    }),
  );
  await close({ graceMs: 0 });
  return outcomes;
}

test('Every documented answer really occurs, and no other one.', async () => {
  // The clock of the rate limit stands still.
  jest.spyOn(performance, 'now').mockReturnValue(1_000_000);
  const seen = new Set<string>();
  for (const situation of [...Object.values(SITUATIONS), ...WHEN_THE_BATCHER_REFUSES])
    for (const outcome of await outcomesIn(situation)) seen.add(outcome);
  expect([...seen].sort()).toEqual([...api.outcomes].sort());
});

test('Every example of a body is taken.', async () => {
  const withExamples = everyCall().filter(({ example }) => example !== undefined);
  expect(withExamples.length).toBeGreaterThan(5);
  const only = ({ example }: Call) => example !== undefined;
  for (const outcome of await outcomesIn({ only })) expect(outcome).toMatch(/^\w+ 20[02] \w+$/);
});
