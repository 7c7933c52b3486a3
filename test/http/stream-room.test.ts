import { setImmediate as turn } from 'node:timers/promises';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { listen, type Listening } from '../../src/http/listen';
import { BufferingBatcher } from '../helpers/buffering-batcher';
import { waitFor } from '../helpers/wait-for';
import { testApp } from './test-app';

/** Streams over real connections to a buffer that is too small for them. */
let api: Listening | undefined;
afterEach(() => api?.close({ graceMs: 0 }));

const SOON = { timeoutMs: 10_000 };
const MANY_BYTES = 1024 * 1024;
const numbers = (length: number) => Array.from({ length }, (_, i) => i);

async function start(limits: { maxBufferedRecords: number; maxBufferedBytes?: number }) {
  const batcher = new BufferingBatcher({ maxBufferedBytes: MANY_BYTES, ...limits });
  const { app, drain, logs } = testApp({ batcher });
  const listening = await listen(app, { host: '127.0.0.1', port: 0 });
  api = listening;
  function send(body: string) {
    const sent = httpRequest(`${listening.url}/v1/records`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', 'content-length': Buffer.byteLength(body) },
    });
    sent.end(body);
    const answer = (async () => {
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      return { status: response.statusCode, body: JSON.parse(await text(response)) as object };
    })();
    answer.catch(() => undefined);
    return { sent, answer };
  }
  return { batcher, drain, logs, send };
}

/** Waits until the buffer takes no more, and has been asked again and again whether there is room. */
async function untilHeldUp(batcher: BufferingBatcher, records: number): Promise<void> {
  await waitFor('the buffer to be full', () => batcher.taken.length >= records, SOON);
  const { questions } = batcher;
  await waitFor('the stream to wait for room', () => batcher.questions > questions + 2, SOON);
}

test('A stream whose body has come whole still waits for room in the buffer, and is then taken to its end.', async () => {
  const { batcher, send } = await start({ maxBufferedRecords: 3000 });
  const { answer } = send(numbers(4000).join('\n'));
  await untilHeldUp(batcher, 2000);
  batcher.makeRoom();
  expect(await answer).toEqual({ status: 202, body: { requestId: 'r1', accepted: 4000 } });
  expect(batcher.taken).toEqual(numbers(4000));
});

test('A stream that waits for room ends when its client has gone, and sends nothing more.', async () => {
  const { batcher, send, logs } = await start({ maxBufferedRecords: 3000 });
  const { sent, answer } = send(numbers(4000).join('\n'));
  await untilHeldUp(batcher, 2000);
  const taken = batcher.taken.length;
  // A reset: a client that merely says that it sends no more still wants its answer.
  sent.socket?.resetAndDestroy();
  await expect(answer).rejects.toThrow();
  await waitFor('the stream to end', () => logs.some((line) => line.includes('"not-ready"')), SOON);
  batcher.makeRoom();
  await turn();
  expect(batcher.taken).toHaveLength(taken);
});

test('A stream that waits for room ends when the process is about to stop, and says how much is durable.', async () => {
  const { batcher, send, drain } = await start({ maxBufferedRecords: 3000 });
  const { answer } = send(numbers(4000).join('\n'));
  await untilHeldUp(batcher, 2000);
  drain.on = true;
  expect(await answer).toMatchObject({
    status: 503,
    body: { code: 'not-ready', accepted: batcher.taken.length },
  });
});

test.each([
  ['800 records into a buffer for 500', 800, { maxBufferedRecords: 500 }],
  ['3 records into a buffer for 1', 3, { maxBufferedRecords: 1 }],
  ['2,690 bytes into a buffer for 1,000', 1000, { maxBufferedRecords: 10_000, maxBufferedBytes: 1000 }],
])('A stream larger than the buffer is taken piece by piece: %s.', async (_title, length, limits) => {
  const { batcher, send } = await start(limits);
  const { answer } = send(numbers(length).join('\n'));
  const room = setInterval(() => batcher.makeRoom(), 1);
  const answered = await answer.finally(() => clearInterval(room));
  expect(answered).toEqual({ status: 202, body: { requestId: 'r1', accepted: length } });
  expect(batcher.taken).toEqual(numbers(length));
});

test('A record larger than its share of the buffer is a piece by itself.', async () => {
  const { batcher, send } = await start({ maxBufferedRecords: 100, maxBufferedBytes: 1000 });
  const large = 'x'.repeat(900);
  const { answer } = send([1, large, 2].map((value) => JSON.stringify(value)).join('\n'));
  const room = setInterval(() => batcher.makeRoom(), 1);
  const answered = await answer.finally(() => clearInterval(room));
  expect(answered.status).toBe(202);
  expect([batcher.taken, batcher.parts]).toEqual([
    [1, large, 2],
    [1, 1, 1],
  ]);
});
