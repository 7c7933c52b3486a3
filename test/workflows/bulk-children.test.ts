import type { BatchSummary } from '../../src/contracts/api/answers/batches';
import { WORKFLOW_TYPE } from '../../src/contracts/workflow/ids';
import { batchIdIn } from '../../src/domain/records/batch';
import { HOUR } from '../../src/domain/duration';
import { KeepapartError } from '../../src/domain/errors';
import { activitiesOf, childOf, listChildren } from '../helpers/histories';
import { savedValues, type MemoryStore } from '../helpers/memory-store';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** Batches that share a child: each is a batch of its own to everybody who asks. */
let pipeline: TestPipeline;
let release: () => void = () => undefined;
afterEach(() => {
  release();
  return pipeline.close();
});

/** A child tells its batcher which batches are closed before it waits for so long, and not before it waits less. */
const TELLING_MS = 2100;

const VALUES = ['a', 'b', 'waits', 'c', 'refused', 'd', 'e', 'f'];

const child = () => childOf(pipeline, 1);
const idAt = (place: number) => batchIdIn(child(), place, 4);

/**
 * Four batches of two in one child. The second has a record that fails at first and then waits in its second attempt until
 * it is released; the third has one that is refused for good.
 */
async function startFour(
  options: Parameters<typeof startPipeline>[0] = {},
  beforeClose: MemoryStore['beforeClose'] = () => undefined,
): Promise<string> {
  pipeline = await startPipeline({
    ...options,
    settings: {
      saveActivity: 'batch',
      maxBatchSize: 2,
      maxInFlight: 4,
      flushIntervalMs: HOUR,
      retryIntervalMs: TELLING_MS,
      ...options.settings,
    },
  });
  const released = new Promise<void>((resolve) => (release = resolve));
  pipeline.store.beforeClose = beforeClose;
  pipeline.store.beforeSave = ({ value }, attempt) => {
    if (value === 'refused') throw new KeepapartError('record-rejected', 'not for this store');
    if (value !== 'waits') return undefined;
    if (attempt === 1) throw new Error('not at first');
    return released;
  };
  const [requestId = ''] = await pipeline.send(VALUES);
  return requestId;
}

async function threeClosed(): Promise<void> {
  await waitFor('three of four batches to be counted', async () => (await pipeline.status()).inFlight === 1);
}

const statesOf = (batches: readonly BatchSummary[]) =>
  Object.fromEntries(batches.map(({ batchId, state }) => [batchId, state]));

test('A batch whose record waits for another attempt delays its own file and keeps its own place alone; the others can be read at once (G4, G9).', async () => {
  const requestId = await startFour();
  await threeClosed();
  expect((await pipeline.status()).counters).toMatchObject({
    batchesStarted: 4,
    batchesCompleted: 3,
    saved: 5,
    rolledBack: 1,
    retries: 0,
  });
  expect(pipeline.store.files.size).toBe(3);

  const { batcher } = pipeline;
  const [running, completed] = ['running', 'completed'] as const;
  const states = { [idAt(1)]: completed, [idAt(2)]: running, [idAt(3)]: completed, [idAt(4)]: completed };
  await waitFor('visibility to list them', async () => {
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
    retries: 0,
    saving: { text: 'saved together, because of SAVE_ACTIVITY=batch', shape: 'batch', due: null },
    file: expect.stringContaining(`_${idAt(3)}.log`),
    records: [
      {
        value: 'refused',
        outcome: 'rolled_back',
        attempts: 1,
        error: 'permanently rejected at attempt 1 of 3: not for this store',
      },
      { value: 'd', outcome: 'saved', attempts: 1, error: null },
    ],
  });
  expect(await batcher.batch(idAt(2))).toMatchObject({
    saved: null,
    file: null,
    closedAt: null,
    records: [
      { value: 'waits', outcome: null },
      { value: 'c', outcome: null },
    ],
  });
  expect(await batcher.batch(child())).toBeUndefined();
  expect(await batcher.batch(batchIdIn(child(), 5, 5))).toBeUndefined();
  expect((await batcher.request(requestId))?.counts).toEqual({
    buffered: 0,
    in_batch: 2,
    saved: 5,
    rolled_back: 1,
  });
  const { deadLetters } = await batcher.deadLetters({ limit: 10, redriven: 'any' });
  expect(deadLetters).toMatchObject([{ value: 'refused', batchId: idAt(3), attempts: 1 }]);

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
    records: [{ attempts: 2 }, { attempts: 1 }],
  });
  const { type, status } = await pipeline.client.workflow.getHandle(child()).describe();
  expect([type, status.name]).toEqual([WORKFLOW_TYPE.child, 'COMPLETED']);
});

