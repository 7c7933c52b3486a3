import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFileStore } from '../../src/store/file-store';
import { stagedPath } from '../../src/store/staging';
import { interceptFs } from '../helpers/intercept-fs';
import { BATCH, BATCH_FILE, contentsOf, record, saved, storeFolders } from '../helpers/store-folders';

/* What only files do; what every store promises is in contract.test.ts. */
async function setUp() {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  const read = (): string => readFileSync(join(folders.outDir, BATCH_FILE), 'utf8');
  return { folders, store, read };
}

test('A torn file of a killed save is completed by the next attempt.', async () => {
  const { folders, store } = await setUp();
  await store.save(record(1, 'a long enough value'), BATCH);
  const staged = join(folders.dataDir, stagedPath(record(1), BATCH));
  const whole = readFileSync(staged);
  writeFileSync(staged, whole.subarray(0, 7));

  await store.save(record(1, 'a long enough value'), BATCH);
  expect(readFileSync(staged)).toEqual(whole);
});

test('A late attempt that breaks off does not tear what an earlier one has saved.', async () => {
  const { folders, store } = await setUp();
  await store.save(record(1), BATCH);
  const restore = interceptFs(({ name }) => {
    if (name === 'writeFile') throw new Error('breaks off');
  });
  try {
    await expect(store.save(record(1), BATCH)).rejects.toMatchObject({ code: 'save-failed' });
  } finally {
    restore();
  }
  await store.closeBatch(BATCH, [saved(record(1))], 'text');
  expect(contentsOf(folders).out).toEqual([BATCH_FILE]);
});

test('G4: a save whose batch is closed while it writes is refused too.', async () => {
  const { folders, store } = await setUp();
  const restore = interceptFs(({ name }) => {
    if (name === 'writeFile')
      writeFileSync(join(folders.outDir, BATCH_FILE), '"save [1] failed, roll back"\n');
  });
  try {
    await expect(store.save(record(1), BATCH)).rejects.toMatchObject({ code: 'batch-already-closed' });
  } finally {
    restore();
  }
  expect(contentsOf(folders).staging).toEqual([]);
});

test('A late save does not affect the records of others.', async () => {
  const { folders, store } = await setUp();
  await store.save(record(1), BATCH);
  const staged = contentsOf(folders).staging;
  writeFileSync(join(folders.outDir, BATCH_FILE), 'somebody else wrote this');

  await expect(store.save(record(2), BATCH)).rejects.toMatchObject({ code: 'batch-already-closed' });
  expect(contentsOf(folders).staging).toEqual(staged);
});

test('A staged file that is not whole does not count as saved.', async () => {
  const { folders, store } = await setUp();
  await store.save(record(1), BATCH);
  writeFileSync(join(folders.dataDir, stagedPath(record(1), BATCH)), '{');
  await expect(store.closeBatch(BATCH, [saved(record(1))], 'text')).rejects.toMatchObject({
    code: 'staged-record-missing',
  });
});

test('A batch is closed in an OUT_DIR that somebody has removed and recreated (G10).', async () => {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  await store.save(record(1), BATCH);
  rmSync(folders.outDir, { recursive: true });
  await expect(store.closeBatch(BATCH, [saved(record(1))], 'text')).rejects.toMatchObject({
    code: 'store-away',
  });
  mkdirSync(folders.outDir);
  await store.closeBatch(BATCH, [saved(record(1))], 'text');
  expect(contentsOf(folders)).toEqual({ staging: [], unfinished: [], out: [BATCH_FILE] });
});
