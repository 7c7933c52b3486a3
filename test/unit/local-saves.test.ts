import { createLocalSaves } from '../../activities/local-saves';
import type { BatchRef } from '../../src/domain/batch';
import type { RecordStore } from '../../src/domain/record-store';
import { waitFor } from '../helpers/wait-for';

const BATCH: BatchRef = { batchId: 'batcher-0-00000001', openedAtMs: 0 };
const RECORDS = ['a', 'b', 'c'].map((value, index) => ({ recordId: `r:${index}`, value }));
const [A, B, C] = RECORDS as [(typeof RECORDS)[0], (typeof RECORDS)[0], (typeof RECORDS)[0]];
/** Ends every wait that isn't over at once. */
const NO_PATIENCE = { patienceMs: 1 };

/** A store whose saves are settled by the test, in the order of the calls. */
function heldStore() {
  const calls: { recordId: string; resolve: () => void; reject: (error: Error) => void }[] = [];
  const store = {
    save: ({ recordId }) => new Promise<void>((resolve, reject) => calls.push({ recordId, resolve, reject })),
  } as Partial<RecordStore> as RecordStore;
  return { store, calls };
}

test('what is through in time is told, record by record', async () => {
  const { store, calls } = heldStore();
  const begun = createLocalSaves(store).begin(RECORDS, BATCH);
  calls[0]?.resolve();
  calls[1]?.reject(new Error('no luck'));
  calls[2]?.resolve();
  expect(await begun).toMatchObject([
    { status: 'fulfilled' },
    { status: 'rejected', reason: { message: 'no luck' } },
    { status: 'fulfilled' },
  ]);
});

test('what takes long is waited for by whoever finishes it, without another attempt (G4)', async () => {
  const { store, calls } = heldStore();
  const saves = createLocalSaves(store, NO_PATIENCE);
  expect(await saves.begin(RECORDS, BATCH)).toEqual([undefined, undefined, undefined]);
  const finishing = [saves.finish(A, BATCH), saves.finish(B, BATCH)];
  const other = saves.finish(A, { ...BATCH, batchId: 'batcher-0-00000002' });
  calls[0]?.resolve();
  calls[1]?.reject(new Error('no luck'));
  calls[2]?.resolve();
  await expect(finishing[0]).resolves.toBeUndefined();
  await expect(finishing[1]).rejects.toThrow('no luck');
  expect(calls.map(({ recordId }) => recordId)).toEqual(['r:0', 'r:1', 'r:2', 'r:0']);
  calls[3]?.resolve();
  await other;

  // An attempt is told of once: the next one is another.
  const again = saves.finish(B, BATCH);
  await waitFor('another attempt', () => calls.length === 5);
  calls[4]?.resolve();
  await again;
  expect(calls[4]?.recordId).toBe('r:1');
});

test('what has ended before somebody comes for it is told, as long as it is remembered (G4, G9)', async () => {
  const { store, calls } = heldStore();
  const saves = createLocalSaves(store, NO_PATIENCE);
  await saves.begin(RECORDS, BATCH);
  calls[0]?.resolve();
  calls[1]?.reject(new Error('no luck'));
  calls[2]?.resolve();
  await saves.finish(C, BATCH);
  await expect(saves.finish(B, BATCH)).rejects.toThrow('no luck');
  await saves.finish(A, BATCH);
  expect(calls).toHaveLength(3);

  const forgetful = createLocalSaves(store, { ...NO_PATIENCE, keepMs: 1 });
  await forgetful.begin([A], BATCH);
  calls[3]?.resolve();
  // Told at once or attempted anew, which the test can't choose; but soon it is the latter.
  await waitFor('another attempt', () => {
    void forgetful.finish(A, BATCH);
    return calls.length > 4;
  });
});

test('what a store says of all records goes for each, in time or late', async () => {
  const store = { saveAll: () => Promise.reject(new Error('away')) } as Partial<RecordStore> as RecordStore;
  await expect(createLocalSaves(store).begin(RECORDS, BATCH)).rejects.toThrow('away');

  let fail: (error: Error) => void = () => undefined;
  const slow = {
    saveAll: () => new Promise((_, reject) => (fail = reject)),
  } as Partial<RecordStore> as RecordStore;
  const saves = createLocalSaves(slow, NO_PATIENCE);
  await saves.begin(RECORDS, BATCH);
  const finishing = RECORDS.map((record) => saves.finish(record, BATCH));
  fail(new Error('away'));
  for (const one of await Promise.allSettled(finishing))
    expect(one).toMatchObject({ reason: { message: 'away' } });
});

test('a record that the store does not tell of is not saved (G4)', async () => {
  const store = {
    saveAll: () => Promise.resolve([{ status: 'fulfilled', value: undefined }]),
  } as Partial<RecordStore> as RecordStore;
  const told = await createLocalSaves(store).begin(RECORDS, BATCH);
  expect(told.map((one) => one?.status)).toEqual(['fulfilled', 'rejected', 'rejected']);
});
