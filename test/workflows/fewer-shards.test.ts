import { randomUUID } from 'node:crypto';
import { shardOf } from '../../src/contracts/workflow/ids';
import { HOUR } from '../../src/domain/duration';
import { createBatcherClient } from '../../src/temporal/batcher-client';
import { anotherShards, startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

let pipeline: TestPipeline;
afterEach(() => pipeline.close());

/** The id of a request that belongs to the second of two shards. */
function idOfSecondShard(): string {
  for (;;) {
    const requestId = randomUUID();
    if (shardOf(requestId, 2) === 1) return requestId;
  }
}

test('After SHARDS was lowered, status, requests and controls still reach what the shard beyond it holds.', async () => {
  pipeline = await startPipeline({ shards: 2, settings: { flushIntervalMs: HOUR } });
  const requestId = idOfSecondShard();
  await pipeline.batcher.pause('before');
  await pipeline.batcher.addRecords({ requestId, values: ['x'] });

  const lowered = createBatcherClient(pipeline.client, anotherShards(pipeline, { shards: 1 }));
  // Which batchers are open Temporal tells a moment late.
  await waitFor('the second shard to be in status', async () => {
    const { shards } = await lowered.status();
    return shards.some(
      ({ shard, bufferedRecords, paused }) => shard === 1 && bufferedRecords === 1 && paused,
    );
  });
  expect((await lowered.request(requestId))?.counts).toMatchObject({ buffered: 1 });
  await lowered.resume('after');
  await lowered.flush('after');
  await waitFor('the record to be saved', async () => {
    return (await lowered.request(requestId))?.counts.saved === 1;
  });
  expect((await lowered.status()).total).toMatchObject({ bufferedRecords: 0, counters: { saved: 1 } });
});

test('A process with another TASK_QUEUE than open batchers are on is told so, and how to move.', async () => {
  pipeline = await startPipeline();
  await pipeline.send(['x']);
  await pipeline.quiet();
  const { taskQueue } = pipeline.address;
  const moved = anotherShards(pipeline, { taskQueue: 'another' });
  await waitFor('Temporal to tell of the batcher', async () =>
    moved.checkTaskQueue().then(
      () => false,
      () => true,
    ),
  );
  await expect(moved.checkTaskQueue()).rejects.toMatchObject({
    code: 'invalid-config',
    message: expect.stringContaining(`${pipeline.batcherWorkflowId} runs on ${taskQueue}`),
    problems: [{ field: 'TASK_QUEUE', expected: taskQueue, received: 'another' }],
  });
  await pipeline.shards.checkTaskQueue();
});
