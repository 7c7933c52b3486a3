import { randomUUID } from 'node:crypto';
import { RUN_LIMITS } from '../../src/contracts/workflow/batcher';
import { WORKFLOW_TYPE } from '../../src/contracts/workflow/ids';
import { createBatcherClient } from '../../src/temporal/batcher-client';
import { rescue } from '../../src/temporal/rescue/rescue';
import { GIVING_WAY } from '../../src/temporal/shard/giving-way';
import { Shards } from '../../src/temporal/shard/shards';
import { savedValues } from '../helpers/memory-store';
import { anotherClient, startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** A batcher that somebody has ended with Temporal's own tools: what it was says nothing of the one that follows. */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

test('A batcher that was terminated with a full buffer is followed by one that takes lists again (G6).', async () => {
  pipeline = await startPipeline();
  const narrow = anotherClient(pipeline, { maxBufferedRecords: 3, maxBufferedBytes: 1000 });
  await narrow.pause('test');
  await narrow.addRecords({ requestId: 'full', values: [1, 2, 3] }, { once: true });
  const more = (requestId: string) => narrow.addRecords({ requestId, values: [4] }, { once: true });
  await expect(more('one')).rejects.toMatchObject({ code: 'buffer-full' });
  await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).terminate('by hand');
  await waitFor('room', () =>
    more('two').then(
      () => true,
      () => false,
    ),
  );
  await narrow.addRecords({ requestId: randomUUID(), values: [5] });
  expect((await narrow.status()).total).toMatchObject({ paused: false });
  await pipeline.quiet();
  expect(savedValues(pipeline.store)).toEqual([4, 5]);
});

test('A batcher that was terminated with a long history is followed by one that takes lists, with a worker and without (G6).', async () => {
  pipeline = await startPipeline({ worker: 'own' });
  for (let i = 0; i < 5; i++) await pipeline.send([i]);
  await pipeline.quiet();
  await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).terminate('by hand');
  await pipeline.stopWorker();
  const { client, address } = pipeline;
  const limits = { maxBufferedRecords: 100, maxBufferedBytes: 10_000 };
  const givingWay = { ...GIVING_WAY, standingEvents: 15 };
  const started = createBatcherClient(client, new Shards(client, address, limits, givingWay));
  await started.addRecords({ requestId: randomUUID(), values: ['after'] });
  await pipeline.startWorker();
  await pipeline.quiet();
  expect(savedValues(pipeline.store)).toEqual([0, 1, 2, 3, 4, 'after']);
});

test('Lists under keys that a batcher took before it was terminated are not taken again by the one that follows, though its first message repeats one of them (G4, G5).', async () => {
  pipeline = await startPipeline({ settings: { flushIntervalMs: 100, maxBatchSize: 2 } });
  const send = (requestId: string, values: number[]) =>
    pipeline.batcher.addRecords({ requestId, values }, { once: true });
  await send('first', [1, 2, 3]);
  await send('second', [4]);
  await pipeline.quiet();
  await pipeline.batcher.pause('test');
  await send('held', [5, 6]);
  await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).terminate('by hand');

  await Promise.all([send('second', [4]), send('held', [5, 6])]);
  await pipeline.quiet();
  await send('first', [1, 2, 3]);
  await expect(send('second', [7])).rejects.toMatchObject({ code: 'idempotency-key-reused' });
  await pipeline.quiet();
  expect([...savedValues(pipeline.store)].sort()).toEqual([1, 2, 3, 4, 5, 6]);
  expect(pipeline.store.outcomes()).toHaveLength(6);
  const { unaccounted, counters } = (await pipeline.batcher.status()).total;
  expect(unaccounted).toBe(0);
  expect(counters).toMatchObject({ accepted: 2, saved: 2 });
  expect(await rescue(pipeline.client, pipeline.shards)).toMatchObject({ lost: 0 });
});

test('The keys of a terminated batcher outlive a second termination (G5).', async () => {
  pipeline = await startPipeline({ settings: { flushIntervalMs: 100 } });
  const send = (requestId: string, values: number[]) =>
    pipeline.batcher.addRecords({ requestId, values }, { once: true });
  const handle = pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId);
  await send('first', [1]);
  await pipeline.quiet();
  await handle.terminate('by hand');
  await send('second', [2]);
  await pipeline.quiet();
  await handle.terminate('by hand, again');
  await send('third', [3]);
  await pipeline.quiet();
  await send('first', [1]);
  await send('second', [2]);
  await pipeline.quiet();
  expect([...savedValues(pipeline.store)].sort()).toEqual([1, 2, 3]);
});

test('The keys of a terminated batcher are known also when the one that follows hands over before it has looked for them (G5).', async () => {
  pipeline = await startPipeline({ worker: 'own', settings: { flushIntervalMs: 100 } });
  const send = () => pipeline.batcher.addRecords({ requestId: 'first', values: [1] }, { once: true });
  await send();
  await pipeline.quiet();
  await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).terminate('by hand');
  await pipeline.stopWorker();
  const { settings, taskQueue } = pipeline.address;
  await pipeline.client.workflow.start(WORKFLOW_TYPE.batcher, {
    workflowId: pipeline.batcherWorkflowId,
    taskQueue,
    args: [{ settings, limits: { ...RUN_LIMITS, messages: 3 } }],
  });
  // Far more than a run takes: then it doesn't wait for what the earlier batcher remembered.
  for (let i = 2; i < 22; i++) await pipeline.send([i]);
  await pipeline.startWorker();
  await waitFor('a handing over', async () => (await pipeline.status()).run.continuedAsNew > 0);
  await pipeline.quiet();
  await send();
  await pipeline.quiet();
  expect(pipeline.store.outcomes()).toHaveLength(21);
  expect(new Set(savedValues(pipeline.store)).size).toBe(21);
});
