import { randomUUID } from 'node:crypto';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { addRecordsSignal, drainSignal } from '../../../src/contracts/workflow/batcher';
import { bufferPageId } from '../../../src/contracts/workflow/ids';
import { limitsUpdate } from '../../../src/contracts/workflow/limits';
import { KIB } from '../../../src/domain/duration';
import { recordIdOf } from '../../../src/domain/records/record';
import { Shards } from '../../../src/temporal/shard/shards';
import type { TestPipeline } from '../../helpers/pipeline';
import { waitFor } from '../../helpers/wait-for';
import { NEVER, batcherHistory, historyOf, runIdOf, runsOf, type Scenario } from '../scenario';
import { failing } from './children';

async function nextRun(pipeline: TestPipeline): Promise<void> {
  await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew === 1);
}

/** Puts other settings in force, as another process would at its start. */
async function configure(
  { client, address }: TestPipeline,
  settings: Partial<TestPipeline['address']['settings']>,
): Promise<void> {
  const other = { ...address, settings: { ...address.settings, ...settings } };
  await new Shards(client, other, { maxBufferedRecords: 1, maxBufferedBytes: 1 }).configure('recorder');
}

function handleOf({ client, batcherWorkflowId }: TestPipeline) {
  return client.workflow.getHandle(batcherWorkflowId);
}

