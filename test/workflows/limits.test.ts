import type { ChildInput } from '../../src/contracts/workflow/child';
import { HOUR } from '../../src/domain/duration';
import { inputOf, readStart } from '../../src/temporal/server/history';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** Limits that change while records are buffered and batches run. */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

const sizes = () => [...pipeline.store.files.values()].map((file) => file.length).sort();

test('A change of limits applies to buffered records, and outlives starts and continue-as-new (G1, G2).', async () => {
  pipeline = await startPipeline({
    settings: { flushIntervalMs: HOUR },
    limits: { historyEvents: 4000, historyBytes: 1e9, messages: 4 },
  });
  await pipeline.batcher.pause('test');
  await pipeline.send([3, 4, 5, 6]);
  const patch = { maxBatchSize: 2, conflicts: [{ group: [3, 4, 5] }] };
  const answer = await pipeline.batcher.changeLimits(patch, 'Ann');
  expect(answer).toMatchObject({
    by: 'Ann',
    shards: [{ shard: 0, limits: { ...patch, flushIntervalMs: HOUR } }],
  });
  await pipeline.shards.configure('another API');
  await pipeline.batcher.resume('test');
  await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew > 0);
  await pipeline.batcher.flush('test');
  await pipeline.quiet();
  expect(sizes()).toEqual([1, 1, 2]);
  expect(await pipeline.batcher.status()).toMatchObject({
    settings: patch,
    shards: [{ overridden: { maxBatchSize: { value: 2, configured: 5, by: 'Ann', atMs: answer.atMs } } }],
  });

  const again = await pipeline.batcher.changeLimits(patch, 'Bob');
  expect(again.shards[0]?.overridden.maxBatchSize?.by).toBe('Ann');
  const reset = await pipeline.batcher.changeLimits({ maxBatchSize: null, conflicts: null }, 'Bob');
  expect(reset.shards).toMatchObject([{ limits: { maxBatchSize: 5 }, overridden: {} }]);
  await pipeline.send([3, 4, 5, 6, 7]);
  await pipeline.quiet();
  expect(sizes()).toEqual([1, 1, 2, 5]);
});

test('Every shard gets a change, also one whose batcher is not there yet; who made it stands in history.', async () => {
  pipeline = await startPipeline({ shards: 2, settings: { maxAttempts: 1 } });
  const { shards } = await pipeline.batcher.changeLimits({ maxAttempts: 4, retryIntervalMs: 7 }, 'Ann');
  expect(shards.map(({ limits }) => limits.maxAttempts)).toEqual([4, 4]);
  const { events } = await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).fetchHistory();
  const accepted = (events ?? []).flatMap(
    (event) => event.workflowExecutionUpdateAcceptedEventAttributes ?? [],
  );
  const args = accepted[0]?.acceptedRequest?.input?.args?.payloads?.map(({ data }) =>
    JSON.parse(Buffer.from(data!).toString()),
  );
  expect(args).toMatchObject([{ maxAttempts: 4, retryIntervalMs: 7 }, { by: 'Ann' }]);

  const [requestId = ''] = await pipeline.send(['a']);
  await waitFor('the record', () => pipeline.store.outcomes().length === 1);
  const batchId = (await pipeline.batcher.request(requestId))?.records[0]?.batchId ?? '';
  const started = (await inputOf(
    pipeline.client,
    await readStart(pipeline.client, batchId),
    batchId,
  )) as ChildInput;
  expect(started).toMatchObject({
    maxAttempts: 4,
    retryIntervalMs: 7,
    cutBy: { maxBatchSize: 5, rules: [] },
  });
});

test('A bad change is refused by the batcher as well, with every problem, and leaves nothing in history.', async () => {
  pipeline = await startPipeline();
  const bad = { maxBatchSize: 0, maxInFlight: 1.5 };
  await expect(pipeline.batcher.changeLimits(bad, 'Ann')).rejects.toMatchObject({
    code: 'invalid-request',
    problems: [{ field: '/maxBatchSize' }, { field: '/maxInFlight' }],
  });
  const { events } = await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).fetchHistory();
  expect((events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes)).toEqual([]);
  expect(await pipeline.status()).toMatchObject({ overridden: {} });
});

test('Without a worker a change is refused for now, and can be repeated whether or not it is made.', async () => {
  pipeline = await startPipeline({ worker: 'own' });
  await pipeline.shards.configure('test');
  await pipeline.stopWorker();
  await expect(pipeline.batcher.changeLimits({ maxBatchSize: 2 }, 'Ann')).rejects.toMatchObject({
    code: 'temporal-unavailable',
  });
  await pipeline.startWorker();
  const { shards } = await pipeline.batcher.changeLimits({ maxBatchSize: 2 }, 'Bob');
  expect(shards).toMatchObject([{ limits: { maxBatchSize: 2 } }]);
});
