import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFileStore } from '../../src/store/file-store';
import { prepareFolders } from '../../src/store/folders';
import {
  BATCH,
  contentsOf,
  record,
  rolledBack,
  storeFolders,
  temporaryFolder,
} from '../helpers/store-folders';

/** Writable by nobody, root included: the system makes its contents up. */
const NOBODYS_FOLDER = '/proc';

test('The folders are made, with their parents, and nothing else is left in them.', async () => {
  const root = temporaryFolder();
  const folders = { dataDir: join(root, 'a', 'data'), outDir: join(root, 'b', 'out') };
  await prepareFolders(folders);
  await prepareFolders(folders);
  expect(contentsOf(folders)).toEqual({ staging: [], unfinished: [], out: [] });
});

test.each([
  ['DATA_DIR', 'EEXIST', (root: string) => ({ dataDir: join(root, 'file'), outDir: join(root, 'out') })],
  ['OUT_DIR', 'EEXIST', (root: string) => ({ dataDir: join(root, 'data'), outDir: join(root, 'file') })],
  [
    'OUT_DIR',
    'ENOTDIR',
    (root: string) => ({ dataDir: join(root, 'data'), outDir: join(root, 'file', 'x') }),
  ],
  ['DATA_DIR', 'ENOENT', (root: string) => ({ dataDir: `${NOBODYS_FOLDER}/x`, outDir: join(root, 'out') })],
  ['OUT_DIR', 'ENOENT', (root: string) => ({ dataDir: join(root, 'data'), outDir: NOBODYS_FOLDER })],
])('%s that can not be written is named with the cause, %s', async (setting, errno, foldersIn) => {
  const root = temporaryFolder();
  writeFileSync(join(root, 'file'), '');
  const folders = foldersIn(root);
  await expect(prepareFolders(folders)).rejects.toMatchObject({
    code: 'folder-not-writable',
    message: expect.stringMatching(new RegExp(`^${setting}: the folder .* can not be written: ${errno}: `)),
    cause: { code: errno },
  });
  await expect(prepareFolders(folders)).rejects.toThrow(
    setting === 'DATA_DIR' ? folders.dataDir : folders.outDir,
  );
});

test('Folders that vanish later are an error and not made again: they may be unmounted.', async () => {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  rmSync(folders.dataDir, { recursive: true });

  await expect(store.save(record(1), BATCH)).rejects.toMatchObject({
    code: 'store-away',
    message: expect.stringMatching(/^DATA_DIR\/staging\/.* could not be written: ENOENT: /),
  });
  await expect(store.closeBatch(BATCH, [rolledBack(record(1))], 'text')).rejects.toMatchObject({
    code: 'store-away',
    message: expect.stringMatching(/^OUT_DIR\/test_log_.* could not be written: ENOENT: /),
  });
  expect(existsSync(folders.dataDir)).toBe(false);

  await prepareFolders(folders);
  await store.save(record(1), BATCH);
});
