import type { RecordView } from '../../src/contracts/api/answers/requests';
import { KeepapartError } from '../../src/domain/errors';
import { OUTCOME } from '../../src/domain/records/outcome';
import { withCallsForMany, type MemoryStore } from '../helpers/memory-store';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { waitFor } from '../helpers/wait-for';

/* A store that as a whole can't work: batches wait, records keep their attempts, and everybody is told. */
let pipeline: TestPipeline;
afterEach(() => pipeline.close());

/** Refuses connections while it is away, as a server that is down does. */
function refusing(store: MemoryStore): { goAway: () => void; comeBack: () => void; calls: () => number } {
  let away = false;
  let calls = 0;
  const refuse = () => {
    if (!away) return;
    calls++;
    throw Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
  };
  store.beforeSave = refuse;
  store.beforeRollback = refuse;
  store.beforeClose = refuse;
  return { goAway: () => (away = true), comeBack: () => (away = false), calls: () => calls };
}

const REASON = 'connect ECONNREFUSED 127.0.0.1:5432';

const held = async (requestId: string | undefined): Promise<RecordView[]> =>
  (await pipeline.batcher.request(String(requestId)))?.records ?? [];

describe.each([
  ['record by record', 'record', (store: MemoryStore) => store],
  ['in bulk, each by itself', 'batch', (store: MemoryStore) => store],
  ['in bulk, together', 'batch', (store: MemoryStore) => withCallsForMany(store)],
] as const)('A store that goes away while records are saved %s', (_, saveActivity, store) => {
  test('An outage of the store costs no record an attempt, is reported while it lasts, and all records are saved once it is over (G4, G9).', async () => {
    pipeline = await startPipeline({ store, settings: { saveActivity, maxAttempts: 2, retryIntervalMs: 1 } });
    const there = refusing(pipeline.store);
    there.goAway();
    const [requestId] = await pipeline.send([10, 11, 12, 13, 14, 15, 16]);

    const { storeAway } = await waitFor('the batcher to know', async () => {
      const [shard] = (await pipeline.batcher.status()).shards;
      return shard?.storeAway && shard;
    });
    expect(storeAway).toMatchObject({ reason: REASON, workers: 1, holdsBack: true });
    const [first] = await waitFor('the view to tell', async () => {
      const records = await held(requestId);
      return records[0]?.waitsFor?.for === 'store' && records[0].state === 'in_batch' && records;
    });
    expect(first?.waitsFor).toMatchObject({ for: 'store', reason: REASON, since: expect.any(String) });
    const view = await pipeline.batcher.batch(String(first?.batchId));
    expect(view?.work).toMatchObject([{ step: 'saving', attempt: 1, error: REASON }]);

    // Nothing more starts, and what waits says for what.
    const [later] = await pipeline.send([20, 21, 22, 23, 24]);
    const before = await pipeline.status();
    const calls = there.calls();
    await waitFor('some more tries', () => there.calls() > calls + 3);
    const now = await pipeline.status();
    // The rest of the first seven may have come too late to start as well.
    expect([5, 7]).toContain(before.bufferedRecords);
    expect(now).toMatchObject({ inFlight: before.inFlight, bufferedRecords: before.bufferedRecords });
    expect((await held(later))[0]?.waitsFor).toMatchObject({ for: 'store', reason: REASON });
    const report = await pipeline.batcher.drain('test', { timeoutMs: 10 });
    expect(report.shards[0]?.storeAway).toMatchObject({ reason: REASON });

    there.comeBack();
    const { counters } = await pipeline.quiet();
    expect(counters).toMatchObject({ saved: 12, rolledBack: 0, retries: 0, batchesFailed: 0 });
    expect(pipeline.store.outcomes().every(({ attempts }) => attempts === 1)).toBe(true);
    expect(
      await waitFor('the batcher to know', async () => (await pipeline.status()).storeAway === null),
    ).toBe(true);
  });
});

test('A record that fails alone has its attempts beside a store that is away now and then (G9).', async () => {
  pipeline = await startPipeline({ settings: { retryIntervalMs: 1 } });
  let away = 2;
  pipeline.store.beforeSave = ({ value }) => {
    if (away-- > 0) throw new KeepapartError('store-away', 'gone');
    if (value === 'bad') throw new Error('no luck');
  };
  await pipeline.send(['bad', 'good']);
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ saved: 1, rolledBack: 1, retries: 2 });
  expect(pipeline.store.outcomes()).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ value: 'good', outcome: OUTCOME.saved, attempts: 1 }),
      expect.objectContaining({ value: 'bad', outcome: OUTCOME.rolledBack, attempts: 3, error: 'no luck' }),
    ]),
  );
});

test('A record that brings the store down each time is rolled back, as others are saved between (G9).', async () => {
  pipeline = await startPipeline({ settings: { maxAttempts: 1, maxBatchSize: 1 } });
  pipeline.store.beforeSave = ({ value }) => {
    if (value === 'bomb') throw new KeepapartError('store-away', 'crashed');
  };
  await pipeline.send(['bomb', 'a', 'b', 'c']);
  for (let i = 0; (await pipeline.status()).counters.rolledBack === 0; i++) await pipeline.send([i]);
  const { counters } = await pipeline.quiet();
  expect(counters.rolledBack).toBe(1);
  expect(pipeline.store.outcomes().find(({ value }) => value === 'bomb')).toMatchObject({
    outcome: OUTCOME.rolledBack,
    attempts: 1,
    error: 'crashed',
  });
});

test('A rollback and a closing that find the store away say so in the views, and are done when it is back (G4).', async () => {
  pipeline = await startPipeline({ settings: { maxAttempts: 1 } });
  const there = refusing(pipeline.store);
  const refuse = pipeline.store.beforeSave;
  pipeline.store.beforeSave = async (record, attempt) => {
    await refuse(record, attempt);
    if (record.value !== 'bad') return;
    there.goAway();
    throw new Error('no luck');
  };
  const [requestId] = await pipeline.send(['bad']);
  const [first] = await waitFor('the view to tell', async () => {
    const records = await held(requestId);
    return records[0]?.waitsFor?.for === 'store' && records[0].state === 'in_batch' && records;
  });
  expect(first).toMatchObject({ state: 'in_batch', waitsFor: { for: 'store', reason: REASON } });
  const view = await pipeline.batcher.batch(String(first?.batchId));
  expect(view?.work).toMatchObject([
    { step: 'undoing', error: REASON, text: expect.stringContaining('waits for the store') },
  ]);
  there.comeBack();
  await pipeline.quiet();
  expect(pipeline.store.outcomes()).toMatchObject([{ outcome: OUTCOME.rolledBack, error: 'no luck' }]);
});

test('A worker that stops while the store is away takes no attempt with it (G4).', async () => {
  pipeline = await startPipeline({ worker: 'own', settings: { maxAttempts: 1 } });
  const there = refusing(pipeline.store);
  there.goAway();
  await pipeline.send(['waits']);
  for (let restarts = 0; restarts < 2; restarts++) {
    const calls = there.calls();
    await waitFor('the save to be tried', () => there.calls() > calls);
    await pipeline.stopWorker();
    await pipeline.startWorker();
  }
  there.comeBack();
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ saved: 1, rolledBack: 0, retries: 0 });
});
