import { HOUR } from '../../../src/domain/duration';
import type { TestPipeline } from '../../helpers/pipeline';
import { waitFor } from '../../helpers/wait-for';
import {
  NEVER,
  TELLING,
  batcherHistory,
  childHistory,
  firstChildOf,
  historyOf,
  runIdOf,
  runsOf,
  type Scenario,
  type Start,
} from '../scenario';
import { failing, oneChild, refusingOnce } from './children';

/** Batches of two, all of a list in one child. */
const IN_BULK = { ...NEVER, saveActivity: 'batch', maxBatchSize: 2 } as const;

/** Starts a child of two batches, of which one is closed and told, and the other waits for its next attempt for ever. */
async function halfClosed(start: Start, limits = {}): Promise<TestPipeline> {
  const pipeline = await start({ settings: { ...IN_BULK, retryIntervalMs: HOUR }, limits });
  failing({ never: ['never'] })(pipeline.store);
  await pipeline.send(['a', 'b', 'c', 'never']);
  await waitFor('one of two batches to be counted', async () => (await pipeline.status()).inFlight === 1);
  return pipeline;
}

export const SCENARIOS_IN_BULK: readonly Scenario[] = [
  oneChild('child-bulk-clean', ['a', 'b', 'c', 'd'], { settings: IN_BULK }),
  oneChild('child-bulk-retries', ['a', 'b', 'c', 'second', 'd', 'never', 'e', 'refused'], {
    settings: { ...IN_BULK, ...TELLING },
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
      const pipeline = await halfClosed(start);
      await pipeline.client.workflow.getHandle(firstChildOf(pipeline)).cancel();
      await pipeline.quiet();
      return { 'child-bulk-cancelled': await childHistory(pipeline) };
    },
  },
  {
    cases: ['child-bulk-terminated', 'child-bulk-settled', 'batcher-bulk-settling'],
    async record(start) {
      const pipeline = await halfClosed(start);
      const childId = firstChildOf(pipeline);
      const runId = await runIdOf(pipeline, childId);
      await pipeline.client.workflow.getHandle(childId).terminate('recorder');
      await pipeline.quiet();
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
      const pipeline = await halfClosed(start, runsOf(4));
      const runId = await runIdOf(pipeline, pipeline.batcherWorkflowId);
      for (let i = 0; i < 4; i++) await pipeline.batcher.flush('recorder');
      await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew === 1);
      await pipeline.client.workflow.getHandle(firstChildOf(pipeline)).cancel();
      await pipeline.quiet();
      return {
        'batcher-bulk-carried': await batcherHistory(pipeline, runId),
        'batcher-bulk-adopted': await batcherHistory(pipeline),
      };
    },
  },
];