test('Batches that have their file free their places for others while the rest of their child waits (G7).', async () => {
  await startFour();
  await threeClosed();
  await pipeline.send(['g', 'h', 'i', 'j', 'k', 'l', 'm', 'n']);
  await waitFor(
    'three more to be closed',
    async () => (await pipeline.status()).counters.batchesCompleted === 6,
  );
  // Three of the four fit beside the one that waits; the fourth follows when one of them has ended.
  await waitFor('the fourth, too', async () => (await pipeline.status()).counters.batchesCompleted === 7);
  expect(await pipeline.status()).toMatchObject({ inFlight: 1, bufferedRecords: 0 });
  release();
  await pipeline.quiet();
  expect(savedValues(pipeline.store)).toHaveLength(15);
});

test('A page of batches may end within a child, and the next one continues there.', async () => {
  await startFour({ settings: { maxInFlight: 8 } });
  release();
  await pipeline.send(['g', 'h', 'i', 'j', 'k', 'l']);
  await pipeline.quiet();
  const listed: string[] = [];
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
    listed.push(...page.batches.map(({ batchId }) => batchId));
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(new Set(listed).size).toBe(7);
  expect(listed).toHaveLength(7);
});

test('When a child is terminated, batches with a file keep their outcomes and the others are rolled back (G4).', async () => {
  const requestId = await startFour();
  await threeClosed();
  const filesBefore = new Map(pipeline.store.files);
  await pipeline.client.workflow.getHandle(child()).terminate('I felt like it');
  const { counters } = await pipeline.quiet();

  expect(counters).toMatchObject({ batchesStarted: 4, batchesCompleted: 4, batchesFailed: 1 });
  expect(counters).toMatchObject({ saved: 5, rolledBack: 3 });
  for (const [name, records] of filesBefore) expect(pipeline.store.files.get(name)).toEqual(records);
  expect((await pipeline.batcher.request(requestId))?.counts).toMatchObject({ saved: 5, rolled_back: 3 });
  const why = 'its batch was terminated by an operator: I felt like it';
  expect(await pipeline.batcher.batch(idAt(2))).toMatchObject({
    state: 'completed',
    records: [{ error: why, attempts: 0 }, { error: why }],
  });
  expect(await pipeline.batcher.batch(idAt(3))).toMatchObject({
    records: [{ error: expect.stringContaining('not for this store'), attempts: 1 }, { outcome: 'saved' }],
  });
  // The save that waited comes back only now, when its batch is closed.
  release();
  await pipeline.send(['g', 'h']);
  await pipeline.quiet();
  expect([...pipeline.store.staged]).toEqual([]);
  expect(pipeline.store.outcomes()).toHaveLength(10);
});

test('A child is carried over and adopted, and what it reported before is counted once (G4).', async () => {
  const requestId = await startFour({ limits: { messages: 4 } });
  await threeClosed();
  for (let i = 0; i < 4; i++) await pipeline.batcher.flush('test');
  await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew > 0);
  expect(await pipeline.status()).toMatchObject({ inFlight: 1, counters: { batchesCompleted: 3, saved: 5 } });
  expect((await pipeline.batcher.request(requestId))?.counts).toMatchObject({ in_batch: 2, saved: 5 });

  const draining = pipeline.batcher.drain('test', { timeoutMs: 40_000 });
  await waitFor('the drain to be known', async () => (await pipeline.status()).drain?.inFlight === 1);
  release();
  expect(await draining).toMatchObject({ drained: true });
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ batchesCompleted: 4, saved: 7, rolledBack: 1, retries: 1 });
});

