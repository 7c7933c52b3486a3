import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { settleBatch } from '../../activities/settle-batch';
import { outcomeFileContent } from '../../src/domain/records/outcome';
import { createFileStore } from '../../src/store/file-store';
import { stagedPath } from '../../src/store/staging';
import { interceptFs } from '../helpers/intercept-fs';
import { runStoreChild } from '../helpers/run-store-child';
import { settle } from '../helpers/settle-batch';
import { BATCH, BATCH_FILE, contentsOf, record, saved, storeFolders } from '../helpers/store-folders';

/** Room for one of the records below, not for a batch of them. */
const MAX_FILE_BYTES = 4096;

test('A record that finds no room fails clearly, is retried, and is saved when there is room.', async () => {
  const folders = await storeFolders();
  const settlement = { batch: BATCH, records: [saved(record(1, 'x'.repeat(5000)))], format: 'text' as const };

  const { reports } = await runStoreChild({ store: { folders }, ...settlement }, MAX_FILE_BYTES);
  expect(reports).toEqual([
    {
      step: 0,
      error: {
        code: 'save-failed',
        message: `DATA_DIR/${stagedPath(record(1), BATCH)} could not be written: EFBIG: file too large (write)`,
      },
    },
    // Half a record is staged, and half a record is not a saved one.
    { step: 1, error: { code: 'staged-record-missing', message: expect.any(String) } },
  ]);
  expect(contentsOf(folders).out).toEqual([]);

  await settle(createFileStore(folders), settlement);
  expect(readFileSync(join(folders.outDir, BATCH_FILE), 'utf8')).toBe(
    outcomeFileContent(settlement.records, 'text'),
  );
});

test('G10: a batch file that finds no room is not published in part, and later it is, with the same bytes.', async () => {
  const folders = await storeFolders();
  const records = [1, 2, 3].map((index) => saved(record(index, 'x'.repeat(3000))));
  const settlement = { batch: BATCH, records, format: 'text' as const };

  const { reports } = await runStoreChild({ store: { folders }, ...settlement }, MAX_FILE_BYTES);
  expect(reports.at(-1)).toEqual({
    step: 3,
    error: {
      code: 'store-failed',
      message: `OUT_DIR/${BATCH_FILE} could not be written: EFBIG: file too large (write)`,
    },
  });
  expect(contentsOf(folders)).toMatchObject({ out: [], unfinished: [] });
  expect(contentsOf(folders).staging).toHaveLength(1 + records.length);

  const afterwards: unknown[] = [];
  await settle(createFileStore(folders), settlement, (done) => afterwards.push(done), records.length);
  expect(afterwards).toEqual([{ step: 3 }]);
  expect(readFileSync(join(folders.outDir, BATCH_FILE), 'utf8')).toBe(outcomeFileContent(records, 'text'));
});

test('The same store goes on when the disk has room again.', async () => {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  const staged = join(folders.dataDir, stagedPath(record(1), BATCH));
  mkdirSync(dirname(staged));
  symlinkSync('/dev/full', staged);

  await expect(store.save(record(1), BATCH)).rejects.toMatchObject({
    code: 'store-away',
    message: expect.stringContaining('ENOSPC: no space left on device (write)'),
    cause: { code: 'ENOSPC' },
    entry: { retried: 'by Temporal' },
  });

  rmSync(staged);
  await store.save(record(1), BATCH);
  await store.closeBatch(BATCH, [saved(record(1))], 'text');
  expect(contentsOf(folders)).toMatchObject({ staging: [], out: [BATCH_FILE] });
});

/** Makes calls fail as a disk without room, or one that can't be read, makes them. */
function failing(code: string, ...names: string[]): () => void {
  const errno = -constants.errno[code as keyof typeof constants.errno];
  return interceptFs(({ name }) => {
    if (names.includes(name)) throw Object.assign(new Error(code), { code, errno, syscall: name });
  });
}

test.each([
  ['ENOSPC', 'writeFile', `OUT_DIR/${BATCH_FILE} could not be written: ENOSPC`],
  ['EFBIG', 'writeFile', `OUT_DIR/${BATCH_FILE} could not be written: EFBIG`],
  ['ENOSPC', 'link', `OUT_DIR/${BATCH_FILE} could not be written: ENOSPC`],
  ['EROFS', 'unlink', `DATA_DIR/${stagedPath(record(1), BATCH)} could not be removed: EROFS`],
  ['EIO', 'readFile', `OUT_DIR/${BATCH_FILE} could not be read: EIO`],
])('G4, G10: a batch is settled when the disk is well again: %s at %s', async (code, name, message) => {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  await store.save(record(1), BATCH);
  const batch = { ...BATCH, flushReason: 'size' as const, records: [record(1)] };
  const settling = () => settleBatch(store, { batch, format: 'json', reason: 'terminated', atMs: 1 }, 1);

  const restore = failing(code, name);
  try {
    await expect(settling()).rejects.toMatchObject({
      // A limit on the size of files stops this one alone.
      code: code === 'EFBIG' ? 'store-failed' : 'store-away',
      message: expect.stringContaining(message),
      entry: { retried: 'by Temporal' },
    });
  } finally {
    restore();
  }
  expect(contentsOf(folders)).toMatchObject({ out: [], unfinished: [] });

  const { outcomes } = await settling();
  expect(outcomes).toMatchObject([{ outcome: 'rolled_back', error: 'terminated' }]);
  expect(contentsOf(folders)).toEqual({ staging: [], unfinished: [], out: [BATCH_FILE] });
});

test('A rollback on a disk that can not be written fails clearly, is retried, and undoes when it can.', async () => {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  await store.save(record(1), BATCH);
  const restore = failing('EROFS', 'unlink');
  try {
    await expect(store.rollback(record(1), BATCH)).rejects.toMatchObject({
      code: 'store-away',
      entry: { retried: 'by Temporal' },
    });
  } finally {
    restore();
  }
  await store.rollback(record(1), BATCH);
  expect(contentsOf(folders).staging).toHaveLength(1);
});
