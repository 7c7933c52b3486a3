import { closeTogether, saveTogether, type RecordStore } from '../../src/domain/record-store';
import { createFailingStore } from '../../src/store/failing-store';
import { BATCH, record, rolledBack } from '../helpers/store-folders';

/** A store that notes what it is asked. */
function noting() {
  const calls: string[] = [];
  const store: RecordStore = {
    save: ({ recordId }) => Promise.resolve(void calls.push(`save ${recordId}`)),
    rollback: ({ recordId }) => Promise.resolve(void calls.push(`rollback ${recordId}`)),
    closeBatch: ({ batchId }) => (calls.push(`closeBatch ${batchId}`), Promise.resolve({ location: 'here' })),
    readBatch: ({ batchId }) => (calls.push(`readBatch ${batchId}`), Promise.resolve(undefined)),
  };
  return { calls, store };
}

/** Draws these numbers, one after another. */
function drawing(...numbers: number[]): () => number {
  return () => numbers.shift()!;
}

test('a failure rate of 0 adds nothing', () => {
  const { store } = noting();
  expect(createFailingStore(store, { failureRate: 0 })).toBe(store);
});

test('an attempt fails when the draw is below the rate, and says that it was on purpose', async () => {
  const { calls, store } = noting();
  const failing = createFailingStore(store, { failureRate: 0.8, random: drawing(0.79, 0.5, 0.8) });

  await expect(failing.save(record(1), BATCH)).rejects.toMatchObject({
    code: 'save-failed',
    message: 'failed on purpose (SAVE_FAILURE_RATE=0.8)',
    entry: { retried: 'by Temporal' },
  });
  expect(calls).toEqual([]);
  await failing.save(record(1), BATCH);
  expect(calls).toEqual(['save request:1']);
});

test('half of the failing attempts save first, so that there is something to roll back', async () => {
  const { calls, store } = noting();
  const failing = createFailingStore(store, { failureRate: 1, random: drawing(0, 0.49, 0, 0.5) });

  await expect(failing.save(record(1), BATCH)).rejects.toMatchObject({ code: 'save-failed' });
  await expect(failing.save(record(2), BATCH)).rejects.toMatchObject({ code: 'save-failed' });
  expect(calls).toEqual(['save request:1']);
});

test('what the store itself throws comes first: it may be final', async () => {
  const refusing: RecordStore = { ...noting().store, save: () => Promise.reject(new Error('closed')) };
  const failing = createFailingStore(refusing, { failureRate: 1, random: () => 0 });
  await expect(failing.save(record(1), BATCH)).rejects.toThrow('closed');
});

test('a failure rate of 1 fails every attempt, and never a rollback or the closing', async () => {
  const { calls, store } = noting();
  const failing = createFailingStore(store, { failureRate: 1 });
  for (let attempt = 1; attempt <= 50; attempt++) {
    await expect(failing.save(record(1), BATCH)).rejects.toMatchObject({ code: 'save-failed' });
  }
  await failing.rollback(record(1), BATCH);
  await expect(failing.closeBatch(BATCH, [rolledBack(record(1))], 'text')).resolves.toEqual({
    location: 'here',
  });
  expect(calls.slice(-2)).toEqual(['rollback request:1', 'closeBatch batcher-0-00000001']);
});

describe('records that are saved together', () => {
  test('fail each by its own draw, and only those that do not fail first reach the store', async () => {
    const { calls, store } = noting();
    const saveAll: RecordStore['saveAll'] = (batches) => saveTogether(store, batches);
    const random = drawing(0.8, 0.1, 0.5, 0.1, 0.4);
    const failing = createFailingStore({ ...store, saveAll }, { failureRate: 0.8, random });

    const [results = []] = await failing.saveAll!([
      { batch: BATCH, records: [record(1), record(2), record(3)] },
    ]);

    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(results[1]).toMatchObject({ reason: { code: 'save-failed' } });
    expect(calls).toEqual(['save request:1', 'save request:3']);
  });

  test('what the store itself says of one comes first', async () => {
    const saveAll: RecordStore['saveAll'] = (batches) =>
      Promise.resolve(
        batches.map(({ records }) =>
          records.map((_, i) => ({ status: 'rejected', reason: new Error(`no ${i}`) })),
        ),
      );
    const failing = createFailingStore({ ...noting().store, saveAll }, { failureRate: 1, random: () => 0 });
    expect(await failing.saveAll!([{ batch: BATCH, records: [record(1), record(2)] }])).toMatchObject([
      [{ reason: { message: 'no 0' } }, { reason: { message: 'no 1' } }],
    ]);
  });

  test('a store that has no way of its own is asked for each, and what one fails with is no matter of the others', async () => {
    const { calls, store } = noting();
    const save: RecordStore['save'] = (kept, batch) =>
      kept.value === 2 ? Promise.reject(new Error('not 2')) : store.save(kept, batch);
    const records = [record(1), record(2), record(3)];
    const [results = []] = await saveTogether({ ...store, save }, [{ batch: BATCH, records }]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(calls).toEqual(['save request:1', 'save request:3']);

    const batches = [{ batch: BATCH, records: [rolledBack(record(1))] }];
    expect(await closeTogether(store, batches, 'text')).toEqual([
      { status: 'fulfilled', value: { location: 'here' } },
    ]);
  });
});
