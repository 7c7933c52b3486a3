import type { JsonValue } from '../../src/domain/json';
import { HOUR, KIB } from '../../src/domain/duration';
import { childIdOf } from '../../src/domain/records/batch';
import { deleteWorkflow, resetWorkflow } from '../helpers/by-hand';
import { eventsOf } from '../helpers/histories';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/**
 * A batcher that somebody resets in Temporal's UI or command line: it forgets what it has done since, and gets every
 * message of that time again, at once. The batches of before go on.
 */
let pipeline: TestPipeline;
let release: () => void = () => undefined;
afterEach(() => {
  release();
  return pipeline.close();
});

/** Records that have their outcome, and some of which one has to wait for its save. */
async function whileOneWaits(options: Parameters<typeof startPipeline>[0]): Promise<string[]> {
  pipeline = await startPipeline(options);
  const released = new Promise<void>((resolve) => (release = resolve));
  pipeline.store.beforeSave = ({ value }) => (value === 'waits' ? released : undefined);
  const recordIds: string[] = [];
  const send = async (values: JsonValue[]) => {
    const [requestId] = await pipeline.send(values);
    recordIds.push(...values.map((_, index) => `${requestId}:${index}`));
  };
  for (const values of [['a', 'b', 'c'], ['d'], [1, 2]]) {
    await send(values);
    await pipeline.quiet();
  }
  await send(['waits', 'e', 1, 2]);
  await pipeline.batcher.addRecords({ requestId: 'key', values: ['f'] }, { once: true });
  recordIds.push('key:0');
  // In scope `running` the last 2 may not be before the 1 beside the one that waits has ended.
  await waitFor('all but one to be tried', () => pipeline.store.saves.length >= recordIds.length - 1);
  return recordIds;
}

/** @param to place of a completed workflow task, from 0, or from the end if negative */
async function reset(to: number): Promise<void> {
  expect(await resetWorkflow(pipeline.client, pipeline.batcherWorkflowId, to)).toBeDefined();
}

async function removeChild(seq: number): Promise<void> {
  await deleteWorkflow(pipeline.client, childIdOf(pipeline.batcherWorkflowId, seq));
}

/** Each of these records has exactly one outcome. */
function expectEachOnce(recordIds: readonly string[]): void {
  const settled = pipeline.store.outcomes().map(({ recordId }) => recordId);
  expect(settled.sort()).toEqual([...recordIds].sort());
}

async function expectOneOutcomeEach(recordIds: readonly string[]): Promise<void> {
  const { counters } = await pipeline.quiet();
  expectEachOnce(recordIds);
  expect(counters).toMatchObject({
    accepted: recordIds.length,
    saved: recordIds.length,
    rolledBack: 0,
    batchesFailed: 0,
  });
  for (const file of pipeline.store.files.values()) {
    const values = file.map(({ value }) => value);
    expect(values.includes(1) && values.includes(2)).toBe(false);
  }
}

test.each([
  { saveActivity: 'record', conflictScope: 'file' },
  { saveActivity: 'batch', conflictScope: 'file' },
  { saveActivity: 'auto', conflictScope: 'running' },
] as const)(
  'A batcher that is reset to its first task gives every record one outcome, $saveActivity and $conflictScope (G2, G4, G5).',
  async (settings) => {
    const recordIds = await whileOneWaits({ settings });
    await reset(0);
    await pipeline.send(['new']);
    await waitFor('it to be there again', async () => (await pipeline.status()).counters.accepted === 12);
    release();
    await waitFor('the new one', () => pipeline.store.outcomes().some(({ value }) => value === 'new'));
    const added = pipeline.store.outcomes().filter(({ value }) => value === 'new');
    await expectOneOutcomeEach([...recordIds, ...added.map(({ recordId }) => recordId)]);
    expect((await pipeline.batcher.request('key'))?.counts).toMatchObject({ saved: 1 });
    await pipeline.batcher.addRecords({ requestId: 'key', values: ['f'] }, { once: true });
    expect((await pipeline.quiet()).counters).toMatchObject({ accepted: 12, duplicateRequests: 1 });
  },
);

