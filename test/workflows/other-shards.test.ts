import { randomUUID } from 'node:crypto';
import type { BatcherClient } from '../../src/contracts/batcher-client';
import { batcherWorkflowId, shardOf } from '../../src/contracts/workflow/ids';
import { createBatcherClient } from '../../src/temporal/batcher-client';
import { deleteWorkflow } from '../helpers/by-hand';
import { savedValues } from '../helpers/memory-store';
import { anotherShards, startPipeline, type TestPipeline } from '../helpers/pipeline';

/** G5 when SHARDS changes: processes with other numbers of shards, one after another and at the same time. */
let pipeline: TestPipeline;
afterEach(async () => {
  // Whatever a process with more shards has started.
  for (let shard = pipeline.address.shards; shard < 4; shard++) {
    await pipeline.client.workflow
      .getHandle(batcherWorkflowId(pipeline.address.batcherId, shard))
      .terminate('end of the test')
      .catch(() => undefined);
  }
  await pipeline.close();
});

/** A process that is configured with so many shards. */
function processWith(shards: number): BatcherClient {
  return createBatcherClient(pipeline.client, anotherShards(pipeline, { shards }));
}

/** Keys that belong to each of these places, in two layouts. */
function keysOf(from: number, to: number): string[] {
  const keys = new Map<string, string>();
  while (keys.size < from * to) {
    const key = randomUUID();
    keys.set(`${shardOf(key, from)} ${shardOf(key, to)}`, key);
  }
  return [...keys.values()];
}

const once = { once: true };
const WANTED = { once: true, stillWanted: () => true };
const reused = { code: 'idempotency-key-reused' };

/** Waits until no shard holds anything. */
async function allQuiet(): Promise<void> {
  const api = processWith(4);
  for (;;) {
    const { total } = await api.status();
    if (total.bufferedRecords + total.inFlight === 0) return;
  }
}

test.each([
  [2, 3],
  [3, 2],
  [1, 4],
  [2, 1],
])(
  'A key that was taken with %i shards is known with %i, and other records under it are refused (G5).',
  async (from, to) => {
    pipeline = await startPipeline({ shards: from });
    const keys = keysOf(from, to);
    for (const key of keys) await pipeline.batcher.addRecords({ requestId: key, values: [key] }, once);
    const changed = processWith(to);
    for (const key of keys) {
      await changed.addRecords({ requestId: key, values: [key] }, once);
      await expect(changed.addRecords({ requestId: key, values: ['else'] }, once)).rejects.toMatchObject(
        reused,
      );
    }
    await allQuiet();
    expect(savedValues(pipeline.store)).toEqual([...keys].sort());
  },
);

test('While processes with both numbers of shards run, each key is taken once, whoever takes it first or both at once (G5).', async () => {
  pipeline = await startPipeline({ shards: 2 });
  const before = pipeline.batcher;
  await before.addRecords({ requestId: randomUUID(), values: ['first'] }, once);
  const after = processWith(3);
  const values = ['first'];
  for (const order of [
    [before, after],
    [after, before],
  ]) {
    for (const key of keysOf(2, 3)) {
      values.push(key);
      for (const api of order) await api.addRecords({ requestId: key, values: [key] }, once);
    }
  }
  for (const key of keysOf(2, 3)) {
    values.push(key);
    await Promise.all(
      [before, after, before].map((api) => api.addRecords({ requestId: key, values: [key] }, once)),
    );
  }
  await allQuiet();
  expect(savedValues(pipeline.store)).toEqual(values.sort());
});

test('Processes that start at the same time with other numbers of shards take each key once (G5).', async () => {
  pipeline = await startPipeline({ shards: 2 });
  const processes = [1, 2, 3, 4, 2, 3].map(processWith);
  const keys = Array.from({ length: 12 }, () => randomUUID());
  await Promise.all(
    keys.flatMap((key) => processes.map((api) => api.addRecords({ requestId: key, values: [key] }, once))),
  );
  await allQuiet();
  expect(savedValues(pipeline.store)).toEqual([...keys].sort());
});

test('A stream that broke with two shards goes on with three, and back, where it is durable (G5).', async () => {
  pipeline = await startPipeline({ shards: 2 });
  const keys = keysOf(2, 3);
  const lines = ['a', 'b', 'c', 'd', 'e', 'f'];
  const send = async (api: BatcherClient, key: string, length: number, whole: boolean) => {
    const stream = await api.openStream(key, WANTED);
    for (const line of lines.slice(0, length)) await stream.write(`${key} ${line}`);
    return whole ? stream.end() : stream.durable();
  };
  for (const key of keys) expect(await send(pipeline.batcher, key, 2, false)).toBe(2);
  const more = processWith(3);
  for (const key of keys) expect(await send(more, key, 4, false)).toBe(4);
  for (const key of keys) expect(await send(pipeline.batcher, key, 6, true)).toBe(6);
  for (const key of keys) expect(await send(more, key, 6, true)).toBe(6);
  await allQuiet();
  expect(savedValues(pipeline.store)).toEqual(
    keys.flatMap((key) => lines.map((line) => `${key} ${line}`)).sort(),
  );
  expect((await more.request(keys[0]!))?.counts).toMatchObject({ saved: 6 });
});

test('A stream that is being sent while the number of shards changes is taken whole, once (G5).', async () => {
  pipeline = await startPipeline({ shards: 2 });
  const key = keysOf(2, 3).find((one) => shardOf(one, 2) !== shardOf(one, 3))!;
  const stream = await pipeline.batcher.openStream(key, WANTED);
  await stream.write('x'.repeat(60_000));
  await stream.write('y'.repeat(60_000));
  const changed = processWith(3);
  await changed.addRecords({ requestId: randomUUID(), values: [1] }, once);
  await stream.write('z'.repeat(60_000));
  expect(await stream.end()).toBe(3);
  const again = await changed.openStream(key, WANTED);
  for (const letter of 'xyz') await again.write(letter.repeat(60_000));
  expect(await again.end()).toBe(3);
  await allQuiet();
  expect(pipeline.store.outcomes()).toHaveLength(4);
});

test('A key is taken once, though the batcher that knew of a change was deleted, and a process with each number of shards runs (G5).', async () => {
  pipeline = await startPipeline({ shards: 2 });
  const before = pipeline.batcher;
  await before.addRecords({ requestId: randomUUID(), values: ['first'] }, once);
  await allQuiet();
  await deleteWorkflow(pipeline.client, batcherWorkflowId(pipeline.address.batcherId, 0));
  const after = processWith(1);
  const values = ['first'];
  for (const key of [...keysOf(1, 2), ...keysOf(1, 2)]) {
    values.push(key);
    await Promise.all(
      [before, after, before, after].map((api) => api.addRecords({ requestId: key, values: [key] }, once)),
    );
  }
  await allQuiet();
  expect(savedValues(pipeline.store)).toEqual(values.sort());
});
