import { MINUTE } from '../../src/domain/duration';
import { RUN_LIMITS } from '../../src/contracts/workflow/batcher';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/workflow/search-attributes';
import { conflicts } from '../../src/domain/rules';
import { OUTCOME } from '../../src/domain/records/outcome';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { TEST_SETTINGS } from '../helpers/test-settings';
import { GIVING_WAY } from '../../src/temporal/shard/giving-way';
import { savedValues } from '../helpers/memory-store';
import { waitFor } from '../helpers/wait-for';

let pipeline: TestPipeline;
afterEach(() => pipeline.close());

test('A list becomes batches of at most five in which 1 and 2 never meet (G1, G2, G4).', async () => {
  pipeline = await startPipeline();
  await pipeline.send([1, 2, 3, 4], [5, 7, 8], [1], [2]);
  const status = await pipeline.quiet();

  const files = [...pipeline.store.files.values()];
  expect(
    files
      .flat()
      .map(({ value }) => value)
      .sort(),
  ).toEqual([1, 1, 2, 2, 3, 4, 5, 7, 8]);
  for (const file of files) {
    expect(file.length).toBeLessThanOrEqual(5);
    const values = file.map(({ value }) => value);
    expect(values.includes(1) && values.includes(2)).toBe(false);
  }
  expect(status.counters).toMatchObject({ accepted: 9, saved: 9, rolledBack: 0, batchesFailed: 0 });
});

test('A full batch goes at once, whatever the flush interval.', async () => {
  pipeline = await startPipeline({ settings: { flushIntervalMs: 3_600_000 } });
  await pipeline.send([3, 4, 5, 6, 7, 8]);
  await waitFor('the full batch to be closed', () => pipeline.store.files.size === 1);
  expect(savedValues(pipeline.store)).toEqual([3, 4, 5, 6, 7]);
  expect((await pipeline.status()).bufferedRecords).toBe(1);
});

test('A record that fails three times is rolled back, and costs only itself (G9).', async () => {
  pipeline = await startPipeline();
  pipeline.store.beforeSave = (record, attempt) => {
    if (record.value === 'never') throw new Error(`no luck in attempt ${attempt}`);
    if (record.value === 'third' && attempt < 3) throw new Error('not yet');
  };
  await pipeline.send(['fine', 'never', 'third']);
  await pipeline.quiet();

  const outcomes = Object.fromEntries(pipeline.store.outcomes().map((record) => [record.value, record]));
  expect(outcomes['fine']).toMatchObject({ outcome: OUTCOME.saved, attempts: 1 });
  expect(outcomes['third']).toMatchObject({ outcome: OUTCOME.saved, attempts: 3 });
  expect(outcomes['never']).toMatchObject({
    outcome: OUTCOME.rolledBack,
    attempts: 3,
    error: 'no luck in attempt 3',
  });
  expect(pipeline.store.rollbacks).toEqual([outcomes['never']!.recordId]);
  expect((await pipeline.status()).counters).toMatchObject({ saved: 2, rolledBack: 1, retries: 4 });
});

test('A batcher that continues as new carries its buffer and adopts its batches in flight (G4).', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  pipeline = await startPipeline({
    settings: { flushIntervalMs: 3_600_000 },
    limits: { historyEvents: 4000, historyBytes: 1e9, messages: 3 },
  });
  pipeline.store.beforeSave = (record) => (record.value === 'slow' ? held : undefined);
  await pipeline.send(['slow', 3, 4, 5, 6]);
  await waitFor('the slow record to be in flight', () => pipeline.store.saves.length >= 5);
  for (let i = 0; i < 4; i++) await pipeline.send([100 + i]);

  const carried = await waitFor('the next run', async () => {
    const status = await pipeline.status();
    return status.run.continuedAsNew > 0 && status;
  });
  expect(carried).toMatchObject({ bufferedRecords: 4, inFlight: 1 });
  const { typedSearchAttributes } = await pipeline.client.workflow
    .getHandle(pipeline.batcherWorkflowId)
    .describe();
  expect(typedSearchAttributes.get(SEARCH_ATTRIBUTES.batcherState)).toBe('running');

  release();
  await waitFor('the adopted batch to be settled', async () => (await pipeline.status()).inFlight === 0);
  await pipeline.batcher.flush('test');
  const status = await pipeline.quiet();
  expect(status.counters).toMatchObject({ accepted: 9, saved: 9, batchesStarted: 2, batchesCompleted: 2 });
  expect(savedValues(pipeline.store)).toEqual([100, 101, 102, 103, 3, 4, 5, 6, 'slow']);
});

