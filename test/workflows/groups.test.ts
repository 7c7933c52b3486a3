import { RUN_LIMITS } from '../../src/contracts/batcher';
import { BATCH_WORKFLOW_TYPES } from '../../src/contracts/ids';
import type { BatchSummary } from '../../src/contracts/views';
import { batchIdOf, idInGroup } from '../../src/domain/batch';
import { HOUR } from '../../src/domain/duration';
import { KeepapartError } from '../../src/domain/errors';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** Batches that share a child (BATCHES_PER_CHILD): each is a batch of its own to everybody who asks. */
let pipeline: TestPipeline;
let release: () => void = () => undefined;
afterEach(() => {
  release();
  return pipeline.close();
});

const VALUES = ['a', 'b', 'slow', 'c', 'never', 'd', 'e', 'f'];

const groupId = () => batchIdOf(pipeline.batcherWorkflowId, 1);
const idAt = (place: number) => idInGroup(groupId(), place);

/** Four batches of two in one child: the second waits for a slow record, the third has one that can't be saved. */
async function startGroup(options: Parameters<typeof startPipeline>[0] = {}): Promise<string> {
  pipeline = await startPipeline({
    ...options,
    settings: {
      batchesPerChild: 4,
      maxBatchSize: 2,
      maxInFlight: 4,
      maxAttempts: 2,
      flushIntervalMs: HOUR,
      ...options.settings,
    },
  });
  const released = new Promise<void>((resolve) => (release = resolve));
  pipeline.store.beforeSave = ({ value }, attempt) => {
    if (value === 'slow') return released;
    if (value === 'never') throw new Error(`no luck in attempt ${attempt}`);
  };
  const [requestId = ''] = await pipeline.send(VALUES);
  return requestId;
}

async function threeClosed(): Promise<void> {
  await waitFor('three of four batches to be counted', async () => (await pipeline.status()).inFlight === 1);
}

const statesOf = (batches: readonly BatchSummary[]) =>
  Object.fromEntries(batches.map(({ batchId, state }) => [batchId, state]));

describe.each(['regular', 'local', 'batch'] as const)('SAVE_ACTIVITY=%s', (saveActivity) => {
  test('a slow record delays its own file and keeps its own place alone; the others are told at once (G4, G9)', async () => {
    const requestId = await startGroup({ settings: { saveActivity } });
    await threeClosed();
    expect((await pipeline.status()).counters).toMatchObject({
      batchesStarted: 4,
      batchesCompleted: 3,
      saved: 5,
      rolledBack: 1,
      retries: 1,
    });
    expect(pipeline.store.files.size).toBe(3);

    const { batcher } = pipeline;
    const [running, completed] = ['running', 'completed'] as const;
    const states = { [idAt(1)]: completed, [idAt(2)]: running, [idAt(3)]: completed, [idAt(4)]: completed };
    await waitFor('visibility to tell', async () => {
      const { batches } = await batcher.batches({ limit: 10 });
      return JSON.stringify(statesOf(batches)) === JSON.stringify(states);
    });
    for (const state of [running, completed]) {
      const { batches } = await batcher.batches({ limit: 10, state });
      expect(batches.map(({ batchId }) => batchId)).toEqual(
        Object.keys(states).filter((batchId) => states[batchId] === state),
      );
    }
    expect(await batcher.batch(idAt(3))).toMatchObject({
      batcher: pipeline.batcherWorkflowId,
      flushReason: 'size',
      requestIds: [requestId],
      saved: 1,
      rolledBack: 1,
      retries: 1,
      file: expect.stringContaining(`_${idAt(3)}.log`),
      records: [
        { value: 'never', outcome: 'rolled_back', attempts: 2, error: 'no luck in attempt 2' },
        { value: 'd', outcome: 'saved', attempts: 1, error: null },
      ],
    });
    expect(await batcher.batch(idAt(2))).toMatchObject({
      saved: null,
      file: null,
      closedAt: null,
      records: [
        { value: 'slow', outcome: null },
        { value: 'c', outcome: null },
      ],
    });
    expect(await batcher.batch(groupId())).toBeUndefined();
    expect(await batcher.batch(idAt(5))).toBeUndefined();
    expect((await batcher.request(requestId))?.counts).toEqual({
      buffered: 0,
      in_batch: 2,
      saved: 5,
      rolled_back: 1,
    });
    const { deadLetters } = await batcher.deadLetters({ limit: 10, redriven: 'any' });
    expect(deadLetters).toMatchObject([{ value: 'never', batchId: idAt(3), attempts: 2 }]);

    release();
    const { counters } = await pipeline.quiet();
    expect(counters).toMatchObject({
      batchesStarted: 4,
      batchesCompleted: 4,
      saved: 7,
      rolledBack: 1,
      retries: 1,
    });
    expect((await batcher.request(requestId))?.counts).toMatchObject({ saved: 7, rolled_back: 1 });
    expect(await batcher.batch(idAt(2))).toMatchObject({
      state: completed,
      saved: 2,
      records: [{ attempts: 1 }, {}],
    });
    const { type, status } = await pipeline.client.workflow.getHandle(groupId()).describe();
    expect([type, status.name]).toEqual([BATCH_WORKFLOW_TYPES[1], 'COMPLETED']);
  });
});

