import { HOUR } from '../../src/domain/duration';
import { KeepapartError } from '../../src/domain/errors';
import { OUTCOME } from '../../src/domain/records/outcome';
import { withCallsForMany, type CallForMany } from '../helpers/memory-store';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';

/** Bulk saving over a store that saves, rolls back and closes many batches in one call, and may fail as a whole. */
let pipeline: TestPipeline;
let calls: CallForMany[];
afterEach(() => pipeline.close());

/** @param failing the calls that fail, e.g. `saveAll 1` for the first of its kind */
async function start(failing: readonly string[]): Promise<void> {
  calls = [];
  pipeline = await startPipeline({
    settings: { saveActivity: 'batch', maxBatchSize: 2, flushIntervalMs: HOUR },
    store: (memory) =>
      withCallsForMany(memory, (call, number) => {
        calls.push(call);
        if (failing.includes(`${call} ${number}`))
          throw new KeepapartError('store-failed', 'no connection', { retryAfterMs: 1 });
      }),
  });
}

test('A store that fails as a whole is asked again for all records, and only what fails in every attempt is rolled back (G4, G9).', async () => {
  await start(['saveAll 1', 'saveAll 2']);
  pipeline.store.beforeSave = ({ value }) => {
    if (value === 'bad') throw new KeepapartError('record-rejected', 'not for this store');
  };
  await pipeline.send(['a', 'bad', 'c', 'd']);
  const { counters } = await pipeline.quiet();
  expect(calls).toEqual(['saveAll', 'saveAll', 'saveAll', 'rollbackAll', 'closeBatches']);
  expect(counters).toMatchObject({ saved: 3, rolledBack: 1, retries: 8 });
  for (const { value, outcome, attempts } of pipeline.store.outcomes()) {
    expect([value, attempts]).toEqual([value, 3]);
    expect(outcome).toBe(value === 'bad' ? OUTCOME.rolledBack : OUTCOME.saved);
  }
});

test('Rolling back and closing wait for a store that is away, also when all saves failed with it (G4).', async () => {
  await start(['saveAll 1', 'saveAll 2', 'saveAll 3', 'rollbackAll 1', 'closeBatches 1']);
  await pipeline.send(['a', 'b', 'c', 'd']);
  const { counters } = await pipeline.quiet();
  expect(calls).toEqual([
    ...['saveAll', 'saveAll', 'saveAll'],
    ...['rollbackAll', 'rollbackAll', 'closeBatches', 'closeBatches'],
  ]);
  expect(counters).toMatchObject({ saved: 0, rolledBack: 4, batchesFailed: 0, batchesCompleted: 2 });
  expect(pipeline.store.outcomes()).toMatchObject(
    [1, 2, 3, 4].map(() => ({ outcome: OUTCOME.rolledBack, attempts: 3, error: 'no connection' })),
  );
  expect([...pipeline.store.staged]).toEqual([]);
});
