import type { WorkflowHandle } from '@temporalio/client';
import { bufferPageId } from '../../src/contracts/workflow/ids';
import { HOUR, KIB } from '../../src/domain/duration';
import { OUTCOME } from '../../src/domain/records/outcome';
import { deleteWorkflow, isGone } from '../helpers/by-hand';
import { savedValues } from '../helpers/memory-store';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** What somebody deletes, with all that Temporal knows of it: nothing waits for it for ever, and what is lost is told. */
let pipeline: TestPipeline;
let release: () => void = () => undefined;
afterEach(() => {
  release();
  return pipeline.close();
});

async function remove({ workflowId }: WorkflowHandle): Promise<void> {
  await deleteWorkflow(pipeline.client, workflowId);
}

function handleOf(workflowId: string): WorkflowHandle {
  return pipeline.client.workflow.getHandle(workflowId);
}

/** Sends a record whose save takes until {@link release}; the id of its batch. */
async function whileOneSaves(options: Parameters<typeof startPipeline>[0] = {}): Promise<string> {
  pipeline = await startPipeline(options);
  const released = new Promise<void>((resolve) => (release = resolve));
  pipeline.store.beforeSave = ({ value }) => (value === 'slow' ? released : undefined);
  await pipeline.send(['slow']);
  return waitFor('the record to be on its way', () => pipeline.store.saves[0]?.batchId);
}

/** A paused batcher with 60 records, most of them in pages. */
async function withPages(): Promise<void> {
  pipeline = await startPipeline({
    settings: { flushIntervalMs: HOUR, maxBatchSize: 20 },
    limits: { historyEvents: 4000, historyBytes: 1e9, messages: 20 },
  });
  await pipeline.batcher.pause('test');
  const large = 'x'.repeat(20 * KIB);
  for (let i = 0; i < 30; i++) await pipeline.send([`${i} ${large}`, i]);
  await waitFor('pages', async () => (await pipeline.status()).pages > 0);
}

async function firstPage(): Promise<WorkflowHandle> {
  const page = handleOf(bufferPageId(pipeline.batcherWorkflowId, 1));
  await waitFor('the page to have started', async () => !(await isGone(page)));
  return page;
}

test('A page that somebody deletes costs its own records only: they are counted as lost, and the others are saved (G4).', async () => {
  await withPages();
  await remove(await firstPage());
  await pipeline.batcher.resume('test');
  await pipeline.send(['later']);
  await pipeline.batcher.flush('test');
  await waitFor('a later record to be saved', () => savedValues(pipeline.store).includes('later'));
  const { counters } = await pipeline.quiet();
  expect(counters.lost).toBeGreaterThan(0);
  expect(counters.saved + counters.lost).toBe(61);
  expect(pipeline.store.outcomes()).toHaveLength(counters.saved);
});

test('A page that somebody cancels goes on, and its records are saved (G4).', async () => {
  await withPages();
  await (await firstPage()).cancel();
  await pipeline.batcher.resume('test');
  await pipeline.batcher.flush('test');
  expect((await pipeline.quiet()).counters).toMatchObject({ saved: 60, lost: 0 });
});

test.each(['record', 'batch'] as const)(
  'A batch that somebody deletes while it runs gets its outcomes all the same, with %s (G4).',
  async (saveActivity) => {
    const batchId = await whileOneSaves({ settings: { saveActivity } });
    await remove(handleOf(batchId));
    const { counters } = await pipeline.quiet();
    expect(counters).toMatchObject({ accepted: 1, saved: 0, rolledBack: 1, lost: 0, batchesFailed: 1 });
    expect(pipeline.store.outcomes()).toEqual([
      expect.objectContaining({
        value: 'slow',
        outcome: OUTCOME.rolledBack,
        error: 'its batch was deleted by an operator',
      }),
    ]);
    expect(await pipeline.batcher.batch(batchId)).toMatchObject({ state: 'completed', rolledBack: 1 });
  },
);

test('A batch of an earlier run that somebody deletes is counted as lost, and frees its place (G4, G8).', async () => {
  const batchId = await whileOneSaves({ limits: { messages: 3 }, settings: { maxInFlight: 1 } });
  for (let i = 0; i < 3; i++) await pipeline.send([`filler ${i}`]);
  await waitFor('a handing over', async () => (await pipeline.status()).run.continuedAsNew > 0);
  await remove(handleOf(batchId));
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ accepted: 4, saved: 3, rolledBack: 0, lost: 1 });
});