test('a page of batches may end within a child, and the next one goes on there', async () => {
  await startGroup({ settings: { maxInFlight: 8 } });
  release();
  await pipeline.send(['g', 'h', 'i', 'j', 'k', 'l']);
  await pipeline.quiet();
  const told: string[] = [];
  await waitFor('visibility to list seven', async () => {
    return (await pipeline.batcher.batches({ limit: 100, state: 'completed' })).batches.length === 7;
  });
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof pipeline.batcher.batches>> = await pipeline.batcher.batches({
      limit: 2,
      ...(cursor !== null && { cursor }),
    });
    expect(page.batches.length).toBeLessThanOrEqual(2);
    told.push(...page.batches.map(({ batchId }) => batchId));
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(new Set(told).size).toBe(7);
  expect(told).toHaveLength(7);
});

test('of a child that is terminated, batches with a file keep their outcomes, and the others are rolled back (G4)', async () => {
  const requestId = await startGroup({ settings: { saveActivity: 'batch' } });
  await threeClosed();
  const filesBefore = new Map(pipeline.store.files);
  await pipeline.client.workflow.getHandle(groupId()).terminate('I felt like it');
  const { counters } = await pipeline.quiet();

  expect(counters).toMatchObject({ batchesStarted: 4, batchesCompleted: 4, batchesFailed: 1 });
  expect(counters).toMatchObject({ saved: 5, rolledBack: 3, retries: 1 });
  for (const [name, records] of filesBefore) expect(pipeline.store.files.get(name)).toEqual(records);
  expect((await pipeline.batcher.request(requestId))?.counts).toMatchObject({ saved: 5, rolled_back: 3 });
  const why = 'its batch was terminated by hand: I felt like it';
  expect(await pipeline.batcher.batch(idAt(2))).toMatchObject({
    state: 'completed',
    records: [{ error: why, attempts: 0 }, { error: why }],
  });
  expect(await pipeline.batcher.batch(idAt(3))).toMatchObject({
    records: [{ error: 'no luck in attempt 2', attempts: 2 }, { outcome: 'saved' }],
  });
});

test('a child is carried over and adopted, and what it told before is counted once (G4)', async () => {
  const requestId = await startGroup({
    settings: { saveActivity: 'batch' },
    limits: { ...RUN_LIMITS, messages: 4 },
  });
  await threeClosed();
  for (let i = 0; i < 4; i++) await pipeline.ingest.flush('test');
  await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew > 0);
  expect(await pipeline.status()).toMatchObject({ inFlight: 1, counters: { batchesCompleted: 3, saved: 5 } });
  expect((await pipeline.batcher.request(requestId))?.counts).toMatchObject({ in_batch: 2, saved: 5 });

  await pipeline.ingest.drain('test');
  expect((await pipeline.status()).drain).toMatchObject({ inFlight: 1 });
  release();
  const { counters, drain } = await pipeline.quiet();
  expect(counters).toMatchObject({ batchesCompleted: 4, saved: 7, rolledBack: 1, retries: 1 });
  expect(drain).toMatchObject({ bufferedRecords: 0, inFlight: 0 });
});

test('a batch that cannot be closed holds up no other, and is closed as soon as it can be (G10)', async () => {
  pipeline = await startPipeline({
    settings: { batchesPerChild: 4, maxBatchSize: 2, saveActivity: 'batch', flushIntervalMs: HOUR },
  });
  let foreign = true;
  pipeline.store.beforeClose = ({ batchId }) => {
    if (foreign && batchId === idAt(2))
      throw new KeepapartError('batch-file-conflict', 'somebody put a file there', { retryAfterMs: 20 });
  };
  await pipeline.send(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
  await waitFor('three of four batches to be counted', async () => (await pipeline.status()).inFlight === 1);
  expect(pipeline.store.files.size).toBe(3);
  const { raw } = await pipeline.client.workflow.getHandle(groupId()).describe();
  expect(raw.pendingActivities).toMatchObject([
    { activityType: { name: 'closeBatch' }, lastFailure: { message: 'somebody put a file there' } },
  ]);
  foreign = false;
  expect((await pipeline.quiet()).counters).toMatchObject({ batchesCompleted: 4, saved: 8 });
});

test('a child that is cancelled rolls back what is not saved in any of its batches, and writes all files (G4)', async () => {
  const requestId = await startGroup({ settings: { saveActivity: 'batch', retryIntervalMs: HOUR } });
  await waitFor('two of four batches to be counted', async () => (await pipeline.status()).inFlight === 2);
  await pipeline.client.workflow.getHandle(groupId()).cancel();
  await pipeline.quiet();
  expect(pipeline.store.files.size).toBe(4);
  const counts = (await pipeline.batcher.request(requestId))?.counts;
  expect(counts).toMatchObject({ buffered: 0, in_batch: 0 });
  expect(await pipeline.batcher.batch(idAt(3))).toMatchObject({
    records: [{ error: 'cancelled by hand before it was saved', attempts: 0 }, { outcome: 'saved' }],
  });
});

test('what starts alone has a workflow of its own, as ever', async () => {
  pipeline = await startPipeline({ settings: { batchesPerChild: 20, saveActivity: 'batch' } });
  await pipeline.send(['alone']);
  await pipeline.quiet();
  expect(await pipeline.batcher.batch(groupId())).toMatchObject({ state: 'completed', saved: 1 });
});
