import { HOUR } from '../../../src/domain/duration';
import type { TestPipeline } from '../../helpers/pipeline';
import { waitFor } from '../../helpers/wait-for';
import {
  NEVER,
  batcherHistory,
  childHistory,
  firstChildOf,
  historyOf,
  holdSlowRecords,
  runIdOf,
  runsOf,
  type Scenario,
} from '../scenario';
import { failing, oneChild, refusingOnce } from './children';

/** Batches of two, all of a list in one child. */
const IN_BULK = { ...NEVER, saveActivity: 'batch', maxBatchSize: 2 } as const;

async function oneClosed(pipeline: TestPipeline): Promise<void> {
  await waitFor('one of two batches to be counted', async () => (await pipeline.status()).inFlight === 1);
}

export const SCENARIOS_IN_BULK: readonly Scenario[] = [
  oneChild('child-bulk-clean', ['a', 'b', 'c', 'd'], { settings: IN_BULK }),
  oneChild('child-bulk-retries', ['a', 'b', 'c', 'second', 'd', 'never', 'e', 'refused'], {
    settings: IN_BULK,
    behave: failing({ fails: { second: 1 }, never: ['never'], refused: ['refused'] }),
  }),
  oneChild('child-bulk-all-or-nothing', ['a', 'b', 'c', 'refused'], {
    settings: { ...IN_BULK, onFailure: 'rollback_batch' },
    behave: failing({ refused: ['refused'] }),
  }),
  oneChild('child-bulk-refused', ['a', 'b', 'c', 'd'], {
    settings: IN_BULK,
    behave: refusingOnce((batchId) => batchId.endsWith('.002')),
  }),
  {
    cases: ['child-bulk-cancelled'],
    async record(start) {
      const pipeline = await start({ settings: { ...IN_BULK, retryIntervalMs: HOUR } });
      failing({ never: ['never'] })(pipeline.store);
      await pipeline.send(['a', 'b', 'c', 'never']);
      await oneClosed(pipeline);
      await pipeline.client.workflow.getHandle(firstChildOf(pipeline)).cancel();
      await pipeline.quiet();
      return { 'child-bulk-cancelled': await childHistory(pipeline) };
    },
  },
  {
    cases: ['child-bulk-terminated', 'child-bulk-settled', 'batcher-bulk-settling'],
    async record(start) {
      const pipeline = await start({ settings: IN_BULK });
      const slow = holdSlowRecords(pipeline, 2);
      await pipeline.send(['a', 'b', 'slow', 'd']);
      await oneClosed(pipeline);
      await waitFor('the second attempt', () => slow.held() === 1);
      const childId = firstChildOf(pipeline);
      const runId = await runIdOf(pipeline, childId);
      await pipeline.client.workflow.getHandle(childId).terminate('recorder');
      await pipeline.quiet();
      slow.release();
      return {
        'child-bulk-terminated': await historyOf(pipeline, childId, runId),
        'child-bulk-settled': await childHistory(pipeline),
        'batcher-bulk-settling': await batcherHistory(pipeline),
      };
    },
  },
  {
    cases: ['batcher-bulk-carried', 'batcher-bulk-adopted'],
    async record(start) {
      const pipeline = await start({ settings: IN_BULK, limits: runsOf(4) });
      const slow = holdSlowRecords(pipeline, 2);
      const runId = await runIdOf(pipeline, pipeline.batcherWorkflowId);
      await pipeline.send(['a', 'b', 'slow', 'd']);
      await oneClosed(pipeline);
      for (let i = 0; i < 4; i++) await pipeline.batcher.flush('recorder');
      await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew === 1);
      slow.release();
      await pipeline.quiet();
      return {
        'batcher-bulk-carried': await batcherHistory(pipeline, runId),
        'batcher-bulk-adopted': await batcherHistory(pipeline),
      };
    },
  },
];