test('A run waits for few starts at a time, so that continue-as-new never waits for many (G6).', async () => {
  pipeline = await startPipeline({ limits: { ...RUN_LIMITS, startsUnderWay: 3 } });
  await pipeline.batcher.pause('test');
  await pipeline.send(Array.from({ length: 100 }, (_, i) => i + 3));
  await pipeline.batcher.resume('test');
  await pipeline.quiet();

  const { events } = await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).fetchHistory();
  let underWay = 0;
  const most = (events ?? []).reduce((max, event) => {
    if (event.startChildWorkflowExecutionInitiatedEventAttributes) underWay++;
    if (event.childWorkflowExecutionStartedEventAttributes) underWay--;
    return Math.max(max, underWay);
  }, 0);
  expect(most).toBe(3);
  expect(pipeline.store.files.size).toBe(20);
});

test('Batches that are adopted need no slot that their saves wait for.', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  pipeline = await startPipeline({
    settings: { maxBatchSize: 1 },
    limits: { historyEvents: 4000, historyBytes: 1e9, messages: 2 },
    tuning: { maxConcurrentActivityTaskExecutions: 2 },
  });
  pipeline.store.beforeSave = () => held;
  await pipeline.send(Array.from({ length: 12 }, (_, i) => i));
  await waitFor('every slot to be taken', () => pipeline.store.saves.length === 2);
  for (let i = 0; i < 3; i++) await pipeline.batcher.flush('test');
  await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew > 0);
  release();
  expect((await pipeline.quiet()).counters).toMatchObject({ saved: 12, batchesCompleted: 12 });
});

test('Many records of which some conflict and half fail: each has one outcome, no file breaks a rule (G1, G2, G4).', async () => {
  pipeline = await startPipeline({ limits: { historyEvents: 150, historyBytes: 1e9, messages: 20 } });
  let draw = 1;
  pipeline.store.beforeSave = () => {
    draw = (draw * 48271) % 2147483647;
    if (draw % 2 === 0) throw new Error('failed on purpose');
  };
  const lists = Array.from({ length: 30 }, (_, list) =>
    Array.from({ length: 10 }, (_, i) => (i % 3 === 0 ? 1 : i % 3 === 1 ? 2 : 1000 + list * 10 + i)),
  );
  await pipeline.send(...lists);
  const status = await pipeline.quiet();

  const outcomes = pipeline.store.outcomes();
  expect(new Set(outcomes.map(({ recordId }) => recordId)).size).toBe(300);
  expect(outcomes).toHaveLength(300);
  for (const file of pipeline.store.files.values()) {
    expect(file.length).toBeLessThanOrEqual(5);
    for (const a of file) {
      for (const b of file) expect(conflicts(a.value, b.value, TEST_SETTINGS.conflicts)).toBe(false);
    }
  }
  // Quiet may come before the hand-over that the last closing makes due.
  await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew > 0);
  expect(status.counters.saved + status.counters.rolledBack).toBe(300);
});

test('An API that has sent a run its share sends no more before that run has handed over.', async () => {
  pipeline = await startPipeline({
    worker: 'none',
    limits: { historyEvents: 4000, historyBytes: 1e9, messages: 3 },
    givingWay: { ...GIVING_WAY, bytesPerRun: 4500, patienceMs: 5 * MINUTE, lookEveryMs: 5 },
  });
  const run = pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId);
  const { runId } = await run.describe();
  for (let i = 0; i < 3; i++) await pipeline.send(['x'.repeat(1000)]);
  const fourth = pipeline.send(['x'.repeat(1000)]);
  await pipeline.startWorker();
  await fourth;
  await pipeline.quiet();
  const firstRun = pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId, runId);
  const { events = [] } = await firstRun.fetchHistory();
  const signals = events?.flatMap(
    ({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName ?? [],
  );
  expect(signals).toEqual(['addRecords', 'addRecords', 'addRecords']);
  expect(pipeline.store.outcomes()).toHaveLength(4);
});
