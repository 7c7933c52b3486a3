import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { batcherWorkflowId, shardOf } from '../../src/contracts/workflow/ids';
import { HOUR, KIB } from '../../src/domain/duration';
import { HOLDS_BATCHES } from '../../src/temporal/children/batch-queries';
import { rescue } from '../../src/temporal/rescue/rescue';
import { bundleOf, startBuild } from '../helpers/builds';
import { savedValues } from '../helpers/memory-store';
import { anotherShards, startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** What was acknowledged and is out of reach is found, and taken in again, each record once (G3, G4). */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

const AS_ANN = { apply: { by: 'Ann' } };

function terminate(): Promise<unknown> {
  return pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).terminate('by hand');
}

function expectOnce(values: readonly unknown[]): void {
  expect([...savedValues(pipeline.store)].sort()).toEqual([...values].sort());
}

test('What a batcher held that was terminated comes back under its own ids, though another batcher has begun meanwhile.', async () => {
  pipeline = await startPipeline({ settings: { flushIntervalMs: 100, maxBatchSize: 2 } });
  await pipeline.send(['done', 'too']);
  await pipeline.quiet();
  await pipeline.batcher.pause('test');
  const [requestId = ''] = await pipeline.send(['a', 'b', 'c']);
  await pipeline.batcher.addRecords({ requestId: 'key', values: ['keyed'] }, { once: true });
  await terminate();
  await pipeline.send(['next']);
  await pipeline.quiet();

  const found = await rescue(pipeline.client, pipeline.shards);
  expect(found).toMatchObject({ stuck: [], orphanPages: [], lost: 4, done: false });
  expect(found.ended).toMatchObject([
    { batcher: pipeline.batcherWorkflowId, status: 'terminated', records: 4 },
  ]);
  expect(await rescue(pipeline.client, pipeline.shards, AS_ANN)).toMatchObject({ lost: 4, done: true });
  await pipeline.batcher.addRecords({ requestId: 'key', values: ['keyed'] }, { once: true });
  await pipeline.quiet();
  expectOnce(['done', 'too', 'next', 'a', 'b', 'c', 'keyed']);
  expect((await pipeline.batcher.request(requestId))?.counts).toMatchObject({ saved: 3 });
  expect(await rescue(pipeline.client, pipeline.shards, AS_ANN)).toMatchObject({ lost: 0 });
  expect(pipeline.store.outcomes()).toHaveLength(7);
});

test('Pages that no batcher knows of come back, and are let go.', async () => {
  pipeline = await startPipeline({
    settings: { flushIntervalMs: HOUR, maxBatchSize: 20 },
    limits: { historyEvents: 4000, historyBytes: 1e9, messages: 20 },
  });
  await pipeline.batcher.pause('test');
  const large = 'x'.repeat(20 * KIB);
  const values = Array.from({ length: 30 }, (_, i) => `${i} ${large}`);
  for (const value of values) await pipeline.send([value]);
  await waitFor('pages', async () => (await pipeline.status()).pages > 0);
  await terminate();
  await pipeline.send(['next']);
  await waitFor('the next batcher', async () => (await pipeline.status()).bufferedRecords === 1);

  const { orphanPages, lost } = await rescue(pipeline.client, pipeline.shards, AS_ANN);
  expect(orphanPages.length).toBeGreaterThan(0);
  expect(lost).toBe(30);
  await pipeline.batcher.flush('test');
  await pipeline.quiet();
  expectOnce([...values, 'next']);
  expect(await rescue(pipeline.client, pipeline.shards)).toMatchObject({ orphanPages: [], lost: 0 });
});

test('Nothing is out of reach of batchers that run, whatever they hold.', async () => {
  pipeline = await startPipeline({ settings: { flushIntervalMs: HOUR } });
  await pipeline.send(['a'], [1, 2]);
  await pipeline.batcher.addRecords({ requestId: randomUUID(), values: ['b'] }, { once: true });
  expect(await rescue(pipeline.client, pipeline.shards, AS_ANN)).toMatchObject({
    stuck: [],
    ended: [],
    lost: 0,
  });
  expect((await pipeline.status()).bufferedRecords).toBe(4);
});

