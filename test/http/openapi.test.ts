import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Ajv2020, { type AnySchemaObject } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import request from 'supertest';
import { ERRORS, KeepapartError } from '../../src/domain/errors';
import { RIGHTS } from '../../src/domain/rights';
import type { HttpDeps } from '../../src/http/deps';
import { listen, type HttpTimeouts } from '../../src/http/listen';
import { ourDocumentedApi, type DocumentedApi } from '../helpers/documented-api';
import { askRaw } from '../helpers/raw-http';
import { waitFor } from '../helpers/wait-for';
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
  const ajv = addFormats(new Ajv2020({ strict: false })).addSchema(api.document, 'api');
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
  expect(closed).toEqual(['LimitsPatch', 'ConflictRule', 'Selector', 'PaceLimit']);
  const answer = { method: 'GET', path: '/healthz', status: 200 };
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  const outcomeOf = (body: object) => api.outcomeOf({ ...answer, headers, body: JSON.stringify(body) });
  expect(outcomeOf({ status: 'ok' })).toEqual({ outcome: 'getHealth 200 Health' });
  expect(outcomeOf({ status: 'ok', more: 1 })).toEqual({ wrong: expect.stringContaining('additional') });
});

test.each([
  [
    'Idempotency-Key',
    'post',
    '/v1/records',
    ['a', 'order-4711.x:2_3', '"quoted"', 'redrive-1.', 'redrive'],
    ['', '"', '"a', 'a b', 'é', '-a', 'x'.repeat(129), 'redrive-1.a:0', '"redrive-2.a:0"'],
  ],
  ['cursor', 'get', '/v1/batches', ['a2VlcGFwYXJ0LTE6'], ['', 'a b', 'a=', 'a/b', 'x'.repeat(4097)]],
] as const)('%s is described as narrowly as it is read.', async (name, method, path, good, bad) => {
  const { parameters = [] } = api.document.paths[path]?.[method] ?? {};
  const parameter = parameters.find((each) => each.name === name);
  const takes = addFormats(new Ajv2020({ strict: false })).compile(parameter?.schema ?? false);
  const { app } = testApp();
  for (const value of [...good, ...bad]) {
    const sent =
      method === 'get'
        ? request(app).get(`${path}?cursor=${encodeURIComponent(value)}`)
        : request(app).post(path).set('Content-Type', 'application/json').set(name, value).send('[1]');
    // No client sends what isn't in Latin-1; nothing of the header is left of an empty value for some.
    const { status } = await sent;
    expect([value, takes(value)]).toEqual([value, (good as readonly string[]).includes(value)]);
    expect([value, status < 300]).toEqual([value, takes(value)]);
  }
});

test.each([
  ['/v1/flush', {}],
  ['/v1/pause', {}],
  ['/v1/resume', {}],
  ['/v1/drain', {}],
  ['/v1/dead-letters/redrive', { all: true }],
  ['/v1/limits', {}],
])('%s takes the bodies that are described, and no others.', async (path, good) => {
  const method = path === '/v1/limits' ? 'patch' : 'post';
  const schema = api.document.paths[path]?.[method]?.requestBody?.content['application/json']?.schema;
  const ajv = addFormats(new Ajv2020({ strict: false })).addSchema(api.document, 'api');
  const takes = ajv.compile(
    JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')) as AnySchemaObject,
  );
  const bodies = [
    ...[good, { ...good, by: 'Ann' }, null, [], 1, { ...good, by: '' }, { ...good, other: 1 }],
    ...[{ all: true, batchId: 'b' }, { records: ['a:0'], requestId: 'a' }, { records: [] }, { all: false }],
    ...[
      { conflicts: [{ pair: [1, 1] }] },
      { conflicts: [{ group: [1] }] },
      { conflicts: [{ distinct: 'a' }] },
    ],
    ...[{ equals: 1, in: [2] }, { in: [] }, { prefix: '' }, { above: 1, atLeast: 1 }, {}].map((left) => ({
      conflicts: [{ never: { left, right: { at: '' } } }],
    })),
    {
      conflicts: [
        { never: { left: { at: '/a', above: 1, atMost: 2 }, right: { at: '/b', in: [1, 2] } }, same: '/~0' },
      ],
    },
    { conflicts: [{ distinct: '/a', same: [] }] },
  ];
  for (const body of bodies) {
    const { app } = testApp();
    const { status } = await request(app)
      [method](path)
      .set('Content-Type', 'application/json')
      .send(JSON.stringify(body));
    expect([body, status < 300]).toEqual([body, takes(body)]);
  }
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
  maxConnections?: number;
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
      query: call.operationId === 'find' ? '?q=requestId:0' : '',
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
  'by more clients than there is room for': { maxConnections: 0 },
  'before the process stops': { prepare: ({ drain }) => void (drain.on = true) },
  'of what is not known': {
    prepare: ({ batcher }) => {
      batcher.requests.clear();
      batcher.batchViews.clear();
    },
  },
  'while a key is missing': {
    ...failing(new KeepapartError('encryption-key-missing', 'No key')),
    // It decrypts nothing.
    only: ({ operationId }) => operationId !== 'getReadiness',
  },
  'while Temporal is away': failing(new KeepapartError('temporal-unavailable', 'No answer')),
  'with a bug of ours': failing(new Error('oops')),
};

/** What else a BatcherClient may reject with, by its contract. */
const FAILURES = {
  addRecords: ['buffer-full', 'idempotency-key-reused', 'stream-overtaken'],
  changeLimits: ['invalid-request', 'limits-incomplete'],
  find: ['request-too-long'],
  getRequest: ['request-too-long'],
  listBatches: ['not-found'],
  listDeadLetters: ['not-found'],
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
  const { timeouts = {}, maxConnections = 100 } = situation;
  const { port, close } = await listen(edge.app, { host: '127.0.0.1', port: 0, timeouts, maxConnections });
  // Uses up the allowance, where there is one.
  await askRaw(port, 'GET /v1/nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  const calls = everyCall().filter((call) => situation.only?.(call) ?? true);
  const outcomeOf = async (call: Call) => {
    const { status, headers, body } = await askRaw(port, messageFor(call, situation));
    const result = api.outcomeOf({ method: call.method, path: call.path, status, headers, body });
    return 'wrong' in result ? result.wrong : result.outcome;
  };
  const isEndless = ({ operationId }: Call) => operationId === 'getEvents';
  const outcomes = await Promise.all(calls.filter((call) => !isEndless(call)).map(outcomeOf));
  for (const call of calls.filter(isEndless)) {
    const asked = outcomeOf(call);
    let isOver = false;
    void asked.then(() => (isOver = true));
    await waitFor('an event or a refusal', () => isOver || edge.batcher.overviews > 0);
    // Ends the events.
    edge.drain.on = true;
    outcomes.push(await asked);
  }
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
