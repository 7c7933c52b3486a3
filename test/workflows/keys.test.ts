import { createHash, randomUUID } from 'node:crypto';
import type { JsonValue } from '../../src/domain/json';
import { savedValues } from '../helpers/memory-store';
import { anotherClient, startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** G5: a request with a key is taken once, whoever sends it, how often and when. */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

function sendOnce(requestId: string, values: JsonValue[]): Promise<void> {
  return pipeline.batcher.addRecords({ requestId, values }, { once: true });
}

test('The same key with the same records adds nothing, one after another and at the same time (G5).', async () => {
  pipeline = await startPipeline();
  const key = randomUUID();
  await Promise.all([sendOnce(key, [3, { a: 1, b: 2 }]), sendOnce(key, [3, { b: 2, a: 1 }])]);
  await pipeline.quiet();
  await sendOnce(key, [3, { a: 1, b: 2 }]);
  const { counters } = await pipeline.quiet();
  expect(pipeline.store.outcomes().map(({ recordId }) => recordId)).toEqual([`${key}:0`, `${key}:1`]);
  expect(counters).toMatchObject({ accepted: 2, duplicateRequests: 2 });
});

test('The same key with other records is refused, and of two at the same time one counts (G5).', async () => {
  pipeline = await startPipeline();
  const key = randomUUID();
  const results = await Promise.allSettled([sendOnce(key, ['a']), sendOnce(key, ['b'])]);
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  await expect(sendOnce(key, ['c'])).rejects.toMatchObject({ code: 'idempotency-key-reused' });
  await pipeline.quiet();
  expect(savedValues(pipeline.store)).toEqual([results[0].status === 'fulfilled' ? 'a' : 'b']);
});

test('Keys are known to every API process, and across continue-as-new (G5).', async () => {
  pipeline = await startPipeline({ limits: { historyEvents: 4000, historyBytes: 1e9, messages: 2 } });
  const other = anotherClient(pipeline);
  const keys = [randomUUID(), randomUUID(), randomUUID()];
  for (const key of keys) await sendOnce(key, [key]);
  await waitFor('a later run', async () => (await pipeline.status()).run.continuedAsNew >= 1);
  for (const key of keys) await other.addRecords({ requestId: key, values: [key] }, { once: true });
  await expect(
    other.addRecords({ requestId: keys[0]!, values: ['else'] }, { once: true }),
  ).rejects.toMatchObject({ code: 'idempotency-key-reused' });
  await pipeline.quiet();
  expect(savedValues(pipeline.store)).toEqual([...keys].sort());
});

test('Keys are forgotten beyond the count that the settings give, the oldest first (G5).', async () => {
  pipeline = await startPipeline({ settings: { idempotencyWindowKeys: 2 } });
  for (const key of ['first', 'second', 'third']) await sendOnce(key, [key]);
  await sendOnce('second', ['second']);
  await sendOnce('first', ['first']);
  await pipeline.quiet();
  expect(savedValues(pipeline.store)).toEqual(['first', 'first', 'second', 'third']);
});

test('A request that is taken again while its first sending is buffered shares no batch with it (G4).', async () => {
  pipeline = await startPipeline({ settings: { idempotencyWindowKeys: 0 } });
  await pipeline.batcher.pause('test');
  await sendOnce('key', ['a', 'b']);
  await pipeline.batcher.addRecords({ requestId: 'key', values: ['a', 'b'] });
  await pipeline.batcher.resume('test');
  await pipeline.quiet();
  expect(savedValues(pipeline.store)).toEqual(['a', 'a', 'b', 'b']);
  for (const file of pipeline.store.files.values()) {
    expect(new Set(file.map(({ recordId }) => recordId)).size).toBe(file.length);
  }
});

test('Without a worker nothing is acknowledged that could turn out refused, and a repeat is acknowledged later (G5).', async () => {
  pipeline = await startPipeline({ worker: 'none' });
  const key = randomUUID();
  await expect(sendOnce(key, ['kept'])).rejects.toMatchObject({ code: 'temporal-unavailable' });
  await pipeline.startWorker();
  await sendOnce(key, ['kept']);
  await pipeline.quiet();
  expect(savedValues(pipeline.store)).toEqual(['kept']);
});

test('Lists that share the first 36 bits of their digest are two lists, and the second is refused (G5).', async () => {
  pipeline = await startPipeline();
  const [first, second] = listsThatCollide();
  await sendOnce('key', first);
  await expect(sendOnce('key', second)).rejects.toMatchObject({ code: 'idempotency-key-reused' });
  await pipeline.quiet();
  expect(savedValues(pipeline.store)).toEqual(first);
});

/** Two lists of which SHA-256 begins with the same 36 bits: 2^18 tries find some. */
function listsThatCollide(): [number[], number[]] {
  const seen = new Map<string, number>();
  for (let i = 0; ; i++) {
    const start = createHash('sha256').update(`[${i}]`).digest('base64url').slice(0, 6);
    const other = seen.get(start);
    if (other !== undefined) return [[other], [i]];
    seen.set(start, i);
  }
}
