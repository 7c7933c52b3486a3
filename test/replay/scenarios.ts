import { SAVE_ACTIVITY, type SaveActivity } from '../../src/contracts/settings';
import { batchIdOf } from '../../src/domain/batch';
import { HOUR, SECOND } from '../../src/domain/duration';
import { KeepapartError } from '../../src/domain/errors';
import { createIngest } from '../../src/temporal/shard/ingest';
import { waitFor } from '../helpers/wait-for';
import type { CaseName } from './cases';
import { batcherHistory, batchHistory, holdSlowRecords, type Scenario } from './scenario';
import { SCENARIOS_BY_HAND } from './scenarios-by-hand';
import { SCENARIOS_OF_STREAMS } from './scenarios-of-streams';
import { SCENARIOS_OF_GROUPS } from './scenarios-of-groups';
import { SCENARIOS_OF_SCOPE } from './scenarios-of-scope';

/** Long enough that nothing is flushed for its age. */
const NEVER = { flushIntervalMs: HOUR };

/** One record saved at once, one at the second attempt, one exhausted, one refused. */
function savedLocally(name: CaseName, saveActivity: SaveActivity): Scenario {
  return {
    cases: [name],
    async record(start) {
      const pipeline = await start({ settings: { saveActivity } });
      pipeline.store.beforeSave = ({ value }, attempt) => {
        if (value === 'never' || (value === 'second' && attempt === 1))
          throw new Error(`no luck in attempt ${attempt}`);
        if (value === 'refused') throw new KeepapartError('record-rejected', 'not a record for this store');
      };
      await pipeline.send(['first', 'second', 'never', 'refused']);
      await pipeline.quiet();
      return { [name]: await batchHistory(pipeline) };
    },
  };
}

export const SCENARIOS: readonly Scenario[] = [
  {
    cases: ['batch-clean'],
    async record(start) {
      const pipeline = await start();
      await pipeline.send([3, 4, 5]);
      await pipeline.quiet();
      return { 'batch-clean': await batchHistory(pipeline) };
    },
  },
  {
    cases: ['batch-retries'],
    async record(start) {
      const pipeline = await start();
      const failures = new Map<unknown, number>([
        ['second', 1],
        ['third', 2],
      ]);
      pipeline.store.beforeSave = ({ value }, attempt) => {
        if (attempt <= (failures.get(value) ?? 0)) throw new Error(`no luck in attempt ${attempt}`);
      };
      await pipeline.send(['first', 'second', 'third']);
      await pipeline.quiet();
      return { 'batch-retries': await batchHistory(pipeline) };
    },
  },
  {
    cases: ['batch-rollback'],
    async record(start) {
      const pipeline = await start();
      pipeline.store.beforeSave = (record, attempt) => {
        if (record.value === 'never') throw new Error(`no luck in attempt ${attempt}`);
        if (record.value === 'refused')
          throw new KeepapartError('record-rejected', 'not a record for this store');
      };
      await pipeline.send(['fine', 'never', 'refused']);
      await pipeline.quiet();
      return { 'batch-rollback': await batchHistory(pipeline) };
    },
  },
  {
    cases: ['batch-cancelled'],
    async record(start) {
      const pipeline = await start();
      const slow = holdSlowRecords(pipeline);
      await pipeline.send(['fast', 'slow']);
      await waitFor(
        'the fast record to be saved and the slow one to be on its way',
        async () =>
          slow.held() === 1 &&
          (await batchHistory(pipeline)).events?.some((event) => event.activityTaskCompletedEventAttributes),
      );
      await pipeline.client.workflow.getHandle(batchIdOf(pipeline.batcherWorkflowId, 1)).cancel();
      await pipeline.quiet();
      slow.release();
      return { 'batch-cancelled': await batchHistory(pipeline) };
    },
  },
  {
    cases: ['batcher-size-and-age'],
    async record(start) {
      // Long enough for the first task to see a full batch and a rest that isn't due yet, so that there is a timer.
      const pipeline = await start({ settings: { flushIntervalMs: 2 * SECOND } });
      await pipeline.send([1, 3, 4, 5, 6, 2, 7]);
      await pipeline.quiet();
      return { 'batcher-size-and-age': await batcherHistory(pipeline) };
    },
  },
  {
    cases: ['batcher-continued-as-new', 'batcher-adopting'],
    async record(start) {
      const pipeline = await start({
        settings: NEVER,
        limits: { historyEvents: 4000, historyBytes: 1e9, messages: 3 },
      });
      const slow = holdSlowRecords(pipeline);
      const { runId } = await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).describe();
      // One after the other: side by side they would share a signal.
      await pipeline.send(['slow', 3, 4, 5, 6]);
      await pipeline.send(['slow', 7, 8, 9, 10]);
      await waitFor('two slow batches', () => slow.held() === 2);
      await pipeline.send([11, 12]);
      await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew === 1);
      slow.release();
      await waitFor(
        'the adopted batches to be settled',
        async () => (await pipeline.status()).inFlight === 0,
      );
      await pipeline.batcher.flush('recorder');
      await pipeline.quiet();
      return {
        'batcher-continued-as-new': await batcherHistory(pipeline, runId),
        'batcher-adopting': await batcherHistory(pipeline),
      };
    },
  },
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
      const { client, address } = pipeline;
      const settings = { ...address.settings, flushIntervalMs: 50, conflicts: [] };
      await createIngest(client, { ...address, settings }).configure('recorder');
      await pipeline.quiet();
      return { 'batcher-paused': await batcherHistory(pipeline) };
    },
  },
  savedLocally('batch-saved-locally', SAVE_ACTIVITY.local),
  savedLocally('batch-saved-together', SAVE_ACTIVITY.batch),
  {
    cases: ['batcher-two-pairs'],
    async record(start) {
      // Three batches by any version of the partitioner, but not the same three.
      const conflicts = [{ pair: ['a', 'b'] as ['a', 'b'] }, { pair: ['c', 'd'] as ['c', 'd'] }];
      const pipeline = await start({ settings: { ...NEVER, maxBatchSize: 2, conflicts } });
      await pipeline.send(['c', 'a', 'd', 'a', 'a', 'b']);
      await pipeline.quiet();
      return { 'batcher-two-pairs': await batcherHistory(pipeline) };
    },
  },
  {
    cases: ['batcher-second-partitioner'],
    async record(start) {
      const debit = { at: '/type', equals: 'debit' };
      const credit = { at: '/type', equals: 'credit' };
      const conflicts = [{ never: { left: debit, right: credit }, same: '/account' }, { distinct: '/id' }];
      const pipeline = await start({ settings: { ...NEVER, maxBatchSize: 3, conflicts } });
      const of = (id: number, type: string, account: string) => ({ id, type, account });
      await pipeline.send([of(1, 'debit', 'a'), of(2, 'credit', 'a'), of(3, 'credit', 'b')]);
      await pipeline.send([
        of(1, 'debit', 'b'),
        of(4, 'credit', 'b'),
        of(5, 'debit', 'a'),
        of(6, 'note', 'a'),
      ]);
      await pipeline.batcher.flush('recorder');
      await pipeline.quiet();
      return { 'batcher-second-partitioner': await batcherHistory(pipeline) };
    },
  },
  ...SCENARIOS_BY_HAND,
  ...SCENARIOS_OF_STREAMS,
  ...SCENARIOS_OF_GROUPS,
  ...SCENARIOS_OF_SCOPE,
];
