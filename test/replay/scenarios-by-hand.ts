import { randomUUID } from 'node:crypto';
import { batchIdOf } from '../../src/domain/batch';
import { bufferPageId } from '../../src/contracts/ids';
import { HOUR, KIB } from '../../src/domain/duration';
import { KeepapartError } from '../../src/domain/errors';
import { recordIdOf } from '../../src/domain/record';
import { createBatcherClient } from '../../src/temporal/batcher-client';
import { waitFor } from '../helpers/wait-for';
import { batcherHistory, batchHistory, holdSlowRecords, type Scenario } from './scenario';

const SMALL_RUNS = { historyEvents: 4000, historyBytes: 1e9 };

/** What came with 0.2.0 and later: batches that are settled or undone, pages, keys, drains, redrives, limits. */
export const SCENARIOS_BY_HAND: readonly Scenario[] = [
  {
    cases: ['batch-all-or-nothing'],
    async record(start) {
      const pipeline = await start({ settings: { onFailure: 'rollback_batch' } });
      pipeline.store.beforeSave = ({ value }) => {
        if (value === 'refused') throw new KeepapartError('record-rejected', 'not a record for this store');
      };
      await pipeline.send(['fine', 'refused']);
      await pipeline.quiet();
      return { 'batch-all-or-nothing': await batchHistory(pipeline) };
    },
  },
  {
    cases: ['batch-terminated', 'batch-settled', 'batcher-settling'],
    async record(start) {
      const pipeline = await start();
      const slow = holdSlowRecords(pipeline);
      await pipeline.send(['slow']);
      await waitFor('the slow record', () => slow.held() === 1);
      const batchId = batchIdOf(pipeline.batcherWorkflowId, 1);
      const { runId } = await pipeline.client.workflow.getHandle(batchId).describe();
      await pipeline.client.workflow.getHandle(batchId).terminate('recorder');
      await pipeline.quiet();
      slow.release();
      return {
        'batch-terminated': await pipeline.client.workflow.getHandle(batchId, runId).fetchHistory(),
        'batch-settled': await batchHistory(pipeline),
        'batcher-settling': await batcherHistory(pipeline),
      };
    },
  },
  {
    cases: ['batcher-spilling', 'batcher-taking-in', 'page-taken-in'],
    async record(start) {
      const pipeline = await start({
        settings: { flushIntervalMs: HOUR },
        limits: { ...SMALL_RUNS, messages: 4 },
      });
      const { runId } = await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).describe();
      await pipeline.batcher.pause('recorder');
      // The shortest that needs a page: the corpus is to be read by people as well.
      for (let i = 0; i < 3; i++) await pipeline.send([i, 'x'.repeat(24 * KIB)]);
      await waitFor('the run after the page', async () => {
        const { pages, run } = await pipeline.status();
        return pages === 1 && run.continuedAsNew === 1;
      });
      await pipeline.ingest.drain('recorder');
      await pipeline.batcher.resume('recorder');
      await pipeline.quiet();
      const pageId = bufferPageId(pipeline.batcherWorkflowId, 1);
      await pipeline.client.workflow.getHandle(pageId).result();
      return {
        'batcher-spilling': await batcherHistory(pipeline, runId),
        'batcher-taking-in': await batcherHistory(pipeline),
        'page-taken-in': await pipeline.client.workflow.getHandle(pageId).fetchHistory(),
      };
    },
  },
  {
    cases: ['batcher-keys'],
    async record(start) {
      const pipeline = await start({
        settings: { flushIntervalMs: HOUR },
        limits: { ...SMALL_RUNS, messages: 3 },
      });
      const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
      const sendOnce = (requestId: string, value: string, api = pipeline.batcher) =>
        api.addRecords({ requestId, values: [value] }, { once: true });
      await sendOnce(first, 'first');
      await sendOnce(second, 'second');
      await sendOnce(third, 'third');
      await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew === 1);
      // An API that has taken it would not send it again.
      const bounds = { maxBufferedRecords: 1000, maxBufferedBytes: 1e6 };
      await sendOnce(first, 'first', createBatcherClient(pipeline.client, pipeline.address, bounds));
      await pipeline.batcher.flush('recorder');
      await pipeline.quiet();
      return { 'batcher-keys': await batcherHistory(pipeline) };
    },
  },
  {
    cases: ['batcher-redriving'],
    async record(start) {
      const pipeline = await start();
      let refusing = true;
      pipeline.store.beforeSave = () => {
        if (refusing) throw new KeepapartError('record-rejected', 'not now');
      };
      const [requestId = ''] = await pipeline.send([1]);
      await pipeline.quiet();
      refusing = false;
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
      const pipeline = await start({
        settings: { flushIntervalMs: HOUR },
        limits: { ...SMALL_RUNS, messages: 6 },
      });
      await pipeline.batcher.pause('recorder');
      for (const value of [3, 4, 5]) await pipeline.send([value]);
      // Carried into the run that is recorded, where it holds against what an API is configured with.
      await pipeline.batcher.changeLimits({ maxBatchSize: 2, maxInFlight: 1 }, 'recorder');
      await pipeline.ingest.configure('recorder');
      await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew === 1);
      await pipeline.batcher.changeLimits({ conflicts: [{ pair: [3, 4] }], maxInFlight: null }, 'recorder');
      await pipeline.ingest.configure('recorder');
      await pipeline.ingest.resume('recorder');
      await waitFor('a batch of two', () => pipeline.store.files.size > 0);
      await pipeline.batcher.flush('recorder');
      await pipeline.quiet();
      return { 'batcher-limits': await batcherHistory(pipeline) };
    },
  },
];
