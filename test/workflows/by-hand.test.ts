import type { ChildWorkflow } from '../../src/contracts/workflow/child';
import { WORKFLOW_TYPE } from '../../src/contracts/workflow/ids';
import { childIdOf } from '../../src/domain/records/batch';
import { OUTCOME } from '../../src/domain/records/outcome';
import { resetWorkflow } from '../helpers/by-hand';
import { savedValues } from '../helpers/memory-store';
import { anotherShards, startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** What people do by hand in the Web UI or with `temporal workflow …`, and at a restart with other settings. */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

test('A batch that is cancelled rolls back what is not saved, and still writes its file (G4).', async () => {
  pipeline = await startPipeline({ settings: { retryIntervalMs: 3_600_000 } });
  pipeline.store.beforeSave = (record) => {
    if (record.value === 'failing') throw new Error('not now');
  };
  const [requestId = ''] = await pipeline.send(['failing', 'fine']);
  const batchId = await waitFor('the failing record to wait for its next attempt', async () => {
    const [record] = (await pipeline.batcher.request(requestId))?.records ?? [];
    return record?.attempts === 2 && record.batchId;
  });
  await pipeline.client.workflow.getHandle(batchId).cancel();
  await pipeline.quiet();
  const outcomes = Object.fromEntries(pipeline.store.outcomes().map((record) => [record.value, record]));
  expect(outcomes['fine']).toMatchObject({ outcome: OUTCOME.saved });
  expect(outcomes['failing']).toMatchObject({ outcome: OUTCOME.rolledBack, attempts: 0 });
  expect(pipeline.store.rollbacks).toHaveLength(1);
});

test('A batch that is cancelled before a worker has seen it still writes its file (G4).', async () => {
  pipeline = await startPipeline({ worker: 'own' });
  await pipeline.stopWorker();
  const handle = await pipeline.client.workflow.start<ChildWorkflow>(WORKFLOW_TYPE.child, {
    workflowId: childIdOf(pipeline.batcherWorkflowId, 1),
    taskQueue: pipeline.address.taskQueue,
    args: [
      {
        openedAtMs: Date.now(),
        batches: [{ flushReason: 'age', records: [['r', 0, [1]]] }],
        maxAttempts: 3,
        retryIntervalMs: 10,
        outcomeFormat: 'text',
        onFailure: 'keep',
        cutBy: { maxBatchSize: 5, rules: [] },
      },
    ],
  });
  await handle.cancel();
  await pipeline.startWorker();
  const { outcomes } = await handle.result();
  expect(outcomes.kinds).toEqual([expect.objectContaining({ outcome: OUTCOME.rolledBack, attempts: 0 })]);
  expect(pipeline.store.outcomes()).toHaveLength(1);
});

test('A worker that is told to stop finishes the saves that it holds (G4).', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  pipeline = await startPipeline({ tuning: { shutdownGraceTime: '30s' } });
  pipeline.store.beforeSave = () => held;
  await pipeline.send(['held']);
  await waitFor('the save', () => pipeline.store.saves[0]);
  const stopped = pipeline.stopWorker();
  release();
  await stopped;
  await pipeline.startWorker();
  await pipeline.quiet();
  expect(pipeline.store.outcomes()).toMatchObject([{ outcome: OUTCOME.saved, attempts: 1 }]);
  expect(pipeline.store.saves).toHaveLength(1);
});

test('A batcher that is cancelled keeps its records and goes on (G3).', async () => {
  pipeline = await startPipeline();
  await pipeline.batcher.pause('test');
  await pipeline.send(['kept']);
  await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).cancel();
  await pipeline.batcher.resume('test');
  await pipeline.quiet();
  expect(savedValues(pipeline.store)).toEqual(['kept']);
});

test('A batcher that starts again after a termination reuses no batch id (G4).', async () => {
  pipeline = await startPipeline();
  for (const value of ['a', 'b', 'c']) {
    await pipeline.send([value]);
    await pipeline.quiet();
  }
  await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).terminate('by hand');
  await pipeline.send(['d']);
  await waitFor('the record of the new batcher', () => savedValues(pipeline.store).includes('d'));
  expect(savedValues(pipeline.store)).toEqual(['a', 'b', 'c', 'd']);
  expect(pipeline.store.files.size).toBe(4);
});

test('Settings that change at a start apply to buffered records (G1, G2).', async () => {
  pipeline = await startPipeline({ settings: { flushIntervalMs: 3_600_000 } });
  await pipeline.batcher.pause('test');
  await pipeline.send([1, 2, 3, 4, 5, 6]);
  const settings = { ...pipeline.address.settings, maxBatchSize: 2, conflicts: [{ group: [4, 5, 6] }] };
  await anotherShards(pipeline, { settings }).configure('test');
  await pipeline.batcher.resume('test');
  await pipeline.batcher.flush('test');
  await pipeline.quiet();
  const files = [...pipeline.store.files.values()].map((file) => file.map(({ value }) => value));
  expect(files).toHaveLength(3);
  for (const file of files) {
    expect(file.length).toBeLessThanOrEqual(2);
    expect(file.filter((value) => [4, 5, 6].includes(value as number)).length).toBeLessThanOrEqual(1);
  }
});

test('Batches start at least BATCH_SPACING_MS apart, and never more than MAX_IN_FLIGHT at once.', async () => {
  pipeline = await startPipeline({ settings: { batchSpacingMs: 300, maxInFlight: 2, maxBatchSize: 1 } });
  const running = new Set<string>();
  let most = 0;
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  pipeline.store.beforeSave = async (record) => {
    running.add(record.recordId);
    most = Math.max(most, running.size);
    await held;
    running.delete(record.recordId);
  };
  await pipeline.send(['a', 'b', 'c', 'd']);
  await waitFor('both slots to be taken', () => running.size === 2);
  expect((await pipeline.status()).bufferedRecords).toBe(2);
  release();
  await pipeline.quiet();

  expect(most).toBeLessThanOrEqual(2);
  const openings = pipeline.store.closed.map(({ openedAtMs }) => openedAtMs).sort((a, b) => a - b);
  expect(openings).toHaveLength(4);
  // On the workflow's clock, by which the batcher decides.
  for (const [i, openedAtMs] of openings.entries()) {
    if (i > 0) expect(openedAtMs - openings[i - 1]!).toBeGreaterThanOrEqual(300);
  }
});

test.each(['record', 'batch'] as const)(
  'A batch that has its file and is reset completes again with the outcomes in it, with %s (G4).',
  async (saveActivity) => {
    pipeline = await startPipeline({ settings: { saveActivity } });
    await pipeline.send(['a', 'b']);
    await pipeline.quiet();
    const outcomes = pipeline.store.outcomes();
    const workflowId = childIdOf(pipeline.batcherWorkflowId, 1);
    const { client } = pipeline;
    expect(await resetWorkflow(client, workflowId)).toBeDefined();
    await client.workflow.getHandle(workflowId).result();
    expect(pipeline.store.outcomes()).toEqual(outcomes);
  },
);
