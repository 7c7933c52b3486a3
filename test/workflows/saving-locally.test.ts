import { batchIdOf } from '../../src/domain/batch';
import { KeepapartError } from '../../src/domain/errors';
import { HOUR } from '../../src/domain/duration';
import { OUTCOME, type SettledRecord } from '../../src/domain/outcome';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** What SAVE_ACTIVITY=local and batch have in common with each other, and with `regular`. */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

function outcomes(): Record<string, SettledRecord> {
  return Object.fromEntries(pipeline.store.outcomes().map((record) => [record.value as string, record]));
}

async function historyOf(workflowId: string) {
  const { events } = await pipeline.client.workflow.getHandle(workflowId).fetchHistory();
  return events ?? [];
}

/** Makes every save wait; tells how many do. */
function holdSaves(): { held: () => number; release: () => void } {
  let release: () => void = () => undefined;
  let held = 0;
  const released = new Promise<void>((resolve) => (release = resolve));
  pipeline.store.beforeSave = () => {
    held++;
    return released;
  };
  return { held: () => held, release };
}

function firstBatch(): string {
  return batchIdOf(pipeline.batcherWorkflowId, 1);
}

const savesOf = (value: unknown) =>
  pipeline.store.saves.filter(({ recordId }) => recordId === outcomes()[value as string]?.recordId).length;

