import { randomUUID } from 'node:crypto';
import type { JsonValue } from '../../src/domain/json';
import { anotherClient, startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/**
 * A request whose records come one after another: taken in parts, each once and in order (G3, G4, G5). How a stream waits
 * and ends is tested without a server, in record-stream.test.ts and stream-room.test.ts.
 */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

const WANTED = { stillWanted: () => true };

/** Bounds of a buffer that four of the large records fill. */
const NARROW = { maxBufferedRecords: 1000, maxBufferedBytes: 130_000 };

/** Records of 30 KiB, of which two fill a part, and each is one where the buffer is narrow. */
function large(length: number): string[] {
  return Array.from({ length }, (_, i) => `${i} ${'x'.repeat(30_000)}`);
}

async function stream(requestId: string, values: Iterable<JsonValue>, { once = true, end = true } = {}) {
  const opened = await pipeline.batcher.openStream(requestId, { once, ...WANTED });
  for (const value of values) await opened.write(value);
  return end ? opened.end() : opened.durable();
}

/** recordIds with an outcome, in order of their place in the request. */
function settledIds(): string[] {
  const place = (recordId: string) => Number(recordId.split(':').at(-1));
  return pipeline.store
    .outcomes()
    .map(({ recordId }) => recordId)
    .sort((a, b) => place(a) - place(b));
}

function idsOf(requestId: string, length: number): string[] {
  return Array.from({ length }, (_, i) => `${requestId}:${i}`);
}

test('A stream of several parts ends in one outcome for each record, under the places of the whole (G4).', async () => {
  pipeline = await startPipeline();
  expect(await stream('all', large(11))).toBe(11);
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ accepted: 11, duplicateRequests: 0 });
  expect(settledIds()).toEqual(idsOf('all', 11));
  const view = await pipeline.batcher.request('all');
  expect(view?.counts).toEqual({ buffered: 0, in_batch: 0, saved: 11, rolled_back: 0 });
  const { batches } = await pipeline.batcher.batches({ requestId: 'all', limit: 200 });
  expect(batches.reduce((sum, { saved }) => sum + (saved ?? 0), 0)).toBe(11);
  expect((await pipeline.batcher.batches({ requestId: 'other', limit: 200 })).batches).toEqual([]);
});

test('Without a key a stream is durable without a worker (G3), and each sending is a request of its own.', async () => {
  pipeline = await startPipeline({ worker: 'none' });
  const [first, second] = [randomUUID(), randomUUID()];
  expect(await stream(first, [3, 4], { once: false })).toBe(2);
  expect(await stream(second, [3, 4], { once: false })).toBe(2);
  await pipeline.startWorker();
  await pipeline.quiet();
  expect(settledIds().sort()).toEqual([...idsOf(first, 2), ...idsOf(second, 2)].sort());
  expect((await pipeline.batcher.request(first))?.counts).toMatchObject({ saved: 2 });
});

test('The same stream under the same key adds nothing; a longer, a shorter or another one is refused (G5).', async () => {
  pipeline = await startPipeline();
  expect(await stream('k', large(5))).toBe(5);
  expect(await stream('k', large(5))).toBe(5);
  const reused = { code: 'idempotency-key-reused' };
  await expect(stream('k', large(6))).rejects.toMatchObject(reused);
  await expect(stream('k', large(4))).rejects.toMatchObject(reused);
  await expect(stream('k', [...large(4), 'other'])).rejects.toMatchObject(reused);
  await expect(
    pipeline.batcher.addRecords({ requestId: 'k', values: [1] }, { once: true }),
  ).rejects.toMatchObject(reused);
  await pipeline.batcher.addRecords({ requestId: 'list', values: [1] }, { once: true });
  await expect(stream('list', [1])).rejects.toMatchObject(reused);
  const { counters } = await pipeline.quiet();
  expect(counters.accepted).toBe(6);
});

test('A stream that broke goes on where it is durable, at any API and across continue-as-new (G5).', async () => {
  const limits = { historyEvents: 4000, historyBytes: 1e9, messages: 2 };
  pipeline = await startPipeline({ limits });
  const durable = await stream('k', large(8), { end: false });
  expect(durable).toBe(8);
  await pipeline.send(['a'], ['b']);
  await waitFor('a later run', async () => (await pipeline.status()).run.continuedAsNew >= 1);
  const other = anotherClient(pipeline);
  const again = await other.openStream('k', { once: true, ...WANTED });
  for (const value of large(12)) await again.write(value);
  expect(await again.end()).toBe(12);
  const { counters } = await pipeline.quiet();
  expect(counters.accepted).toBe(14);
  expect(settledIds().filter((recordId) => recordId.startsWith('k:'))).toEqual(idsOf('k', 12));
});

