import {
  KeepapartApiError,
  KeepapartClient,
  KeepapartTimeoutError,
  KeepapartUnreachableError,
  type Retry,
  type RequestView,
  type RetryOptions,
} from '../../src/client';
import { problem, startScriptedApi, type Scripted, type ScriptedApi } from './scripted-api';

const QUICK: RetryOptions = { initialDelayMs: 1, maxDelayMs: 2 };
const ACCEPTED: Scripted = { status: 202, body: { requestId: 'r', accepted: 1, records: [] } };

let api: ScriptedApi | undefined;
afterEach(() => api?.close());

/** A client of an API that answers so. */
async function clientOf(answers: Scripted[], retry: RetryOptions = QUICK) {
  api = await startScriptedApi(...answers);
  return { client: new KeepapartClient({ url: `${api.url}/`, apiKey: 'secret', retry }), asked: api.asked };
}
const keysOf = (asked: ScriptedApi['asked']) => asked.map(({ headers }) => headers['idempotency-key']);
const thrownBy = (call: Promise<unknown>) => call.catch((error: unknown) => error);

test('A list is sent with a key and the API key, and the answer given back.', async () => {
  const answer = { requestId: 'r', accepted: 2, records: [{ recordId: 'r:0', value: 1 }] };
  const { client, asked } = await clientOf([{ status: 202, body: answer }]);
  expect(await client.send([1, { a: 'ä' }])).toEqual(answer);
  expect(asked).toMatchObject([
    {
      method: 'POST',
      path: '/v1/records',
      body: '[1,{"a":"ä"}]',
      headers: { authorization: 'Bearer secret', 'content-type': 'application/json' },
    },
  ]);
  await client.send([1], { idempotencyKey: 'order-1' });
  expect(keysOf(asked)).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), 'order-1']);
});

test('A list that could not be taken yet is sent again under the same key.', async () => {
  const proxy: Scripted = { status: 502, body: '<html>Bad Gateway</html>' };
  const full = problem(429, 'buffer-full', { 'retry-after': '0' });
  const away = problem(503, 'temporal-unavailable');
  const retries: Retry[] = [];
  const { client, asked } = await clientOf(['reset', full, away, proxy, ACCEPTED], {
    ...QUICK,
    onRetry: (retry) => retries.push(retry),
  });
  expect(await client.send([1])).toMatchObject({ accepted: 1 });
  expect(new Set(keysOf(asked)).size).toBe(1);
  expect(asked).toHaveLength(5);
  expect(retries.map(({ failures, error }) => [failures, error.code])).toEqual([
    [1, 'api-unreachable'],
    [2, 'buffer-full'],
    [3, 'temporal-unavailable'],
    [4, 'api-unreachable'],
  ]);
});

test.each([
  [400, 'invalid-json'],
  [401, 'unauthorized'],
  [409, 'idempotency-key-reused'],
  [413, 'request-too-large'],
  [422, 'invalid-request'],
  [500, 'internal'],
  [418, 'a-code-of-later'],
])('a refusal with %i is thrown at once, as it was told: %s', async (status, code) => {
  const problems = [{ field: '/1', expected: 'a record', received: 'a list of 2' }];
  const { client, asked } = await clientOf([
    { status, body: { status, code, detail: 'Not so', problems, title: 'T' } },
  ]);
  const error = await thrownBy(client.send([1]));
  expect(error).toBeInstanceOf(KeepapartApiError);
  expect(error).toMatchObject({ status, code, detail: 'Not so', problems, retryAfterMs: undefined });
  expect((error as Error).message).toBe('Not so\n  /1: expected a record; received a list of 2');
  expect(asked).toHaveLength(1);
});

