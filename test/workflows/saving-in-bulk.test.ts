import { KeepapartError } from '../../src/domain/errors';
import { HOUR } from '../../src/domain/duration';
import { OUTCOME, type SettledRecord } from '../../src/domain/records/outcome';
import { activitiesOf, childOf, eventsOf, mismatchIn } from '../helpers/histories';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/** SAVE_ACTIVITY=batch: the records of many batches in one activity per attempt, each with outcome and attempts of its own. */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

/** Batches of two records that all share one child. */
async function start(options: Parameters<typeof startPipeline>[0] = {}): Promise<void> {
  pipeline = await startPipeline({
    ...options,
    settings: { saveActivity: 'batch', maxBatchSize: 2, flushIntervalMs: HOUR, ...options.settings },
  });
}

const child = () => childOf(pipeline, 1);

function outcomes(): Record<string, SettledRecord> {
  return Object.fromEntries(pipeline.store.outcomes().map((record) => [record.value as string, record]));
}

const savesOf = (value: string) =>
  pipeline.store.saves.filter(({ recordId }) => recordId === outcomes()[value]?.recordId).length;

/** The pauses between attempts, in milliseconds. */
async function pauses(): Promise<number[]> {
  const events = await eventsOf(pipeline, child());
  return events.flatMap(({ timerStartedEventAttributes: timer }) => {
    const { seconds, nanos } = timer?.startToFireTimeout ?? {};
    return timer == null ? [] : [Number(seconds ?? 0) * 1000 + (nanos ?? 0) / 1e6];
  });
}

/** Makes every save wait until it is let go; tells how many do. */
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

test('Each record is saved, tried again, refused or given up with attempts of its own, and each batch is closed as soon as it is through (G4, G8, G9).', async () => {
  await start({ settings: { retryIntervalMs: 30 } });
  const failures: Record<string, number> = { second: 1, third: 2, never: 99 };
  pipeline.store.beforeSave = ({ value }, attempt) => {
    if (attempt <= (failures[value as string] ?? 0)) throw new Error(`no luck in attempt ${attempt}`);
    if (value === 'refused') throw new KeepapartError('record-rejected', 'not a record for this store');
  };
  const values = ['first', 'second', 'third', 'never', 'refused', 'fine'];
  await pipeline.send(values);
  const { counters } = await pipeline.quiet();

  expect(outcomes()).toMatchObject({
    first: { outcome: OUTCOME.saved, attempts: 1 },
    second: { outcome: OUTCOME.saved, attempts: 2 },
    third: { outcome: OUTCOME.saved, attempts: 3 },
    never: { outcome: OUTCOME.rolledBack, attempts: 3, error: 'no luck in attempt 3' },
    refused: {
      outcome: OUTCOME.rolledBack,
      attempts: 1,
      error: 'permanently rejected at attempt 1 of 3: not a record for this store',
    },
    fine: { outcome: OUTCOME.saved, attempts: 1 },
  });
  expect(values.map(savesOf)).toEqual([1, 2, 3, 3, 1, 1]);
  expect(counters).toMatchObject({ saved: 4, rolledBack: 2, retries: 5, batchesCompleted: 3 });
  expect((await activitiesOf(pipeline, child())).toSorted()).toEqual([
    ...['closeBatches', 'closeBatches', 'closeBatches', 'rollback', 'rollback'],
    ...['saveBatches', 'saveBatches', 'saveBatches'],
  ]);
  expect(await pauses()).toEqual([30, 30]);
  expect(await mismatchIn(pipeline, child())).toBeUndefined();
});

test('The records that a wave of batches rolls back are rolled back by one activity.', async () => {
  await start({ settings: { maxAttempts: 1 } });
  pipeline.store.afterSave = ({ value }) => {
    if (typeof value === 'string' && value.startsWith('bad')) throw new Error('no luck');
  };
  await pipeline.send(['bad 1', 'a', 'b', 'bad 2', 'bad 3', 'bad 4', 'c', 'd']);
  const { counters } = await pipeline.quiet();
  expect(await activitiesOf(pipeline, child())).toEqual(['saveBatches', 'rollback', 'closeBatches']);
  expect(pipeline.store.rollbacks).toHaveLength(4);
  expect(counters).toMatchObject({ saved: 4, rolledBack: 4, retries: 0 });
});