export const SCENARIOS_OF_MESSAGES: readonly Scenario[] = [
  {
    cases: ['batcher-paused'],
    async record(start) {
      const pipeline = await start({ settings: NEVER });
      await pipeline.batcher.pause('recorder');
      await pipeline.send([1, 2, 3, 4, 5, 6]);
      await waitFor('six buffered records', async () => (await pipeline.status()).bufferedRecords === 6);
      await pipeline.batcher.resume('recorder');
      await waitFor('the full batch to be closed', () => pipeline.store.files.size === 1);
      await pipeline.batcher.flush('recorder');
      await pipeline.quiet();
      await pipeline.send([1, 2]);
      await waitFor('two buffered records', async () => (await pipeline.status()).bufferedRecords === 2);
      await configure(pipeline, { flushIntervalMs: 50, conflicts: [] });
      await pipeline.quiet();
      return { 'batcher-paused': await batcherHistory(pipeline) };
    },
  },
  {
    cases: ['batcher-malformed'],
    async record(start) {
      const pipeline = await start({ settings: NEVER });
      await pipeline.send(['fine']);
      const handle = handleOf(pipeline);
      await handle.signal('addRecords', 'nonsense');
      await handle.signal('addRecords', [{ requestId: 1, values: 2 }]);
      await handle.signal('childProgress', 3);
      await handle.signal('configure', { maxBatchSize: 'many' });
      await handle.signal('pause', 'nobody');
      await handle.signal('resume');
      await waitFor(
        'what is malformed to be counted',
        async () => (await pipeline.status()).counters.malformedMessages === 4,
      );
      await pipeline.batcher.flush('recorder');
      await pipeline.quiet();
      return { 'batcher-malformed': await batcherHistory(pipeline) };
    },
  },
  {
    cases: ['batcher-rules'],
    async record(start) {
      const debit = { at: '/type', equals: 'debit' };
      const credit = { at: '/type', equals: 'credit' };
      const pipeline = await start({
        settings: {
          ...NEVER,
          maxBatchSize: 3,
          conflicts: [
            { never: { left: debit, right: credit }, same: '/account' },
            { distinct: '/id' },
            { pair: ['a', 'b'] },
            { pair: ['c', 'd'] },
          ],
        },
      });
      const of = (id: number, type: string, account: string) => ({ id, type, account });
      await pipeline.send([of(1, 'debit', 'a'), of(2, 'credit', 'a'), of(3, 'credit', 'b')]);
      await pipeline.send([
        of(1, 'debit', 'b'),
        of(4, 'credit', 'b'),
        of(5, 'debit', 'a'),
        of(6, 'note', 'a'),
      ]);
      await pipeline.send(['c', 'a', 'd', 'a', 'a', 'b']);
      await pipeline.batcher.flush('recorder');
      await pipeline.quiet();
      return { 'batcher-rules': await batcherHistory(pipeline) };
    },
  },
  {
    cases: ['batcher-spilling', 'batcher-taking-in', 'page-taken-in'],
    async record(start) {
      const pipeline = await start({ settings: NEVER, limits: runsOf(4) });
      const runId = await runIdOf(pipeline, pipeline.batcherWorkflowId);
      await pipeline.batcher.pause('recorder');
      // The shortest that needs a page: the corpus is to be read by people as well.
      for (let i = 0; i < 3; i++) await pipeline.send([i, 'x'.repeat(24 * KIB)]);
      await nextRun(pipeline);
      await pipeline.shards.control(drainSignal, 'recorder');
      await pipeline.batcher.resume('recorder');
      await pipeline.quiet();
      const pageId = bufferPageId(pipeline.batcherWorkflowId, 1);
      await pipeline.client.workflow.getHandle(pageId).result();
      return {
        'batcher-spilling': await batcherHistory(pipeline, runId),
        'batcher-taking-in': await batcherHistory(pipeline),
        'page-taken-in': await historyOf(pipeline, pageId),
      };
    },
  },
  {
    cases: ['batcher-keys'],
    async record(start) {
      const pipeline = await start({ settings: NEVER, limits: runsOf(5) });
      const first = randomUUID();
      const sendOnce = (requestId: string, value: string) =>
        pipeline.batcher.addRecords({ requestId, values: [value] }, { once: true });
      /** As when the reply is lost. */
      const repeat = () =>
        handleOf(pipeline).signal(addRecordsSignal, [{ requestId: 'repeated', values: ['repeated'] }], {
          sender: 'recorder',
          number: 1,
        });
      await sendOnce(first, 'first');
      await sendOnce(randomUUID(), 'second');
      await sendOnce(randomUUID(), 'third');
      await repeat();
      await nextRun(pipeline);
      await sendOnce(first, 'first');
      await repeat();
      await pipeline.batcher.flush('recorder');
      const { counters } = await pipeline.quiet();
      const { accepted, duplicateRequests, repeatedMessages } = counters;
      if (accepted !== 4 || duplicateRequests !== 1 || repeatedMessages !== 1)
        throw new Error(`not everything was taken once: ${JSON.stringify(counters)}`);
      return { 'batcher-keys': await batcherHistory(pipeline) };
    },
  },
  {
    cases: ['batcher-redriving'],
    async record(start) {
      const pipeline = await start();
      failing({ refused: [1] })(pipeline.store);
      const [requestId = ''] = await pipeline.send([1]);
      await pipeline.quiet();
      failing({})(pipeline.store);
      const letters = { records: [recordIdOf(requestId, 0)] };
      await waitFor('the dead letter to be redriven', async () => {
        const { redriven } = await pipeline.batcher.redrive(letters, 'recorder');
        return redriven.length === 1;
      });
      await waitFor('the redriven record', async () => (await pipeline.status()).counters.saved === 1);
      await pipeline.quiet();
      return { 'batcher-redriving': await batcherHistory(pipeline) };
    },
  },
  {
    cases: ['batcher-limits'],
    async record(start) {
      const pipeline = await start({ settings: NEVER, limits: runsOf(6) });
      await pipeline.batcher.pause('recorder');
      for (const value of [3, 4, 5]) await pipeline.send([value]);
      // Carried into the run that is recorded, where it holds against what an API is configured with.
      await pipeline.batcher.changeLimits({ maxBatchSize: 2, maxInFlight: 1 }, 'recorder');
      await configure(pipeline, {});
      await nextRun(pipeline);
      await pipeline.batcher.changeLimits({ conflicts: [{ pair: [3, 4] }], maxInFlight: null }, 'recorder');
      await expectRefusal(
        handleOf(pipeline).executeUpdate(limitsUpdate, {
          args: [{ maxBatchSize: 0 }, { by: 'recorder', atMs: Date.now() }],
        }),
      );
      await configure(pipeline, {});
      await pipeline.batcher.resume('recorder');
      await waitFor('a batch of two', () => pipeline.store.files.size > 0);
      await pipeline.batcher.flush('recorder');
      await pipeline.quiet();
      return { 'batcher-limits': await batcherHistory(pipeline) };
    },
  },
];

/** An update that is refused leaves nothing in history, but has to be refused. */
async function expectRefusal(update: Promise<unknown>): Promise<void> {
  try {
    await update;
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) return;
    throw error;
  }
  throw new Error('the batcher accepted what it had to refuse');
}