test('What the API asks for is waited at least, and a stop ends the waiting.', async () => {
  const stop = new AbortController();
  const delays: number[] = [];
  const { client, asked } = await clientOf([problem(429, 'buffer-full', { 'retry-after': '40' })], {
    onRetry: ({ delayMs }) => {
      delays.push(delayMs);
      stop.abort(new Error('enough'));
    },
  });
  await expect(client.send([1], { signal: stop.signal })).rejects.toThrow('enough');
  expect(delays).toEqual([expect.any(Number)]);
  expect(delays[0]).toBeGreaterThanOrEqual(40_000);
  expect(delays[0]).toBeLessThanOrEqual(40_200);
  expect(asked).toHaveLength(1);
});

test('The waits are random below a bound that doubles up to a limit.', async () => {
  const delays: number[] = [];
  const { client } = await clientOf([problem(503, 'not-ready')], {
    maxAttempts: 8,
    initialDelayMs: 1,
    maxDelayMs: 10,
    onRetry: ({ delayMs }) => delays.push(delayMs),
  });
  await expect(client.send([1])).rejects.toMatchObject({ code: 'not-ready' });
  expect(delays).toHaveLength(7);
  for (const [i, delay] of delays.entries()) expect(delay).toBeLessThanOrEqual(Math.min(10, 2 ** i));
  expect(new Set(delays).size).toBeGreaterThan(1);
});

test.each<[string, RetryOptions, Scripted, number]>([
  ['tries', { ...QUICK, maxAttempts: 3 }, problem(503, 'not-ready'), 3],
  ['time', { maxElapsedMs: 5000 }, problem(503, 'not-ready', { 'retry-after': '3600' }), 1],
  ['time, by a date', {}, problem(503, 'x', { 'retry-after': 'Sat, 01 Jan 2200 00:00:00 GMT' }), 1],
])('it gives up at the bound of %s with the last error', async (_, retry, answer, tries) => {
  const { client, asked } = await clientOf([answer], retry);
  await expect(client.send([1])).rejects.toMatchObject({ status: 503 });
  expect(asked).toHaveLength(tries);
});

test.each<[string, Scripted]>([
  ['a page', { status: 200, body: '<html>hello</html>' }],
  ['JSON of somebody else', { status: 404, body: { message: 'Not Found' } }],
  ['nothing', { status: 204, body: '' }],
])('another server is no keepapart, and not asked again: %s', async (_, answer) => {
  const { client, asked } = await clientOf([answer]);
  const error = await thrownBy(client.send([1]));
  expect(error).toBeInstanceOf(KeepapartUnreachableError);
  expect(error).toMatchObject({ code: 'api-unreachable', url: api!.url });
  expect(asked).toHaveLength(1);
});

test('An API that is not there, or does not answer in time, throws an error with the reason.', async () => {
  const { client } = await clientOf([ACCEPTED], { maxAttempts: 1 });
  const silent = new KeepapartClient({
    url: api!.url,
    timeoutMs: 5,
    fetch: (_, init) =>
      new Promise((_resolve, reject) => {
        init!.signal!.addEventListener('abort', () => reject(init!.signal!.reason as Error));
      }),
  });
  await expect(silent.status()).rejects.toMatchObject({ reason: 'no answer in time' });
  await api!.close();
  await expect(client.send([1])).rejects.toMatchObject({ reason: 'ECONNREFUSED', url: api!.url });
  await expect(client.status()).rejects.toThrow(`No keepapart API answers at ${api!.url} (ECONNREFUSED)`);
  api = undefined;
});

test.each([
  ['a value without JSON', (client: KeepapartClient) => client.send([1, undefined])],
  ['a number without JSON', (client: KeepapartClient) => client.send([Number.NaN])],
  ['a big integer', (client: KeepapartClient) => client.send([1n])],
  ['a key of other letters', (client: KeepapartClient) => client.send([1], { idempotencyKey: 'a b' })],
  ['such a key of a stream', (client: KeepapartClient) => client.stream([1], { idempotencyKey: 'ä' })],
  ['a text as a stream of values', async (client: KeepapartClient) => client.stream('[1,2]')],
])('%s is refused before anything is sent', async (_, call) => {
  const { client, asked } = await clientOf([ACCEPTED]);
  await expect(call(client)).rejects.toBeInstanceOf(TypeError);
  expect(asked).toEqual([]);
});