describe('closing', () => {
  test('A batch that cannot be closed delays no other batch, and is closed as soon as possible (G10).', async () => {
    let foreign = true;
    await startFour({}, ({ batchId }) => {
      if (foreign && batchId === idAt(1))
        throw new KeepapartError('batch-file-conflict', 'somebody put a file there', { retryAfterMs: 20 });
    });
    release();
    await threeClosed();
    const { raw } = await pipeline.client.workflow.getHandle(child()).describe();
    expect(raw.pendingActivities).toMatchObject([
      { activityType: { name: 'closeBatches' }, lastFailure: { message: 'somebody put a file there' } },
    ]);
    foreign = false;
    expect((await pipeline.quiet()).counters).toMatchObject({ batchesCompleted: 4, saved: 7 });
  });

  test('A batch that its store refuses to close is rolled back with the reason, and the others are closed (G4, G9).', async () => {
    let refusals = 1;
    await startFour({}, ({ batchId }) => {
      if (batchId === idAt(4) && refusals-- > 0) throw new KeepapartError('batch-rejected', 'no such column');
    });
    release();
    const { counters } = await pipeline.quiet();
    expect(counters).toMatchObject({ batchesFailed: 0, batchesCompleted: 4, saved: 5, rolledBack: 3 });
    const error = 'its batch was rejected: no such column';
    expect(await pipeline.batcher.batch(idAt(4))).toMatchObject({ records: [{ error }, { error }] });
    expect(await activitiesOf(pipeline, child())).toContain('settleBatch');
  });
});

describe('a child that is cancelled', () => {
  test('A child that is cancelled while it waits for the next attempt keeps what is saved and rolls back the rest (G4).', async () => {
    const requestId = await startFour({ settings: { retryIntervalMs: HOUR } });
    await threeClosed();
    await pipeline.client.workflow.getHandle(child()).cancel();
    await pipeline.quiet();
    expect((await pipeline.batcher.request(requestId))?.counts).toMatchObject({ saved: 6, rolled_back: 2 });
    expect(await pipeline.batcher.batch(idAt(2))).toMatchObject({
      records: [
        { error: 'cancelled manually before it was saved', attempts: 0 },
        { outcome: 'saved', attempts: 1 },
      ],
    });
    expect(pipeline.store.files.size).toBe(4);
  });

  test('A child that is cancelled during an attempt rolls back what is not known to be saved, even if that save returns late (G4).', async () => {
    await startFour();
    await threeClosed();
    await waitFor('the second attempt', () => pipeline.store.saves.length === VALUES.length + 1);
    await pipeline.client.workflow.getHandle(child()).cancel();
    const { counters } = await pipeline.quiet();
    expect(counters).toMatchObject({ batchesFailed: 0, batchesCompleted: 4, saved: 6, rolledBack: 2 });
    release();
    await pipeline.send(['g', 'h']);
    await pipeline.quiet();
    expect([...pipeline.store.staged]).toEqual([]);
    expect(savedValues(pipeline.store)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
  });
});

test('A batch that starts alone is a child of its own, whose id is the batch’s.', async () => {
  pipeline = await startPipeline({ settings: { saveActivity: 'batch' } });
  await pipeline.send(['alone']);
  await pipeline.quiet();
  expect(await pipeline.batcher.batch(child())).toMatchObject({ state: 'completed', saved: 1 });
  await waitFor('visibility to list it', async () => (await listChildren(pipeline)).length === 1);
  expect(await listChildren(pipeline)).toEqual([child()]);
});