test('Of two senders at the same time each record is taken once, and nobody is told more than is true (G4, G5).', async () => {
  pipeline = await startPipeline();
  const results = await Promise.allSettled([stream('k', large(12)), stream('k', large(12))]);
  for (const result of results) {
    if (result.status === 'fulfilled') expect(result.value).toBe(12);
    else expect(result.reason).toMatchObject({ code: 'stream-overtaken', retryAfterMs: 1000 });
  }
  // Whoever was told to send it again comes to the end.
  expect(await stream('k', large(12))).toBe(12);
  await pipeline.quiet();
  expect(settledIds()).toEqual(idsOf('k', 12));
});

test('Records of a slow stream are on their way before it ends.', async () => {
  pipeline = await startPipeline();
  const opened = await pipeline.batcher.openStream('slow', { once: true, ...WANTED });
  await opened.write(7);
  await waitFor('an outcome', () => Promise.resolve(settledIds().length === 1));
  await opened.write(8);
  expect(await opened.end()).toBe(2);
  await pipeline.quiet();
  expect(settledIds()).toEqual(idsOf('slow', 2));
});

test('A full buffer holds a stream back instead of refusing it (G6).', async () => {
  pipeline = await startPipeline({ settings: { maxBatchSize: 2, batchSpacingMs: 50 } });
  const narrow = anotherClient(pipeline, NARROW);
  const held = await narrow.openStream('held', { once: true, ...WANTED });
  const buffered: number[] = [];
  for (const value of large(20)) {
    await held.write(value);
    const { total } = await narrow.status();
    buffered.push(total.bufferedBytes);
  }
  expect(await held.end()).toBe(20);
  expect(Math.max(...buffered)).toBeLessThanOrEqual(NARROW.maxBufferedBytes);
  await pipeline.quiet();
  expect(settledIds()).toEqual(idsOf('held', 20));
});

test('However many streams broke, a new one is taken, and each of them goes on where it is durable (G5, G6).', async () => {
  pipeline = await startPipeline();
  const broken = Array.from({ length: 310 }, (_, i) => `broken-${i}`);
  await Promise.all(broken.map((key) => stream(key, [`${key} 1`], { end: false })));
  expect(await stream('whole', ['whole'])).toBe(1);
  // The first have long been left to their digests, the last have not.
  for (const key of [...broken.slice(0, 3), ...broken.slice(-3)]) {
    expect(await stream(key, [`${key} 1`, `${key} 2`])).toBe(2);
    await expect(stream(key, [`${key} 1`, 'other'])).rejects.toMatchObject({
      code: 'idempotency-key-reused',
    });
  }
  await expect(stream('broken-5', ['other'])).rejects.toMatchObject({ code: 'idempotency-key-reused' });
  await expect(
    pipeline.batcher.addRecords({ requestId: 'broken-6', values: ['broken-6 1'] }, { once: true }),
  ).rejects.toMatchObject({ code: 'idempotency-key-reused' });
  const { counters } = await pipeline.quiet();
  expect(counters.accepted).toBe(broken.length + 1 + 6);
});

test('A stream that is left to its digest while it is being sent goes on all the same (G5).', async () => {
  pipeline = await startPipeline();
  const slow = await pipeline.batcher.openStream('slow', { once: true, ...WANTED });
  const [first, second, third, fourth] = large(4) as [string, string, string, string];
  await slow.write(first);
  await slow.write(second);
  await slow.write(third);
  await waitFor('the first part', async () => (await pipeline.status()).counters.accepted >= 2);
  await Promise.all(Array.from({ length: 301 }, (_, i) => stream(`other-${i}`, [i], { end: false })));
  await slow.write(fourth);
  expect(await slow.end()).toBe(4);
  expect(await stream('slow', large(4))).toBe(4);
  const { counters } = await pipeline.quiet();
  expect(counters.accepted).toBe(301 + 4);
});
