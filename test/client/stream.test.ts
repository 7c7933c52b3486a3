import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import {
  KeepapartApiError,
  KeepapartClient,
  KeepapartSourceError,
  KeepapartUnreachableError,
  type RetryOptions,
  type StreamProgress,
} from '../../src/client';
import type { JsonValue } from '../../src/domain/json';
import { waitFor } from '../helpers/wait-for';
import { startStreamApi, type StreamApi } from './stream-api';

const QUICK: RetryOptions = { initialDelayMs: 1, maxDelayMs: 2, maxAttempts: 3 };

let api: StreamApi;
beforeEach(async () => (api = await startStreamApi()));
afterEach(() => api.close());

const clientOf = (retry: RetryOptions = QUICK) => new KeepapartClient({ url: api.url, retry });
const numbered = (n: number): JsonValue[] => Array.from({ length: n }, (_, i) => ({ n: i, text: 'ä€😀' }));
/** Values that can be had once, and whether somebody asked for them and closed them. */
function onceOnly(values: Iterable<JsonValue>) {
  const seen = { asked: false, closed: false };
  async function* source(): AsyncGenerator<JsonValue> {
    try {
      seen.asked = true;
      for (const value of values) {
        await Promise.resolve();
        yield value;
      }
    } finally {
      seen.closed = true;
    }
  }
  return { seen, source: source() };
}

test('Records of an array, an iterable and an asynchronous one are one request each, in their order.', async () => {
  const values = numbered(5000);
  const sources = { array: values, iterable: values.values(), later: onceOnly(values).source };
  for (const [idempotencyKey, source] of Object.entries(sources)) {
    const result = await clientOf().stream(source, { idempotencyKey });
    expect(result).toEqual({ requestId: idempotencyKey, accepted: 5000 });
    expect(api.durable.get(idempotencyKey)).toEqual(values);
  }
  const { requestId } = await clientOf().stream([1]);
  expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
});

test('An NDJSON text may be cut anywhere, and blank lines are no records.', async () => {
  const text = Buffer.from('{"a":"ä€😀"}\r\n\n  \n2\n"last, without an end"');
  const seen: StreamProgress[] = [];
  const pieces = Array.from(text, (byte) => Uint8Array.of(byte));
  const { requestId } = await clientOf().streamNdjson(pieces, { onProgress: (sent) => seen.push(sent) });
  expect(api.durable.get(requestId)).toEqual([{ a: 'ä€😀' }, 2, 'last, without an end']);
  expect(seen.at(-1)).toEqual({ records: 3, bytes: text.length });
});

test('After a broken connection and refusals for a while, everything is sent again under one key and taken once.', async () => {
  const values = numbered(3000);
  api.breaks.push(
    { afterRecords: 700, with: 'reset' },
    { afterRecords: 900, with: { status: 429, code: 'buffer-full', retryAfter: 0 } },
    { afterRecords: 1500, with: { status: 503, code: 'temporal-unavailable' } },
  );
  const result = await clientOf().stream(() => values, { idempotencyKey: 'k' });
  expect(result).toEqual({ requestId: 'k', accepted: 3000 });
  expect(api.posts).toEqual(['k', 'k', 'k', 'k']);
  expect(api.durable.get('k')).toEqual(values);
});

test('The bound of tries counts those that get no farther.', async () => {
  const full = (afterRecords: number) => ({
    afterRecords,
    with: { status: 429, code: 'buffer-full' },
  });
  const values = numbered(10);
  api.breaks.push(full(0), full(0), full(0));
  const stuck = clientOf().stream(values, { idempotencyKey: 'stuck' });
  await expect(stuck).rejects.toMatchObject({ code: 'buffer-full', accepted: 0, requestId: 'stuck' });
  expect(api.posts).toHaveLength(3);

  api.breaks.push(...[1, 2, 3, 4, 5, 6].map(full));
  const result = await clientOf({ ...QUICK, maxAttempts: 2 }).stream(values, { idempotencyKey: 'on' });
  expect(result.accepted).toBe(10);
});

test('A source that can be read only once is not sent again, and the error says how much is durable.', async () => {
  api.breaks.push({ afterRecords: 4, with: { status: 503, code: 'not-ready', retryAfter: 7 } });
  const refused = await clientOf()
    .stream(numbered(10).values(), { idempotencyKey: 'a' })
    .catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(KeepapartApiError);
  expect(refused).toMatchObject({ status: 503, requestId: 'a', accepted: 4, retryAfterMs: 7000 });

  api.breaks.push({ afterRecords: 4, with: 'reset' });
  const broken = await clientOf()
    .stream(numbered(10).values(), { idempotencyKey: 'b' })
    .catch((error: unknown) => error);
  expect(broken).toBeInstanceOf(KeepapartUnreachableError);
  expect(broken).toMatchObject({ code: 'api-unreachable', requestId: 'b', accepted: undefined });
  expect(api.posts).toEqual(['a', 'b']);
});