test('A batcher that is reset to its last task still counts the batches that were in flight before (G4).', async () => {
  const recordIds = await whileOneWaits({});
  await waitFor('all but one to be closed', async () => (await pipeline.status()).inFlight === 1);
  await reset(-1);
  await waitFor('it to be there again', async () => (await pipeline.status()).inFlight === 1);
  release();
  await expectOneOutcomeEach(recordIds);
});

test('A batcher of a later run that is reset to the first task of that run gives every record one outcome (G4).', async () => {
  const recordIds = await whileOneWaits({ limits: { messages: 3 } });
  await waitFor('a later run', async () => (await pipeline.status()).run.continuedAsNew > 0);
  const [requestId] = await pipeline.send(['g']);
  await waitFor('it to be saved', () => pipeline.store.outcomes().some(({ value }) => value === 'g'));
  await reset(0);
  await waitFor('it to be there again', async () => (await pipeline.status()).counters.accepted === 12);
  release();
  await expectOneOutcomeEach([...recordIds, `${requestId}:0`]);
});

/** How many workflow tasks the batcher has completed. */
async function tasksCompleted(): Promise<number> {
  const events = await eventsOf(pipeline, pipeline.batcherWorkflowId);
  return events.filter((event) => event.workflowTaskCompletedEventAttributes).length;
}

test('A batcher that is reset after one of its batches was deleted or forgotten saves no record twice (G4).', async () => {
  const recordIds = await whileOneWaits({});
  await removeChild(2);
  await reset(0);
  await waitFor('it to be there again', async () => (await pipeline.status()).counters.accepted === 11);
  release();
  await expectOneOutcomeEach(recordIds);
});

test('A batcher that is reset to a task amid its run saves no record twice, though a later batch was deleted (G4).', async () => {
  pipeline = await startPipeline({});
  const recordIds: string[] = [];
  const send = async (values: JsonValue[]) => {
    const [requestId] = await pipeline.send(values);
    recordIds.push(...values.map((_, index) => `${requestId}:${index}`));
    await pipeline.quiet();
  };
  await send(['a']);
  const task = (await tasksCompleted()) - 1;
  for (const values of [['b', 'c'], ['d'], ['e', 1, 2]]) await send(values);
  await removeChild(2);
  await reset(task);
  await waitFor(
    'it to be there again',
    async () => (await pipeline.status()).counters.accepted === recordIds.length,
  );
  await expectOneOutcomeEach(recordIds);
});

test('A batch that is deleted while it runs gets its outcomes once, though its batcher is reset then (G4).', async () => {
  const recordIds = await whileOneWaits({ settings: { saveActivity: 'record' } });
  const waiting = pipeline.store.saves.find(({ recordId }) => recordId === recordIds[6])?.batchId ?? '';
  await pipeline.batcher.pause('test');
  await removeChild(Number(waiting.slice(-8)));
  await reset(0);
  await waitFor('it to be there again', async () => (await pipeline.status()).counters.accepted === 11);
  await pipeline.batcher.resume('test');
  release();
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ accepted: 11, lost: 0 });
  expect(counters.saved + counters.rolledBack).toBe(11);
  expectEachOnce(recordIds);
});

test('A batcher that is reset while records lie in its pages saves each of them once (G4).', async () => {
  pipeline = await startPipeline({
    settings: { flushIntervalMs: HOUR, maxBatchSize: 20 },
    limits: { historyEvents: 4000, historyBytes: 1e9, messages: 20 },
  });
  await pipeline.batcher.pause('test');
  const large = 'x'.repeat(20 * KIB);
  for (let i = 0; i < 30; i++) await pipeline.send([`${i} ${large}`, i]);
  await waitFor('pages', async () => (await pipeline.status()).pages > 0);
  await pipeline.batcher.resume('test');
  await pipeline.batcher.flush('test');
  await pipeline.quiet();
  await removeChild(2);
  await reset(0);
  await pipeline.batcher.resume('test');
  await pipeline.batcher.flush('test');
  await waitFor('it to be there again', async () => (await pipeline.status()).counters.accepted === 60);
  expect((await pipeline.quiet()).counters).toMatchObject({ accepted: 60, saved: 60, lost: 0 });
  expect(pipeline.store.outcomes()).toHaveLength(60);
});