test.each([{ url: 'localhost:3000' }, { url: 'ftp://a' }, { url: 'http://a', apiKey: 'two words' }])(
  'a client is not made of %j',
  (options) => {
    expect(() => new KeepapartClient(options)).toThrow(TypeError);
  },
);

test('Lists are read page by page, and no page more than is wanted.', async () => {
  const page = (ids: string[], nextCursor: string | null): Scripted => ({
    status: 200,
    body: { batches: ids.map((batchId) => ({ batchId })), nextCursor },
  });
  const { client, asked } = await clientOf([page(['a', 'b'], 'one'), page([], 'two'), page(['c'], null)]);
  const ids: string[] = [];
  for await (const { batchId } of client.batches({ state: 'failed', pageSize: 2 })) {
    ids.push(batchId);
    if (batchId === 'b') expect(asked).toHaveLength(1);
  }
  expect(ids).toEqual(['a', 'b', 'c']);
  const query = '/v1/batches?state=failed&limit=2';
  expect(asked.map(({ path }) => path)).toEqual([query, `${query}&cursor=one`, `${query}&cursor=two`]);
});

test('What operators do says who does it.', async () => {
  const { client, asked } = await clientOf([{ status: 202, body: {} }]);
  const by = 'Zoë';
  await client.flush({ by });
  await client.pause({ by });
  await client.resume();
  await client.drain({ by, timeoutMs: 5 });
  await client.redrive({ batchId: 'b' }, { by });
  expect(asked.map(({ path, body }) => [path, JSON.parse(body)])).toEqual([
    ['/v1/flush', { by }],
    ['/v1/pause', { by }],
    ['/v1/resume', {}],
    ['/v1/drain', { by, timeoutMs: 5 }],
    ['/v1/dead-letters/redrive', { batchId: 'b', by }],
  ]);
});

describe('waiting for outcomes', () => {
  const view = (counts: Partial<RequestView['counts']>): Scripted => ({
    status: 200,
    body: {
      requestId: 'a:b',
      records: [],
      counts: { buffered: 0, in_batch: 0, saved: 0, rolled_back: 0, ...counts },
    },
  });

  test('asks until every record is saved or rolled back, also when the API is away for a moment', async () => {
    const { client, asked } = await clientOf([
      view({ buffered: 2 }),
      problem(503, 'temporal-unavailable', { 'retry-after': '0' }),
      view({ in_batch: 1, saved: 1 }),
      view({ rolled_back: 1, saved: 1 }),
    ]);
    const looks: number[] = [];
    const { counts } = await client.waitForOutcomes('a:b', {
      onView: (seen) => looks.push(seen.counts.saved),
    });
    expect([counts.rolled_back, looks]).toEqual([1, [0, 1, 1]]);
    expect(asked.map(({ path }) => path)).toEqual(Array(4).fill('/v1/requests/a%3Ab'));
  });

  test('ends after its time with what it saw last', async () => {
    const { client } = await clientOf([view({ buffered: 2, saved: 1 })]);
    const error = await thrownBy(client.waitForOutcomes('a:b', { timeoutMs: 1 }));
    expect(error).toBeInstanceOf(KeepapartTimeoutError);
    expect(error).toMatchObject({ view: { counts: { buffered: 2 } } });
    expect((error as Error).message).toMatch(/2 records left$/);
  });

  test('ends at once for a request that nobody knows', async () => {
    const { client, asked } = await clientOf([problem(404, 'request-not-found')]);
    await expect(client.waitForOutcomes('x')).rejects.toMatchObject({ code: 'request-not-found' });
    expect(asked).toHaveLength(1);
  });
});
