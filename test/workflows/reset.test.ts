import type { JsonValue } from '../../src/domain/json';
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

/** @param which of the workflow tasks that were completed: the first, or the last */
async function reset(which: 'first' | 'last'): Promise<void> {
  const { client, batcherWorkflowId: workflowId } = pipeline;
  const events = await eventsOf(pipeline, workflowId);
  const tasks = events.filter((event) => event.workflowTaskCompletedEventAttributes);
  const { runId } = await client.workflow.getHandle(workflowId).describe();
  await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId, runId },
    reason: 'test',
    requestId: `reset of ${runId}`,
    workflowTaskFinishEventId: tasks.at(which === 'first' ? 0 : -1)?.eventId ?? null,
  });
}

async function expectOneOutcomeEach(recordIds: readonly string[]): Promise<void> {
  const { counters } = await pipeline.quiet();
  expect(
    pipeline.store
      .outcomes()
      .map(({ recordId }) => recordId)
      .sort(),
  ).toEqual([...recordIds].sort());
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
    await reset('first');
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
  await reset('last');
  await waitFor('it to be there again', async () => (await pipeline.status()).inFlight === 1);
  release();
  await expectOneOutcomeEach(recordIds);
});

test('A batcher of a later run that is reset to the first task of that run gives every record one outcome (G4).', async () => {
  const recordIds = await whileOneWaits({ limits: { messages: 3 } });
  await waitFor('a later run', async () => (await pipeline.status()).run.continuedAsNew > 0);
  const [requestId] = await pipeline.send(['g']);
  await waitFor('it to be saved', () => pipeline.store.outcomes().some(({ value }) => value === 'g'));
  await reset('first');
  await waitFor('it to be there again', async () => (await pipeline.status()).counters.accepted === 12);
  release();
  await expectOneOutcomeEach([...recordIds, `${requestId}:0`]);
});