test('A source is not touched until there is a connection, so an API that is not up yet costs nothing.', async () => {
  const { url } = api;
  const retries: string[] = [];
  const client = new KeepapartClient({
    url,
    retry: { ...QUICK, onRetry: ({ error }) => retries.push((error as KeepapartUnreachableError).reason) },
  });
  await api.close();
  const { source, seen } = onceOnly(numbered(3));
  await expect(client.stream(source)).rejects.toMatchObject({ reason: 'ECONNREFUSED' });
  expect([seen.asked, retries]).toEqual([false, ['ECONNREFUSED', 'ECONNREFUSED']]);
  api = await startStreamApi();
});

test('An invalid line throws the error of the API, with the number of durable records, and is not sent again.', async () => {
  const lines = ['1\n', '\n', '{"a":\n', '2\n'];
  const error = await clientOf()
    .streamNdjson(() => lines)
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ status: 400, code: 'invalid-json', accepted: 1 });
  expect((error as Error).message).toContain('line 3: expected one JSON value; received {"a":');
  expect(api.posts).toHaveLength(1);
});

describe('a source that throws', () => {
  const failing = (pieces: readonly string[]) =>
    function* () {
      yield* pieces;
      throw new RangeError('no more');
    };

  test.each([
    [
      ['1\n', '2\n'],
      [1, 2],
    ],
    [['1\n', '2'], [1]],
    [['1\n', '"ab'], [1]],
    [['1\n', '{"a":1}'], [1]],
    [['1\n', 't'], [1]],
    [[], []],
  ])('after %j leaves exactly the whole lines before: %j, and the same key goes on', async (pieces, kept) => {
    const error = await clientOf()
      .streamNdjson(failing(pieces), { idempotencyKey: 'k' })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KeepapartSourceError);
    expect(error).toMatchObject({ requestId: 'k', cause: new RangeError('no more') });
    expect((error as KeepapartSourceError).accepted ?? 0).toBe(kept.length);
    expect(api.durable.get('k')).toEqual(kept);
    await clientOf().stream([...kept, 'mended'], { idempotencyKey: 'k' });
    expect(api.durable.get('k')).toEqual([...kept, 'mended']);
  });

  test('may be a value that has no JSON', async () => {
    const values = function* () {
      yield 1;
      yield undefined;
    };
    const error = clientOf().stream(values, { idempotencyKey: 'k' });
    await expect(error).rejects.toThrow("Record 1 can't be written as JSON: it is undefined");
    expect(api.durable.get('k')).toEqual([1]);
  });
});

test('While the API reads nothing, no more is taken from the source than fits on the way.', async () => {
  const release = api.hold();
  let given = 0;
  const piece = `${JSON.stringify('x'.repeat(65_533))}\n`;
  const endless = function* () {
    for (;;) {
      given += piece.length;
      yield piece;
    }
  };
  const stop = new AbortController();
  const sending = clientOf().streamNdjson(endless, { signal: stop.signal });
  let before = -1;
  await waitFor(
    'the source to be left alone',
    () => {
      const still = given > 0 && given === before;
      before = given;
      return still;
    },
    { intervalMs: 200 },
  );
  expect(given).toBeLessThan(50 * 1024 * 1024);
  stop.abort(new Error('enough'));
  await expect(sending).rejects.toThrow('enough');
  release();
});

test('The number of durable records is reported during a stream, and is still known when the connection breaks.', async () => {
  const told: number[] = [];
  api.breaks.push({ afterRecords: 2, with: 'reset' });
  const endless = async function* () {
    yield '1\n2\n';
    await waitFor('the records', () => (api.durable.get('k') ?? []).length === 2);
    api.report();
    await waitFor('the report', () => told.length > 0);
    yield '3\n';
  };
  const error = await clientOf()
    .streamNdjson(endless(), { idempotencyKey: 'k', onAccepted: (accepted) => told.push(accepted) })
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'KeepapartUnreachableError', requestId: 'k', accepted: 2 });
  expect(told).toEqual([2]);
});

test('An abort ends a stream at once and closes its source.', async () => {
  const release = api.hold();
  const { source, seen } = onceOnly(numbered(100_000));
  const stop = new AbortController();
  const sending = clientOf().stream(source, {
    signal: stop.signal,
    onProgress: ({ records }) => {
      if (records === 10) stop.abort(new Error('enough'));
    },
  });
  await expect(sending).rejects.toThrow('enough');
  await waitFor('the source to be closed', () => seen.closed);
  release();
});

test.each(['abruptly', 'destroy'])(
  'an answer that comes early is read although the connection is closed on what is being sent (%s)',
  async (how) => {
    const child = spawn(process.execPath, [path.join(__dirname, 'early-answer.js'), how], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const [port] = (await once(child.stdout, 'data')) as [Buffer];
    const client = new KeepapartClient({ url: `http://127.0.0.1:${Number(port)}` });
    for (let i = 0; i < 30; i++) {
      const { source, seen } = onceOnly(
        Array.from({ length: 2000 }, () => 'x'.repeat(i % 2 === 0 ? 1000 : 16_000)),
      );
      const error = await client.stream(source).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ status: 400, code: 'invalid-json', accepted: 7 });
      await waitFor('the source to be closed', () => seen.closed);
    }
    child.stdin.end();
    await ended;
  },
);
