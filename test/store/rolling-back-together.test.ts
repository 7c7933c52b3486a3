import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BatchRef } from '../../src/domain/records/batch';
import { closeTogether, rollBackTogether } from '../../src/domain/records/record-store';
import { createFileStore } from '../../src/store/file-store';
import { interceptFs } from '../helpers/intercept-fs';
import { FIVE, groupOf, lineOf, savedIn, setUp, syncsDuring } from '../helpers/saving-together';
import { BATCH, BATCH_FILE, contentsOf, rolledBack, saved } from '../helpers/store-folders';

const DONE = { status: 'fulfilled', value: undefined };
type Kept = (typeof FIVE)[number];
const [A, B, C, D, E] = FIVE as [Kept, Kept, Kept, Kept, Kept];

/** The lines of the staging that are not blanked. */
function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

test('Records of several batches that are rolled back together are gone, and no others, for one sync of their segment.', async () => {
  const { folders, store, stagedText } = await setUp();
  const [first, second, third] = groupOf(3) as [BatchRef, BatchRef, BatchRef];
  await store.saveAll!([first, second, third].map((batch) => ({ batch, records: FIVE })));
  const [segment = 'none'] = contentsOf(folders).staging;

  const synced = await syncsDuring(async () => {
    const results = await store.rollbackAll!([
      { batch: first, records: [A, C, E] },
      { batch: third, records: [B] },
    ]);
    expect(results).toEqual([[DONE, DONE, DONE], [DONE]]);
  });

  expect(synced).toEqual([join(folders.dataDir, 'staging', segment)]);
  expect(linesOf(stagedText())).toEqual([
    ...[B, D].map((one) => lineOf(one, first)),
    ...FIVE.map((one) => lineOf(one, second)),
    ...[A, C, D, E].map((one) => lineOf(one, third)),
  ]);
});

test('A record that was saved together and by itself is rolled back in both places, durably.', async () => {
  const { folders, store, saveAll, stagedText } = await setUp();
  await saveAll(FIVE);
  await store.save(A, BATCH);
  await store.save(B, BATCH);
  const folder = join(folders.dataDir, 'staging', BATCH_FILE.replace('.log', ''));
  const synced = await syncsDuring(() => store.rollbackAll!([{ batch: BATCH, records: [A, C] }]));
  expect(synced).toHaveLength(2);
  expect(synced).toContain(folder);
  expect(readdirSync(folder)).toHaveLength(1);
  expect(linesOf(stagedText()).filter((line) => line.includes('"batch"'))).toEqual(
    [B, D, E].map((one) => lineOf(one)),
  );
  const outcomes = FIVE.map((one) => ([A, C].includes(one) ? rolledBack(one) : saved(one)));
  await store.closeBatch(BATCH, outcomes, 'text');
  expect(contentsOf(folders)).toMatchObject({ staging: [], unfinished: [] });
});

test('Rolling back what was never saved, or is rolled back already, is fine.', async () => {
  const { folders, store, saveAll } = await setUp();
  expect(await store.rollbackAll!([{ batch: BATCH, records: FIVE }])).toEqual([FIVE.map(() => DONE)]);
  await saveAll(FIVE);
  for (let i = 0; i < 2; i++)
    expect(await store.rollbackAll!([{ batch: BATCH, records: [A, B] }])).toEqual([[DONE, DONE]]);
  await store.closeBatch(BATCH, [rolledBack(A), rolledBack(B), ...[C, D, E].map(saved)], 'text');
  expect(contentsOf(folders).staging).toEqual([]);
});

test('Records that another worker has saved together are rolled back as well.', async () => {
  const { folders, saveAll, stagedText } = await setUp();
  await saveAll(FIVE);
  await createFileStore(folders).rollbackAll!([{ batch: BATCH, records: [A, E] }]);
  expect(linesOf(stagedText())).toEqual([B, C, D].map((one) => lineOf(one)));
});

test('Records of one batch that are in several segments are gone from each of them.', async () => {
  const { folders, saveAll, stagedText } = await setUp();
  await saveAll(FIVE);
  await savedIn(createFileStore(folders), FIVE.slice(1), BATCH);
  expect(contentsOf(folders).staging).toHaveLength(2);
  await createFileStore(folders).rollbackAll!([{ batch: BATCH, records: [A, B, C] }]);
  const left = [D, E].map((one) => lineOf(one));
  expect(linesOf(stagedText()).sort()).toEqual([...left, ...left].sort());
});

test('A rollback whose sync failed has failed for all, and the next attempt does not return before a sync has succeeded.', async () => {
  const { folders, store, saveAll } = await setUp();
  await saveAll(FIVE);
  const segment = join(folders.dataDir, 'staging', contentsOf(folders).staging[0]!);
  const rollBack = () => rollBackTogether(store, [{ batch: BATCH, records: [A, B] }]);
  const restore = interceptFs(({ name, path }) => {
    if (name === 'sync' && path === segment) throw Object.assign(new Error('io'), { code: 'EIO' });
  });
  try {
    const failed = {
      status: 'rejected',
      reason: expect.objectContaining({
        code: 'store-away',
        message: expect.stringMatching(/^2 records could not be removed from DATA_DIR\/staging: io/),
      }),
    };
    expect(await rollBack()).toEqual([[failed, failed]]);
  } finally {
    restore();
  }
  const synced = await syncsDuring(async () => expect(await rollBack()).toEqual([[DONE, DONE]]));
  expect(synced).toEqual([segment]);
});

test('G4: what is rolled back together does not count as saved any more, and what is not does.', async () => {
  const { folders, store } = await setUp();
  const group = groupOf(2);
  await store.saveAll!(group.map((batch) => ({ batch, records: FIVE })));
  await store.rollbackAll!([{ batch: group[0]!, records: [A] }]);
  const asSaved = group.map((batch) => ({ batch, records: FIVE.map(saved) }));
  expect(await closeTogether(store, asSaved, 'text')).toMatchObject([
    { status: 'rejected', reason: { code: 'staged-record-missing' } },
    { status: 'fulfilled' },
  ]);
  const asItIs = [
    { batch: group[0]!, records: FIVE.map((one) => (one === A ? rolledBack(one) : saved(one))) },
  ];
  expect(await closeTogether(store, asItIs, 'text')).toMatchObject([{ status: 'fulfilled' }]);
  expect(contentsOf(folders)).toMatchObject({ staging: [], unfinished: [] });
});
