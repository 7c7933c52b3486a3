import { batchIdOf } from '../../src/domain/batch';
import { HOUR } from '../../src/domain/duration';
import type { TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';
import { batcherHistory, batchHistory, holdSlowRecords, type Scenario } from './scenario';

/** Two batches of two share a child. */
const IN_PAIRS = {
  saveActivity: 'batch',
  batchesPerChild: 2,
  maxBatchSize: 2,
  maxInFlight: 2,
  flushIntervalMs: HOUR,
} as const;

async function oneClosed(pipeline: TestPipeline): Promise<void> {
  await waitFor('one of two batches to be counted', async () => (await pipeline.status()).inFlight === 1);
}

export const SCENARIOS_OF_GROUPS: readonly Scenario[] = [
  {
    cases: ['batch-group-clean'],
    async record(start) {
      const pipeline = await start({ settings: IN_PAIRS });
      await pipeline.send(['a', 'b', 'c', 'd']);
      await pipeline.quiet();
      return { 'batch-group-clean': await batchHistory(pipeline) };
    },
  },
  {
    cases: ['batch-group-retries'],
    async record(start) {
      const pipeline = await start({ settings: IN_PAIRS });
      pipeline.store.beforeSave = ({ value }, attempt) => {
        if (value === 'never' || (value === 'second' && attempt === 1))
          throw new Error(`no luck in attempt ${attempt}`);
      };
      await pipeline.send(['a', 'b', 'never', 'second']);
      await pipeline.quiet();
      return { 'batch-group-retries': await batchHistory(pipeline) };
    },
  },
  {
    cases: ['batch-group-terminated', 'batch-group-settled'],
    async record(start) {
      const pipeline = await start({ settings: IN_PAIRS });
      const slow = holdSlowRecords(pipeline);
      await pipeline.send(['a', 'b', 'slow', 'd']);
      await oneClosed(pipeline);
      const groupId = batchIdOf(pipeline.batcherWorkflowId, 1);
      const { runId } = await pipeline.client.workflow.getHandle(groupId).describe();
      await pipeline.client.workflow.getHandle(groupId).terminate('recorder');
      await pipeline.quiet();
      slow.release();
      return {
        'batch-group-terminated': await pipeline.client.workflow.getHandle(groupId, runId).fetchHistory(),
        'batch-group-settled': await batchHistory(pipeline),
      };
    },
  },
  {
    cases: ['batcher-groups-carried', 'batcher-groups-adopted'],
    async record(start) {
      const limits = { historyEvents: 4000, historyBytes: 1e9, messages: 4 };
      const pipeline = await start({ settings: IN_PAIRS, limits });
      const slow = holdSlowRecords(pipeline);
      const { runId } = await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).describe();
      await pipeline.send(['a', 'b', 'slow', 'd']);
      await oneClosed(pipeline);
      for (let i = 0; i < 4; i++) await pipeline.ingest.flush('recorder');
      await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew === 1);
      slow.release();
      await pipeline.quiet();
      return {
        'batcher-groups-carried': await batcherHistory(pipeline, runId),
        'batcher-groups-adopted': await batcherHistory(pipeline),
      };
    },
  },
];
