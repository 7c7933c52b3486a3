import type { WorkflowHandle } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/workflow/search-attributes';
import { KeepapartError } from '../../src/domain/errors';
import { OUTCOME } from '../../src/domain/records/outcome';
import { savedValues } from '../helpers/memory-store';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** Batches that close without completing, as by `temporal workflow terminate`: they are run again to be settled. */
let pipeline: TestPipeline;
const held: (() => void)[] = [];
afterEach(() => {
  release();
  return pipeline.close();
});

/** Lets go of everything that is held. */
function release(): void {
  for (const letGo of held.splice(0)) letGo();
}

/** What waits for `release`, each time it is asked. */
function hold(): () => Promise<void> {
  const released = new Promise<void>((resolve) => held.push(resolve));
  return () => released;
}

function handleOf(batchId: string): WorkflowHandle {
  return pipeline.client.workflow.getHandle(batchId);
}

/** Sends one slow and one quick record, and waits until the quick one is saved and the slow one isn't. */
async function whileSaving(options: Parameters<typeof startPipeline>[0] = {}): Promise<string> {
  pipeline = await startPipeline(options);
  const wait = hold();
  pipeline.store.beforeSave = (record) => (record.value === 'slow' ? wait() : undefined);
  await pipeline.send(['slow', 'quick']);
  await waitFor('the quick record to be saved', () => pipeline.store.staged.size === 1);
  return waitFor('the slow record to be on its way', () => pipeline.store.saves[1]?.batchId);
}

/** Waits until the run of a batch that settles it is under way, as its store has it. */
async function whileSettling(batchId: string): Promise<void> {
  const { runId } = await handleOf(batchId).describe();
  let closing = false;
  const wait = hold();
  pipeline.store.beforeClose = () => {
    closing = true;
    return wait();
  };
  await handleOf(batchId).terminate('a first time');
  await waitFor('the settling to be under way', () => closing);
  expect((await handleOf(batchId).describe()).runId).not.toBe(runId);
}

test('A batch that is terminated while it saves is settled: its records are rolled back and say why (G4).', async () => {
  const batchId = await whileSaving();
  await handleOf(batchId).terminate('I felt like it');
  const { counters } = await pipeline.quiet();

  expect(counters).toMatchObject({ batchesStarted: 1, batchesFailed: 1, batchesCompleted: 1 });
  expect(counters).toMatchObject({ saved: 0, rolledBack: 2, retries: 0 });
  const why = 'its batch was terminated by an operator: I felt like it';
  const rolledBack = { outcome: OUTCOME.rolledBack, attempts: 0, error: why };
  const view = await waitFor('the batch to be completed', async () => {
    const batch = await pipeline.batcher.batch(batchId);
    return batch?.state === 'completed' && batch;
  });
  expect(view).toMatchObject({ saved: 0, rolledBack: 2, records: [rolledBack, rolledBack] });
  expect([...pipeline.store.files]).toEqual([
    [view.file, [1, 2].map(() => expect.objectContaining(rolledBack))],
  ]);

  // The save that was running comes back only now, when its batch is closed.
  release();
  await pipeline.send(['next']);
  await waitFor('a later record to be saved', () => savedValues(pipeline.store).includes('next'));
  expect([...pipeline.store.staged]).toEqual([]);
  expect(pipeline.store.outcomes()).toHaveLength(3);
});

test('A batch that is terminated when its file is there keeps the outcomes of the file (G4).', async () => {
  pipeline = await startPipeline();
  const wait = hold();
  pipeline.store.beforeSave = ({ value }, attempt) => {
    if (value === 'failing' || attempt === 1) throw new Error('no luck');
  };
  pipeline.store.afterClose = wait;
  const [requestId = ''] = await pipeline.send(['failing', 'fine']);
  await waitFor('the file', () => pipeline.store.files.size === 1);
  pipeline.store.afterClose = () => undefined;
  const before = pipeline.store.outcomes();
  await handleOf(pipeline.store.closed[0]!.batchId).terminate('by hand');
  const { counters } = await pipeline.quiet();

  expect(pipeline.store.outcomes()).toEqual(before);
  expect(counters).toMatchObject({
    batchesFailed: 1,
    batchesCompleted: 1,
    saved: 1,
    rolledBack: 1,
    retries: 3,
  });
  expect((await pipeline.batcher.request(requestId))?.records).toMatchObject([
    { state: 'rolled_back', attempts: 3, error: 'no luck' },
    { state: 'saved', attempts: 2 },
  ]);
  expect(new Set(pipeline.store.rollbacks).size).toBe(1);
});

