import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { outcomeFileContent } from '../../src/domain/outcome';
import { createFileStore } from '../../src/store/file-store';
import { stagedPath } from '../../src/store/staging';
import { runStoreChild } from '../helpers/run-store-child';
import { settle } from '../helpers/settle-batch';
import { BATCH, BATCH_FILE, contentsOf, record, saved, storeFolders } from '../helpers/store-folders';

/** Room for one of the records below, not for a batch of them. */
const MAX_FILE_BYTES = 4096;

test('a record that finds no room fails clearly, is retried, and is saved when there is room', async () => {
  const folders = await storeFolders();
  const settlement = { batch: BATCH, records: [saved(record(1, 'x'.repeat(5000)))], format: 'text' as const };

  const { reports } = await runStoreChild({ folders, ...settlement }, MAX_FILE_BYTES);
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

test('G10: a batch file that finds no room is not published in part, and later it is, with the same bytes', async () => {
  const folders = await storeFolders();
  const records = [1, 2, 3].map((index) => saved(record(index, 'x'.repeat(3000))));
  const settlement = { batch: BATCH, records, format: 'text' as const };

  const { reports } = await runStoreChild({ folders, ...settlement }, MAX_FILE_BYTES);
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

test('the same store goes on when the disk has room again', async () => {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  const staged = join(folders.dataDir, stagedPath(record(1), BATCH));
  mkdirSync(dirname(staged));
  symlinkSync('/dev/full', staged);

  await expect(store.save(record(1), BATCH)).rejects.toMatchObject({
    code: 'save-failed',
    message: expect.stringContaining('ENOSPC: no space left on device (write)'),
    cause: { code: 'ENOSPC' },
    entry: { retried: 'by Temporal' },
  });

  rmSync(staged);
  await store.save(record(1), BATCH);
  await store.closeBatch(BATCH, [saved(record(1))], 'text');
  expect(contentsOf(folders)).toMatchObject({ staging: [], out: [BATCH_FILE] });
});
