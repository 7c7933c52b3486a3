import type { ConflictRule } from '../../src/domain/conflict-rules';
import { waitFor } from '../helpers/wait-for';
import { batcherHistory, holdSlowRecords, type Scenario } from './scenario';

const conflicts: ConflictRule[] = [{ pair: ['slow', 'other'] }];

export const SCENARIOS_OF_SCOPE: readonly Scenario[] = [
  {
    cases: ['batcher-running-carried', 'batcher-running-adopted'],
    async record(start) {
      const pipeline = await start({
        settings: { conflicts, conflictScope: 'running', apartMs: 500, flushIntervalMs: 20, maxBatchSize: 2 },
        limits: { historyEvents: 4000, historyBytes: 1e9, messages: 4 },
      });
      const slow = holdSlowRecords(pipeline);
      const { runId } = await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).describe();
      await pipeline.send(['slow']);
      await waitFor('the slow record', () => slow.held() === 1);
      await pipeline.send(['other', 'free']);
      await waitFor('the free record', () => pipeline.store.files.size === 1);
      for (let i = 0; i < 2; i++) await pipeline.ingest.flush('recorder');
      await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew === 1);
      slow.release();
      await pipeline.quiet();
      return {
        'batcher-running-carried': await batcherHistory(pipeline, runId),
        'batcher-running-adopted': await batcherHistory(pipeline),
      };
    },
  },
];
