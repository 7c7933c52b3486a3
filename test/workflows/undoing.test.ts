import { ApplicationFailure } from '@temporalio/common';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/workflow/search-attributes';
import { ROLLBACK_ATTEMPTS } from '../../src/contracts/workflow/activities';
import { KeepapartError } from '../../src/domain/errors';
import { OUTCOME, type SettledRecord } from '../../src/domain/records/outcome';
import { childOf, eventsOf } from '../helpers/histories';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** What is undone in the store when saving fails, and what is told when that fails too. */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

function outcomes(): Record<string, SettledRecord> {
  return Object.fromEntries(pipeline.store.outcomes().map((record) => [record.value as string, record]));
}

/** As a store that knows when it is back says it, so that nothing waits here. */
function away(): KeepapartError {
  return new KeepapartError('store-failed', 'away', { retryAfterMs: 1 });
}

function failing(...values: unknown[]): void {
  pipeline.store.afterSave = ({ value }) => {
    if (values.includes(value)) throw new Error('no luck');
  };
}

describe.each(['record', 'batch'] as const)('SAVE_ACTIVITY=%s', (saveActivity) => {
  test('What an exhausted save left in the store is removed, even if the first rollback attempt fails.', async () => {
    pipeline = await startPipeline({ settings: { saveActivity } });
    failing('half saved');
    let failures = 3;
    pipeline.store.beforeRollback = () => {
      if (failures-- > 0) throw away();
    };
    let left: string[] | undefined;
    pipeline.store.beforeClose = () => {
      left ??= [...pipeline.store.staged];
    };
    await pipeline.send(['half saved', 'fine']);
    await pipeline.quiet();

    expect(pipeline.store.rollbacks).toHaveLength(4);
    expect(left).toEqual([outcomes()['fine']?.recordId]);
    expect(outcomes()['half saved']).toMatchObject({ attempts: 3, error: 'no luck' });
    expect(outcomes()['half saved']).not.toHaveProperty('rollbackError');
  });

  test('A rollback that fails for good is reported in the outcome, the views and the Web UI, and its batch closes (G4).', async () => {
    pipeline = await startPipeline({ settings: { saveActivity } });
    failing('half saved');
    pipeline.store.beforeRollback = () => {
      throw away();
    };
    const [requestId = ''] = await pipeline.send(['half saved', 'fine']);
    const { counters } = await pipeline.quiet();

    expect(pipeline.store.rollbacks).toHaveLength(ROLLBACK_ATTEMPTS);
    const error = 'no luck; its rollback failed after 10 attempts: away';
    expect(outcomes()['half saved']).toMatchObject({
      outcome: OUTCOME.rolledBack,
      error,
      rollbackError: 'away',
    });
    expect(outcomes()['fine']).toMatchObject({ outcome: OUTCOME.saved });
    expect(counters).toMatchObject({ saved: 1, rolledBack: 1, batchesCompleted: 1 });
    expect((await pipeline.batcher.request(requestId))?.records[0]).toMatchObject({
      state: 'rolled_back',
      error,
    });

    const filter = `${SEARCH_ATTRIBUTES.undoFailed.name} = true AND ${SEARCH_ATTRIBUTES.batcher.name} = '${pipeline.batcherWorkflowId}'`;
    const found = await waitFor('the filter of docs/WEB-UI.md to find it', async () => {
      for await (const { workflowId } of pipeline.client.workflow.list({ query: filter })) return workflowId;
      return undefined;
    });
    expect(found).toBe(pipeline.store.closed[0]?.batchId);
    const details = await pipeline.client.workflow
      .getHandle(found)
      .query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    expect(details.currentDetails).toBe('1 saved, 1 rolled back, 1 rollback failed');
  });

  test('a rollback that can never succeed is not tried again', async () => {
    pipeline = await startPipeline({ settings: { saveActivity } });
    failing('half saved');
    pipeline.store.beforeRollback = () => {
      throw new KeepapartError('record-rejected', 'append only');
    };
    await pipeline.send(['half saved']);
    await pipeline.quiet();
    expect(pipeline.store.rollbacks).toHaveLength(1);
    expect(outcomes()['half saved']).toMatchObject({
      error: 'no luck; its rollback was permanently rejected at attempt 1: append only',
      rollbackError: 'append only',
    });
  });

  test('A rollback that never answers leaves each of its records with the reason, and its batch closes (G4).', async () => {
    let attempts = 0;
    pipeline = await startPipeline({
      settings: { saveActivity, maxAttempts: 1 },
      activities: () => ({
        rollback() {
          attempts++;
          throw ApplicationFailure.create({ message: 'the worker died', nextRetryDelay: 1 });
        },
      }),
    });
    failing('bad', 'bad as well');
    await pipeline.send(['bad', 'fine', 'bad as well']);
    const { counters } = await pipeline.quiet();
    expect(counters).toMatchObject({ batchesFailed: 0, saved: 1, rolledBack: 2 });
    const failed = { outcome: OUTCOME.rolledBack, rollbackError: 'the worker died' };
    expect(outcomes()).toMatchObject({ bad: failed, 'bad as well': failed });
    // One rollback for both.
    expect(attempts).toBe(ROLLBACK_ATTEMPTS);
  });

  test('A record that is refused for good is not retried, and its outcome says so (G9).', async () => {
    pipeline = await startPipeline({ settings: { saveActivity } });
    pipeline.store.beforeSave = ({ value }) => {
      if (value === 'bad') throw new KeepapartError('record-rejected', 'not for this store');
    };
    await pipeline.send(['bad', 'fine']);
    const { counters } = await pipeline.quiet();
    expect(pipeline.store.saves).toHaveLength(2);
    expect(outcomes()['bad']).toMatchObject({
      outcome: OUTCOME.rolledBack,
      attempts: 1,
      error: 'permanently rejected at attempt 1 of 3: not for this store',
    });
    expect(counters).toMatchObject({ saved: 1, rolledBack: 1, retries: 0 });
  });

  describe('ON_FAILURE=rollback_batch', () => {
    const settings = { onFailure: 'rollback_batch', saveActivity } as const;

    test('ON_FAILURE=rollback_batch rolls back the saved records of a batch in which one is exhausted: all or nothing.', async () => {
      pipeline = await startPipeline({ settings });
      failing('bad');
      pipeline.store.beforeSave = ({ value }, attempt) => {
        if (value === 'second' && attempt === 1) throw new Error('not yet');
      };
      let left: string[] | undefined;
      pipeline.store.beforeClose = () => {
        left ??= [...pipeline.store.staged];
      };
      await pipeline.send(['first', 'second', 'bad']);
      const { counters } = await pipeline.quiet();

      const { first, second, bad } = outcomes();
      const error = `rolled back with its batch: ${bad?.recordId} failed`;
      expect(bad).toMatchObject({ outcome: OUTCOME.rolledBack, attempts: 3, error: 'no luck' });
      expect(first).toMatchObject({ outcome: OUTCOME.rolledBack, attempts: 1, error });
      expect(second).toMatchObject({ outcome: OUTCOME.rolledBack, attempts: 2, error });
      expect(pipeline.store.rollbacks.sort()).toEqual(
        [first, second, bad].map((one) => one?.recordId).sort(),
      );
      expect(left).toEqual([]);
      expect(counters).toMatchObject({ saved: 0, rolledBack: 3, retries: 3 });
    });

    test('ON_FAILURE=rollback_batch leaves other batches alone, and a batch in which every record was saved.', async () => {
      pipeline = await startPipeline({ settings: { ...settings, maxBatchSize: 2 } });
      failing('bad');
      await pipeline.send(['a', 'b', 'c', 'bad']);
      const { counters } = await pipeline.quiet();
      expect(outcomes()).toMatchObject({
        a: { outcome: OUTCOME.saved },
        b: { outcome: OUTCOME.saved },
        c: { outcome: OUTCOME.rolledBack },
      });
      expect(counters).toMatchObject({ saved: 2, rolledBack: 2 });
    });

    test('ON_FAILURE=rollback_batch also applies to a batch that is cancelled manually.', async () => {
      pipeline = await startPipeline({ settings: { ...settings, retryIntervalMs: 3_600_000 } });
      pipeline.store.beforeSave = ({ value }) => {
        if (value === 'waiting') throw new Error('not now');
      };
      const [requestId = ''] = await pipeline.send(['waiting', 'saved']);
      const batchId = childOf(pipeline, 1);
      await waitFor('one saved and the other waiting', async () => {
        const [record] = (await pipeline.batcher.request(requestId))?.records ?? [];
        const pauses = (await eventsOf(pipeline, batchId)).some((event) => event.timerStartedEventAttributes);
        return pipeline.store.staged.size === 1 && (pauses || record?.attempts === 2);
      });
      await pipeline.client.workflow.getHandle(batchId).cancel();
      await pipeline.quiet();
      const { waiting, saved } = outcomes();
      expect(waiting).toMatchObject({
        outcome: OUTCOME.rolledBack,
        error: expect.stringContaining('cancelled'),
      });
      expect(saved).toMatchObject({
        outcome: OUTCOME.rolledBack,
        attempts: 1,
        error: `rolled back with its batch: ${waiting?.recordId} failed`,
      });
    });

    test('ON_FAILURE=rollback_batch reports each rollback that failed.', async () => {
      pipeline = await startPipeline({ settings });
      failing('bad');
      pipeline.store.beforeRollback = ({ value }) => {
        if (value === 'good') throw new KeepapartError('record-rejected', 'append only');
      };
      await pipeline.send(['good', 'bad']);
      await pipeline.quiet();
      const { good, bad } = outcomes();
      expect(good).toMatchObject({
        outcome: OUTCOME.rolledBack,
        error: `rolled back with its batch: ${bad?.recordId} failed; its rollback was permanently rejected at attempt 1: append only`,
      });
    });
  });
});