test('A batcher whose run no worker can take up begins again with all that it was sent, and adopts its batches.', async () => {
  pipeline = await startPipeline({ worker: 'none' });
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  pipeline.store.beforeSave = ({ value }) => (value === 'slow' ? held : undefined);
  const careless = await startBuild(pipeline, {
    workflowBundle: await bundleOf(path.join(__dirname, 'careless-build.ts')),
  });
  try {
    await pipeline.send(['done']);
    await waitFor('a record to be saved', () => savedValues(pipeline.store).includes('done'));
    await pipeline.send(['slow']);
    await waitFor('another to be on its way', () => careless.began.includes('slow'));
  } finally {
    release();
    await careless.stop();
  }
  await pipeline.send([1, 2, 'waits']);
  await pipeline.startWorker();
  await waitFor('the run to be stuck', async () => {
    const { raw } = await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).describe();
    return (raw.pendingWorkflowTask?.attempt ?? 1) > 3;
  });
  expect(await rescue(pipeline.client, pipeline.shards)).toMatchObject({ stuck: [{}], done: false });
  expect(await rescue(pipeline.client, pipeline.shards, AS_ANN)).toMatchObject({ stuck: [{}], done: true });
  expect((await pipeline.quiet()).counters).toMatchObject({ accepted: 5, saved: 5, rolledBack: 0 });
  expectOnce(['done', 'slow', 1, 2, 'waits']);
  expect(await rescue(pipeline.client, pipeline.shards)).toMatchObject({ stuck: [], lost: 0 });
}, 120_000);

test('A batch is found by its id when the batcher was terminated before it heard of its start, and no listing has it yet.', async () => {
  pipeline = await startPipeline();
  await pipeline.send(['a']);
  await pipeline.quiet();
  await terminate();

  const { workflowService } = pipeline.client;
  const readHistory = workflowService.getWorkflowExecutionHistory.bind(workflowService);
  const hidden = jest.spyOn(workflowService, 'getWorkflowExecutionHistory');
  hidden.mockImplementation(async (request) => {
    const answer = await readHistory(request);
    if (answer.history?.events != null)
      answer.history.events = answer.history.events.filter(
        (event) => event.childWorkflowExecutionStartedEventAttributes == null,
      );
    return answer;
  });
  const list = workflowService.listWorkflowExecutions.bind(workflowService);
  const listed = jest.spyOn(workflowService, 'listWorkflowExecutions');
  listed.mockImplementation((request) =>
    list(
      request.query?.includes(HOLDS_BATCHES)
        ? { ...request, query: `${request.query} AND RunId = 'none'` }
        : request,
    ),
  );
  try {
    expect(await rescue(pipeline.client, pipeline.shards, AS_ANN)).toMatchObject({
      ended: [{ records: 1 }],
      lost: 0,
    });
  } finally {
    hidden.mockRestore();
    listed.mockRestore();
  }
});

test('Keys of a batcher that SHARDS no longer has are known where its records go.', async () => {
  pipeline = await startPipeline({ shards: 2, settings: { flushIntervalMs: HOUR } });
  const requestId = Array.from({ length: 20 }, (_, i) => `key-${i}`).find((id) => shardOf(id, 2) === 1) ?? '';
  await pipeline.batcher.addRecords({ requestId, values: ['keyed'] }, { once: true });
  await pipeline.client.workflow
    .getHandle(batcherWorkflowId(pipeline.address.batcherId, 1))
    .terminate('by hand');

  const fewer = anotherShards(pipeline, { shards: 1 });
  await fewer.configure('test');
  expect(await rescue(pipeline.client, fewer, AS_ANN)).toMatchObject({ lost: 1, done: true });
  const status = await pipeline.shard.status();
  expect(status.bufferedRecords).toBe(1);
  await fewer.keyed.addRecords({ requestId, values: ['keyed'] });
  expect(await pipeline.shard.status()).toMatchObject({ bufferedRecords: 1 });
});
