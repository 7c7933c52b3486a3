import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BatchRef } from '../../src/domain/records/batch';
import { closeTogether } from '../../src/domain/records/record-store';
import { sweep } from '../../src/store/sweep';
import { interceptFs } from '../helpers/intercept-fs';
import { FIVE, groupOf, setUp, syncsDuring } from '../helpers/saving-together';
import { BATCH_FILE, contentsOf, record, rolledBack, saved } from '../helpers/store-folders';

describe('Batches that are closed together', () => {
  test('Batches that are closed together share one sync of the folder, and leave a file each and nothing staged.', async () => {
    const { folders, store, saveAll, read } = await setUp();
    const group = groupOf(7);
    await Promise.all(group.map((batch) => saveAll(FIVE, batch)));
    const synced = await syncsDuring(async () => {
      const results = await closeTogether(
        store,
        group.map((batch) => ({ batch, records: FIVE.map(saved) })),
        'text',
      );
      for (const result of results) {
        if (result.status === 'rejected') throw result.reason;
        expect(read(result.value.location).split('\n')).toHaveLength(5 + 1);
      }
    });
    expect(synced.filter((path) => path === folders.outDir)).toHaveLength(1);
    // The folder last: a sync tells of what was there before it.
    expect(synced.at(-1)).toBe(folders.outDir);
    expect(contentsOf(folders)).toMatchObject({ staging: [], unfinished: [], out: { length: 7 } });
  });

  test('A batch whose file name is taken, or which lacks a record, fails alone among batches that are closed together.', async () => {
    const { folders, store, saveAll } = await setUp();
    const [blocked, whole, lacking] = groupOf(3) as [BatchRef, BatchRef, BatchRef];
    await Promise.all([blocked, whole].map((batch) => saveAll(FIVE, batch)));
    await saveAll(FIVE.slice(1), lacking);
    writeFileSync(join(folders.outDir, BATCH_FILE.replace('.log', '.001.log')), 'foreign\n');

    const close = () =>
      closeTogether(
        store,
        [blocked, whole, lacking].map((batch) => ({ batch, records: FIVE.map(saved) })),
        'text',
      );
    const told = [
      { status: 'rejected', reason: expect.objectContaining({ code: 'batch-file-conflict' }) },
      { status: 'fulfilled', value: { location: BATCH_FILE.replace('.log', '.002.log') } },
      { status: 'rejected', reason: expect.objectContaining({ code: 'staged-record-missing' }) },
    ];
    expect(await close()).toEqual(told);
    // Of those that are not closed nothing is cleared, and nothing is swept.
    const staged = () => expect(contentsOf(folders).staging).toHaveLength(1);
    staged();
    expect(await close()).toEqual(told);
    await sweep(folders);
    staged();
  });

  test('Batches that are closed together are not reported as closed if the folder could not be synced; the next attempt closes them.', async () => {
    const { folders, store, saveAll } = await setUp();
    const group = groupOf(2);
    await Promise.all(group.map((batch) => saveAll(FIVE, batch)));
    const close = () =>
      closeTogether(
        store,
        group.map((batch) => ({ batch, records: FIVE.map(saved) })),
        'text',
      );
    const restore = interceptFs(({ name, path }) => {
      if (name === 'sync' && path === folders.outDir) throw Object.assign(new Error('io'), { code: 'EIO' });
    });
    try {
      const failed = { status: 'rejected', reason: expect.objectContaining({ code: 'store-away' }) };
      expect(await close()).toEqual([failed, failed]);
    } finally {
      restore();
    }
    expect(contentsOf(folders).staging).toHaveLength(1);
    expect((await close()).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(contentsOf(folders)).toMatchObject({ staging: [], unfinished: [] });
  });

  test('Closing batches together removes what killed attempts left, and touches nothing of other batches.', async () => {
    const { folders, store } = await setUp();
    const [own, other] = ['.001', '.002'].map((end) => BATCH_FILE.replace('.log', end));
    const uuid = '.7.00000000-0000-4000-8000-000000000000';
    for (const name of [`${own}${uuid}`, `${other}${uuid}`, BATCH_FILE.replace('.log', uuid)])
      writeFileSync(join(folders.outDir, '.unfinished', name), 'torn');
    const [batch] = groupOf(1) as [BatchRef];
    await closeTogether(store, [{ batch, records: [rolledBack(record(1))] }], 'text');
    expect(contentsOf(folders).unfinished).toEqual(
      [BATCH_FILE.replace('.log', uuid), `${other}${uuid}`].sort(),
    );
  });
});
