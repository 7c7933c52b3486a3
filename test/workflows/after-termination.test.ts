import { randomUUID } from 'node:crypto';
import { createBatcherClient } from '../../src/temporal/batcher-client';
import { GIVING_WAY } from '../../src/temporal/shard/giving-way';
import { Shards } from '../../src/temporal/shard/shards';
import { savedValues } from '../helpers/memory-store';
import { anotherClient, startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** A batcher that somebody has ended with Temporal's own tools: what it was says nothing of the one that follows. */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

test('a batcher that was terminated with a full buffer is followed by one that takes lists again (G6)', async () => {
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

test('a batcher that was terminated with a long history is followed by one that takes lists, with a worker and without (G6)', async () => {
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