describe.each(['local', 'batch'] as const)('SAVE_ACTIVITY=%s', (saveActivity) => {
  test('saves, tries again, refuses and gives up record by record, each with its own attempts (G4, G9)', async () => {
    pipeline = await startPipeline({ settings: { saveActivity, retryIntervalMs: 30 } });
    const failures: Record<string, number> = { second: 1, third: 2, never: 99 };
    pipeline.store.beforeSave = ({ value }, attempt) => {
      if (attempt <= (failures[value as string] ?? 0)) throw new Error(`no luck in attempt ${attempt}`);
      if (value === 'refused') throw new KeepapartError('record-rejected', 'not a record for this store');
    };
    await pipeline.send(['first', 'second', 'third', 'never', 'refused']);
    const { counters } = await pipeline.quiet();

    expect(outcomes()).toMatchObject({
      first: { outcome: OUTCOME.saved, attempts: 1 },
      second: { outcome: OUTCOME.saved, attempts: 2 },
      third: { outcome: OUTCOME.saved, attempts: 3 },
      never: { outcome: OUTCOME.rolledBack, attempts: 3, error: 'no luck in attempt 3' },
      refused: {
        outcome: OUTCOME.rolledBack,
        attempts: 1,
        error: 'refused for good at attempt 1 of 3: not a record for this store',
      },
    });
    expect(['first', 'second', 'third', 'never', 'refused'].map(savesOf)).toEqual([1, 2, 3, 3, 1]);
    expect(counters).toMatchObject({ saved: 3, rolledBack: 2, retries: 5 });
    expect(pipeline.store.rollbacks).toHaveLength(2);

    const events = await historyOf(firstBatch());
    const scheduled = events.flatMap(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? [],
    );
    expect(scheduled.sort()).toEqual(['closeBatch', 'rollback', 'rollback']);
    const pauses = events.flatMap((event) => event.timerStartedEventAttributes?.startToFireTimeout ?? []);
    expect(pauses.length).toBeGreaterThanOrEqual(2);
    for (const { nanos } of pauses) expect(nanos).toBe(30_000_000);
  });

  test('a store that says when it is to be asked again is asked again then', async () => {
    pipeline = await startPipeline({ settings: { saveActivity, retryIntervalMs: HOUR } });
    pipeline.store.beforeSave = (_, attempt) => {
      if (attempt === 1) throw new KeepapartError('save-failed', 'busy', { retryAfterMs: 20 });
    };
    await pipeline.send(['busy']);
    await pipeline.quiet();
    expect(outcomes()['busy']).toMatchObject({ outcome: OUTCOME.saved, attempts: 2 });
  });

  test('what is saved beside a record that is exhausted is rolled back, where all or nothing is asked for', async () => {
    pipeline = await startPipeline({
      settings: { saveActivity, onFailure: 'rollback_batch', maxAttempts: 1 },
    });
    pipeline.store.afterSave = ({ value }) => {
      if (value === 'half saved') throw new Error('no luck');
    };
    await pipeline.send(['half saved', 'fine']);
    await pipeline.quiet();
    expect(pipeline.store.outcomes().map(({ outcome }) => outcome)).toEqual(['rolled_back', 'rolled_back']);
    expect(pipeline.store.rollbacks).toHaveLength(2);
  });

  test('a batch that is cancelled rolls back what is not saved, and still writes its file (G4)', async () => {
    pipeline = await startPipeline({ settings: { saveActivity, retryIntervalMs: HOUR } });
    pipeline.store.beforeSave = ({ value }) => {
      if (value === 'failing') throw new Error('not now');
    };
    await pipeline.send(['failing', 'fine']);
    await waitFor('the failing record to wait for its next attempt', async () =>
      (await historyOf(firstBatch())).some(({ timerStartedEventAttributes: timer }) => timer),
    );
    await pipeline.client.workflow.getHandle(firstBatch()).cancel();
    await pipeline.quiet();
    expect(outcomes()).toMatchObject({
      fine: { outcome: OUTCOME.saved },
      failing: { outcome: OUTCOME.rolledBack, attempts: 0 },
    });
    expect(pipeline.store.rollbacks).toHaveLength(1);
  });

  test('a worker that is told to stop finishes the saves that it holds (G4)', async () => {
    pipeline = await startPipeline({
      settings: { saveActivity },
      tuning: { shutdownGraceTime: '30s' },
    });
    const saves = holdSaves();
    await pipeline.send(['held']);
    await waitFor('the save', () => saves.held() === 1);
    const stopped = pipeline.stopWorker();
    saves.release();
    await stopped;
    await pipeline.startWorker();
    await pipeline.quiet();
    expect(pipeline.store.outcomes()).toMatchObject([{ outcome: OUTCOME.saved, attempts: 1 }]);
    expect(pipeline.store.saves).toHaveLength(1);
  });

  test('a save that takes long goes on as an activity of the server, told by its attempt, and is made once (G4)', async () => {
    pipeline = await startPipeline({ settings: { saveActivity } });
    const saves = holdSaves();
    const [requestId = ''] = await pipeline.send(['slow', 'slow too']);
    const records = await waitFor('both to be told', async () => {
      const told = (await pipeline.batcher.request(requestId))?.records ?? [];
      return told.every(({ attempts }) => attempts === 1) && told;
    });
    expect(records).toMatchObject([{ state: 'in_batch' }, { state: 'in_batch' }]);
    saves.release();
    await pipeline.quiet();
    expect(outcomes()).toMatchObject({
      slow: { outcome: OUTCOME.saved, attempts: 1 },
      'slow too': { outcome: OUTCOME.saved, attempts: 1 },
    });
    expect(pipeline.store.saves).toHaveLength(2);
  });

  test('the attempts of a record that takes long at last add up', async () => {
    pipeline = await startPipeline({ settings: { saveActivity } });
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    pipeline.store.beforeSave = async (_, attempt) => {
      if (attempt > 1) await released;
      throw new Error(`no luck in attempt ${attempt}`);
    };
    const [requestId = ''] = await pipeline.send(['never']);
    await waitFor('it to be told', async () =>
      (await pipeline.batcher.request(requestId))?.records.some(({ attempts }) => attempts === 1),
    );
    release();
    await pipeline.quiet();
    expect(outcomes()['never']).toMatchObject({ attempts: 3, error: 'no luck in attempt 3' });
    expect(pipeline.store.saves).toHaveLength(3);
  });

  test('batches whose saves are slow leave the batcher the slots that it needs', async () => {
    pipeline = await startPipeline({ settings: { saveActivity, maxBatchSize: 1, maxInFlight: 60 } });
    const saves = holdSaves();
    await pipeline.send(Array.from({ length: 61 }, (_, i) => i));
    await waitFor('sixty saves', () => saves.held() === 60);
    await pipeline.ingest.pause('test');
    expect(await pipeline.status()).toMatchObject({
      inFlight: 60,
      bufferedRecords: 1,
      paused: { by: 'test' },
    });
    saves.release();
    await pipeline.ingest.resume('test');
    await pipeline.quiet();
    expect(pipeline.store.files.size).toBe(61);
  });
});