test('A batch that is terminated while no run of the batcher waits for it as its child is settled too (G4).', async () => {
  const batchId = await whileSaving({ limits: { historyEvents: 4000, historyBytes: 1e9, messages: 2 } });
  await pipeline.batcher.flush('test');
  await pipeline.batcher.flush('test');
  await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew > 0);
  await handleOf(batchId).terminate('by hand');
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ batchesFailed: 1, batchesCompleted: 1, rolledBack: 2 });
  expect(pipeline.store.outcomes()).toHaveLength(2);
});

test('A settling that is terminated as well is begun again, until the batch is settled (G4).', async () => {
  const batchId = await whileSaving();
  await whileSettling(batchId);
  await handleOf(batchId).terminate('a second time');
  await waitFor(
    'the second end to be counted',
    async () => (await pipeline.status()).counters.batchesFailed === 2,
  );
  release();
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ batchesFailed: 2, batchesCompleted: 1, rolledBack: 2 });
  expect(pipeline.store.outcomes()).toHaveLength(2);
  // Whichever attempt came first wrote the file, and the others have told what stands there.
  const reasons = pipeline.store.outcomes().map(({ error }) => error);
  expect((await pipeline.batcher.batch(batchId))?.records.map(({ error }) => error)).toEqual(reasons);
});

test('A settling that is cancelled is done all the same (G4).', async () => {
  const batchId = await whileSaving();
  await whileSettling(batchId);
  await handleOf(batchId).cancel();
  await waitFor('the workflow to have seen it', async () => {
    const events = (await handleOf(batchId).fetchHistory()).events ?? [];
    const cancelled = events.findIndex((event) => event.workflowExecutionCancelRequestedEventAttributes);
    return events.slice(cancelled).some((event) => event.workflowTaskCompletedEventAttributes);
  });
  release();
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ batchesFailed: 1, batchesCompleted: 1, rolledBack: 2 });
});

test('A batch whose workflow fails is settled (G4).', async () => {
  pipeline = await startPipeline();
  pipeline.store.beforeClose = () => {
    // Settling rolls back before it closes.
    if (pipeline.store.rollbacks.length === 0)
      throw new KeepapartError('record-rejected', 'no store should say this here');
  };
  await pipeline.send(['kept apart from its outcome']);
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ batchesFailed: 1, batchesCompleted: 1, rolledBack: 1 });
  expect(pipeline.store.outcomes()).toMatchObject([
    { outcome: OUTCOME.rolledBack, error: expect.stringContaining('its batch was failed by its workflow') },
  ]);
  expect([...pipeline.store.staged]).toEqual([]);
});

test('A store that is away is waited for, and the Web UI finds the settled batch by its outcomes.', async () => {
  const batchId = await whileSaving();
  let away = 2;
  pipeline.store.beforeRollback = () => {
    if (away-- > 0) throw new KeepapartError('store-failed', 'away', { retryAfterMs: 1 });
  };
  await handleOf(batchId).terminate('by hand');
  await pipeline.quiet();
  expect(away).toBeLessThan(0);
  const { typedSearchAttributes } = await handleOf(batchId).describe();
  expect(typedSearchAttributes.get(SEARCH_ATTRIBUTES.rolledBack)).toBe(2);
  expect(typedSearchAttributes.get(SEARCH_ATTRIBUTES.undoFailed)).toBeUndefined();
});

test('A batcher that starts anew settles what closed without completing while there was none (G4).', async () => {
  const batchId = await whileSaving();
  await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).terminate('by hand');
  await handleOf(batchId).terminate('this one too');
  await pipeline.send(['next']);
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ accepted: 3, saved: 1, rolledBack: 2, batchesFailed: 1 });
  expect(pipeline.store.outcomes()).toHaveLength(3);
});
