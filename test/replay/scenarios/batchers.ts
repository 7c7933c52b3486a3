import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../../../src/domain/duration';
import type { ConflictRule } from '../../../src/domain/rules';
import type { JsonValue } from '../../../src/domain/json';
import { waitFor } from '../../helpers/wait-for';
import { NEVER, TELLING, batcherHistory, holdSlowRecords, runIdOf, runsOf, type Scenario } from '../scenario';
import { failing } from './children';

const SLOW_AND_OTHER: ConflictRule[] = [{ pair: ['slow', 'other'] }];

/** So many values that differ. */
function values(count: number, prefix: string): JsonValue[] {
  return Array.from({ length: count }, (_, i) => `${prefix} ${i}`);
}

export const SCENARIOS_OF_BATCHERS: readonly Scenario[] = [
  {
    cases: ['batcher-size-and-age'],
    async record(start) {
      // Long enough for the first task to see a full batch and a rest that isn't due yet, so that there is a timer.
      const pipeline = await start({ settings: { flushIntervalMs: 5 * SECOND } });
      await pipeline.send([1, 3, 4, 5, 6, 2, 7]);
      await pipeline.quiet();
      return { 'batcher-size-and-age': await batcherHistory(pipeline) };
    },
  },
  {
    cases: ['batcher-continued-as-new', 'batcher-adopting'],
    async record(start) {
      const pipeline = await start({ settings: NEVER, limits: runsOf(3) });
      const slow = holdSlowRecords(pipeline);
      const runId = await runIdOf(pipeline, pipeline.batcherWorkflowId);
      // One after the other: side by side they would share a signal.
      await pipeline.send(['slow', 3, 4, 5, 6]);
      await pipeline.send(['slow', 7, 8, 9, 10]);
      await waitFor('two slow batches', () => slow.held() === 2);
      await pipeline.send([11, 12]);
      await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew === 1);
      slow.release();
      await waitFor('the adopted children to end', async () => (await pipeline.status()).inFlight === 0);
      await pipeline.batcher.flush('recorder');
      await pipeline.quiet();
      return {
        'batcher-continued-as-new': await batcherHistory(pipeline, runId),
        'batcher-adopting': await batcherHistory(pipeline),
      };
    },
  },
  {
    cases: ['batcher-both-shapes'],
    async record(start) {
      const settings = { ...TELLING, saveActivity: 'auto', maxBatchSize: 2 } as const;
      const pipeline = await start({ settings });
      failing({ fails: { 'burst 3': 1 } })(pipeline.store);
      await pipeline.send(['alone']);
      await pipeline.quiet();
      await pipeline.send(values(4, 'few'));
      await pipeline.quiet();
      await pipeline.send(values(24, 'burst'));
      await pipeline.quiet();
      await pipeline.batcher.pause('recorder');
      await pipeline.send(['alone again']);
      await pipeline.batcher.flush('recorder');
      await pipeline.batcher.resume('recorder');
      await pipeline.quiet();
      return { 'batcher-both-shapes': await batcherHistory(pipeline) };
    },
  },
  {
    cases: ['batcher-slow-store'],
    async record(start) {
      const pipeline = await start({ settings: { ...NEVER, saveActivity: 'auto', maxBatchSize: 2 } });
      // What it takes to be a slow store.
      pipeline.store.beforeSave = ({ value }) => (value === 'slow' ? sleep(2 * SECOND + 50) : undefined);
      await pipeline.send(['slow']);
      await pipeline.batcher.flush('recorder');
      await pipeline.quiet();
      await pipeline.send(values(22, 'one by one'));
      await pipeline.quiet();
      await pipeline.send(values(22, 'together'));
      await pipeline.quiet();
      return { 'batcher-slow-store': await batcherHistory(pipeline) };
    },
  },
  {
    cases: ['batcher-paced-carried', 'batcher-paced-on'],
    async record(start) {
      const pipeline = await start({
        settings: {
          ...{ conflicts: [], flushIntervalMs: 20, maxBatchSize: 2 },
          maxSavesPerSecond: [{ perSecond: 20 }, { at: '/tenant', perSecond: 4 }],
        },
        limits: runsOf(6),
      });
      const runId = await runIdOf(pipeline, pipeline.batcherWorkflowId);
      await pipeline.send(Array.from({ length: 14 }, (_, i) => ({ tenant: 'many', i })));
      await pipeline.send([{ tenant: 'other' }, 'of no tenant']);
      await waitFor('the other records', () => pipeline.store.files.size >= 2);
      await pipeline.batcher.pause('recorder');
      await waitFor('all batches to close', async () => (await pipeline.status()).inFlight === 0);
      for (let i = 0; i < 3; i++) await pipeline.batcher.flush('recorder');
      await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew === 1);
      await pipeline.batcher.resume('recorder');
      await pipeline.batcher.changeLimits(
        { maxSavesPerSecond: [{ at: '/tenant', perSecond: 3 }] },
        'recorder',
      );
      await pipeline.quiet();
      return {
        'batcher-paced-carried': await batcherHistory(pipeline, runId),
        'batcher-paced-on': await batcherHistory(pipeline),
      };
    },
  },
  {
    cases: ['batcher-running-carried', 'batcher-running-adopted'],
    async record(start) {
      const pipeline = await start({
        settings: {
          conflicts: SLOW_AND_OTHER,
          conflictScope: 'running',
          apartMs: 500,
          flushIntervalMs: 20,
          maxBatchSize: 2,
        },
        limits: runsOf(4),
      });
      const slow = holdSlowRecords(pipeline);
      const runId = await runIdOf(pipeline, pipeline.batcherWorkflowId);
      await pipeline.send(['slow']);
      await waitFor('the slow record', () => slow.held() === 1);
      await pipeline.send(['other', 'free']);
      await waitFor('the free record', () => pipeline.store.files.size === 1);
      await waitFor('its batch to close', async () => (await pipeline.status()).inFlight === 1);
      for (let i = 0; i < 2; i++) await pipeline.batcher.flush('recorder');
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
