import {
  closeTogether,
  rollBackTogether,
  saveTogether,
  type RecordStore,
} from '../../src/domain/records/record-store';
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

test('A failure rate of 0 adds nothing.', () => {
  const { store } = noting();
  expect(createFailingStore(store, { failureRate: 0 })).toBe(store);
});

test('An attempt fails when the draw is below the rate, and says that it was on purpose.', async () => {
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

test('Half of the failing attempts save first, so that there is something to roll back.', async () => {
  const { calls, store } = noting();
  const failing = createFailingStore(store, { failureRate: 1, random: drawing(0, 0.49, 0, 0.5) });

  await expect(failing.save(record(1), BATCH)).rejects.toMatchObject({ code: 'save-failed' });
  await expect(failing.save(record(2), BATCH)).rejects.toMatchObject({ code: 'save-failed' });
  expect(calls).toEqual(['save request:1']);
});

test('What the store itself throws comes first: it may be final.', async () => {
  const refusing: RecordStore = { ...noting().store, save: () => Promise.reject(new Error('closed')) };
  const failing = createFailingStore(refusing, { failureRate: 1, random: () => 0 });
  await expect(failing.save(record(1), BATCH)).rejects.toThrow('closed');
});

test('A failure rate of 1 fails every attempt, and never a rollback or the closing.', async () => {
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

/** A store that saves many in one call, and notes each. */
function notingTogether() {
  const { calls, store } = noting();
  const saveAll: RecordStore['saveAll'] = (batches) =>
    Promise.resolve(
      batches.map(({ batch, records }) =>
        records.map(({ recordId }) => {
          calls.push(`save ${recordId} of ${batch.batchId}`);
          return { status: 'fulfilled', value: undefined };
        }),
      ),
    );
  return { calls, store: { ...store, saveAll } };
}

const OTHER = { ...BATCH, batchId: 'other' };
const TWO_BATCHES = [
  { batch: BATCH, records: [record(1), record(2)] },
  { batch: OTHER, records: [record(3), record(4)] },
];

function statuses(results: readonly PromiseSettledResult<unknown>[][]): string[][] {
  return results.map((ofBatch) => ofBatch.map(({ status }) => status));
}

describe('records of several batches that are saved together', () => {
  test('Records of several batches that are saved together fail independently on purpose, and only the others reach the store.', async () => {
    const { calls, store } = notingTogether();
    const random = drawing(0.8, 0.1, 0.5, 0.1, 0.4, 0.8);
    const failing = createFailingStore(store, { failureRate: 0.8, random });

    const results = await failing.saveAll!(TWO_BATCHES);

    expect(statuses(results)).toEqual([
      ['fulfilled', 'rejected'],
      ['rejected', 'fulfilled'],
    ]);
    expect(results[0]![1]).toMatchObject({ reason: { code: 'save-failed' } });
    expect(calls).toEqual([
      `save request:1 of ${BATCH.batchId}`,
      'save request:3 of other',
      'save request:4 of other',
    ]);
  });

  test('a batch of which no record reaches the store takes no result of the next one', async () => {
    const { calls, store } = notingTogether();
    const random = drawing(0.1, 0.5, 0.1, 0.5, 0.8, 0.8);
    const failing = createFailingStore(store, { failureRate: 0.8, random });
    expect(statuses(await failing.saveAll!(TWO_BATCHES))).toEqual([
      ['rejected', 'rejected'],
      ['fulfilled', 'fulfilled'],
    ]);
    expect(calls).toEqual(['save request:3 of other', 'save request:4 of other']);
  });

  test("The store's own error for a record takes precedence over a failure on purpose.", async () => {
    const saveAll: RecordStore['saveAll'] = (batches) =>
      Promise.resolve(
        batches.map(({ records }) =>
          records.map(({ recordId }) => ({ status: 'rejected', reason: new Error(`no ${recordId}`) })),
        ),
      );
    const failing = createFailingStore({ ...noting().store, saveAll }, { failureRate: 1, random: () => 0 });
    expect(await failing.saveAll!(TWO_BATCHES)).toMatchObject([
      [{ reason: { message: 'no request:1' } }, { reason: { message: 'no request:2' } }],
      [{ reason: { message: 'no request:3' } }, { reason: { message: 'no request:4' } }],
    ]);
  });

  test('a failure rate of 1 fails every record, and no rollback and no closing of several batches', async () => {
    const { calls, store } = notingTogether();
    const failing = createFailingStore(store, { failureRate: 1 });
    expect(statuses(await failing.saveAll!(TWO_BATCHES)).flat()).toEqual(Array(4).fill('rejected'));
    calls.length = 0;
    expect(statuses(await rollBackTogether(failing, TWO_BATCHES)).flat()).toEqual(Array(4).fill('fulfilled'));
    expect(calls).toEqual([1, 2, 3, 4].map((i) => `rollback request:${i}`));
    const settled = TWO_BATCHES.map(({ batch, records }) => ({
      batch,
      records: records.map((one) => rolledBack(one)),
    }));
    expect((await closeTogether(failing, settled, 'text')).map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
    ]);
  });

  test('a store without a way of its own has none when it fails on purpose either', () => {
    expect(createFailingStore(noting().store, { failureRate: 1 })).not.toHaveProperty('saveAll');
  });
});

describe('a store that has no way of its own for several records', () => {
  test('A store without bulk methods is called for each record, and the failure of one does not affect the others.', async () => {
    const { calls, store } = noting();
    const save: RecordStore['save'] = (kept, batch) =>
      kept.value === 2 ? Promise.reject(new Error('not 2')) : store.save(kept, batch);
    expect(statuses(await saveTogether({ ...store, save }, TWO_BATCHES))).toEqual([
      ['fulfilled', 'rejected'],
      ['fulfilled', 'fulfilled'],
    ]);
    expect(calls).toEqual(['save request:1', 'save request:3', 'save request:4']);

    const rollback: RecordStore['rollback'] = (kept, batch) =>
      kept.value === 3 ? Promise.reject(new Error('not 3')) : store.rollback(kept, batch);
    expect(statuses(await rollBackTogether({ ...store, rollback }, TWO_BATCHES))).toEqual([
      ['fulfilled', 'fulfilled'],
      ['rejected', 'fulfilled'],
    ]);

    const batches = [{ batch: BATCH, records: [rolledBack(record(1))] }];
    expect(await closeTogether(store, batches, 'text')).toEqual([
      { status: 'fulfilled', value: { location: 'here' } },
    ]);
  });
});

test('What a call for several records rejects with goes for each of them.', async () => {
  const away = () => Promise.reject(new Error('away'));
  const store = { ...noting().store, saveAll: away, rollbackAll: away };
  for (const together of [saveTogether, rollBackTogether]) {
    const results = (await together(store, TWO_BATCHES)).flat();
    expect(results).toMatchObject(Array(4).fill({ status: 'rejected', reason: { message: 'away' } }));
  }
});

test('The failing example fails at its own rate and no other record does, one by one and together.', async () => {
  const { calls, store } = noting();
  const saveAll: RecordStore['saveAll'] = (batches) =>
    Promise.resolve(
      batches.map(({ records }) =>
        records.map(({ recordId }) => {
          calls.push(`saveAll ${recordId}`);
          return { status: 'fulfilled' as const, value: undefined };
        }),
      ),
    );
  const failing = createFailingStore(
    { ...store, saveAll },
    { failureRate: 0, exampleRate: 0.8, random: drawing(0.79, 0.5, 0.8, 0.79, 0.5) },
  );
  const ofExample = { ...record(1), recordId: 'failing-example-1:0' };
  const ofClient = { ...record(2), recordId: 'Ann~failing-example-1:0' };

  await expect(failing.save(ofExample, BATCH)).rejects.toThrow('failed on purpose (an example');
  await failing.save(ofExample, BATCH);
  await failing.save(record(3), BATCH);
  const [results] = (await failing.saveAll?.([{ batch: BATCH, records: [ofClient, record(4)] }])) ?? [];
  expect(results?.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  await failing.saveAll?.([{ batch: BATCH, records: [record(5)] }]);
  expect(calls).toEqual([
    'save failing-example-1:0',
    'save request:3',
    'saveAll request:4',
    'saveAll request:5',
  ]);
});