test('A store that says when it wants to be asked again is asked again then, and no record is tried before that.', async () => {
  await start({ settings: { retryIntervalMs: HOUR } });
  const retryAfterMs: Record<string, number> = { busy: 20, busier: 60 };
  pipeline.store.beforeSave = ({ value }, attempt) => {
    const afterMs = retryAfterMs[value as string];
    if (afterMs !== undefined && attempt === 1)
      throw new KeepapartError('save-failed', 'busy', { retryAfterMs: afterMs });
  };
  await pipeline.send(['busy', 'fine', 'busier', 'fine as well']);
  await pipeline.quiet();
  expect(outcomes()).toMatchObject({ busy: { attempts: 2 }, busier: { attempts: 2 }, fine: { attempts: 1 } });
  expect(await pauses()).toEqual([60]);
});

test('An attempt whose worker dies is made again and does not count as another (G4).', async () => {
  let deaths = 0;
  await start({
    settings: { maxAttempts: 2 },
    activities: ({ saveBatches }) => ({
      async saveBatches(input) {
        const result = await saveBatches(input);
        if (deaths++ === 0) throw new Error('the worker died before it could answer');
        return result;
      },
    }),
  });
  pipeline.store.beforeSave = ({ value }, attempt) => {
    if (value === 'third' && attempt < 3) throw new Error('not yet');
  };
  await pipeline.send(['third', 'fine']);
  const { counters } = await pipeline.quiet();
  // The store has seen three attempts, of which nobody knows the first.
  expect(['third', 'fine'].map(savesOf)).toEqual([3, 2]);
  expect(outcomes()).toMatchObject({
    third: { outcome: OUTCOME.saved, attempts: 2 },
    fine: { outcome: OUTCOME.saved, attempts: 1 },
  });
  expect(counters).toMatchObject({ saved: 2, rolledBack: 0, retries: 1 });
});

test('A worker that is replaced between two attempts leaves the rest to the next one (G3, G8).', async () => {
  await start({ worker: 'own', settings: { retryIntervalMs: 300 } });
  let away = true;
  pipeline.store.beforeSave = ({ value }) => {
    if (value === 'waits' && away) throw new Error('not yet');
  };
  await pipeline.send(['waits', 'a', 'b', 'c']);
  await waitFor('the other batch to be closed', () => pipeline.store.files.size === 1);
  await pipeline.stopWorker();
  away = false;
  await pipeline.startWorker();
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ saved: 4, rolledBack: 0, batchesFailed: 0 });
  expect(savesOf('b')).toBe(1);
  expect(await mismatchIn(pipeline, child())).toBeUndefined();
});

test('A worker that is told to stop finishes the saves that it holds (G4).', async () => {
  await start({ tuning: { shutdownGraceTime: '30s' } });
  const saves = holdSaves();
  await pipeline.send(['held', 'held too']);
  await waitFor('the saves', () => saves.held() === 2);
  const stopped = pipeline.stopWorker();
  saves.release();
  await stopped;
  await pipeline.startWorker();
  await pipeline.quiet();
  expect(pipeline.store.outcomes()).toMatchObject([{ attempts: 1 }, { attempts: 1 }]);
  expect(pipeline.store.saves).toHaveLength(2);
});

test('Batches whose saves are slow leave the batcher the slots that it needs.', async () => {
  await start({ settings: { maxBatchSize: 1, maxInFlight: 60 } });
  const saves = holdSaves();
  await pipeline.send(Array.from({ length: 61 }, (_, i) => i));
  await waitFor('sixty saves', () => saves.held() === 60);
  await pipeline.batcher.pause('test');
  expect(await pipeline.status()).toMatchObject({
    inFlight: 60,
    bufferedRecords: 1,
    paused: { by: 'test' },
  });
  saves.release();
  await pipeline.batcher.resume('test');
  await pipeline.quiet();
  expect(pipeline.store.files.size).toBe(61);
});

test('A thousand records that each fail with a long error of their own still get their files (G4, G6).', async () => {
  await start({ settings: { maxBatchSize: 50, maxInFlight: 20, maxAttempts: 1 } });
  pipeline.store.beforeSave = ({ value }) => {
    if (value !== 0) throw new Error(`${JSON.stringify(value)} ${'☹'.repeat(500)}`);
  };
  await pipeline.send(Array.from({ length: 1000 }, (_, i) => i));
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ batchesFailed: 0, batchesCompleted: 20, saved: 1, rolledBack: 999 });
  const errors = pipeline.store.outcomes().flatMap(({ value, error }) => (value === 0 ? [] : [error]));
  expect(errors.every((error) => error?.includes('☹'))).toBe(true);
});
