import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOUR } from '../../src/domain/duration';
import { OUTCOME_FORMATS, outcomeFileContent } from '../../src/domain/records/outcome';
import { createFileStore } from '../../src/store/file-store';
import { stagedPath } from '../../src/store/staging';
import { sweep } from '../../src/store/sweep';
import { interceptFs } from '../helpers/intercept-fs';
import {
  BATCH,
  BATCH_FILE,
  contentsOf,
  record,
  rolledBack,
  saved,
  storeFolders,
} from '../helpers/store-folders';

/** Two records staged, as a power cut brings them back after the batch was closed. */
async function stagedTwice() {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  await store.save(record(1), BATCH);
  await store.save(record(2, 'two'), BATCH);
  const finish = (content: string): void => writeFileSync(join(folders.outDir, BATCH_FILE), content);
  return { folders, store, finish };
}

test.each(OUTCOME_FORMATS)('the staging of a batch that has its file goes (%s)', async (format) => {
  const { folders, finish } = await stagedTwice();
  finish(outcomeFileContent([saved(record(1)), rolledBack(record(2, 'two'))], format));
  expect(await sweep(folders)).toEqual({ staged: 1, unfinishedFiles: 0 });
  expect(contentsOf(folders)).toMatchObject({ staging: [], out: [BATCH_FILE] });
});

test('G4: the staging of a batch without a file stays.', async () => {
  const { folders, store } = await stagedTwice();
  expect(await sweep(folders)).toEqual({ staged: 0, unfinishedFiles: 0 });
  await store.closeBatch(BATCH, [saved(record(1)), saved(record(2, 'two'))], 'text');
});

test.each([
  ['a record too few', outcomeFileContent([saved(record(1))], 'text')],
  ['other values', outcomeFileContent([saved(record(1)), saved(record(2))], 'text')],
  ['other requests', outcomeFileContent([saved({ recordId: 'request:10', value: 1 })], 'json')],
  ['nothing of ours', '{"recordId":"request:1"'],
])('the staging stays when a file of the name has %s: the batch is not closed yet', async (_, content) => {
  const { folders, finish } = await stagedTwice();
  finish(content);
  expect(await sweep(folders)).toMatchObject({ staged: 0 });
  expect(contentsOf(folders).staging).toHaveLength(3);
});

test('G4: a torn record goes with the staging of a batch that has its file: its save returns no more.', async () => {
  const { folders, finish } = await stagedTwice();
  writeFileSync(join(folders.dataDir, stagedPath(record(1), BATCH)), '{"reco');
  expect(await sweep(folders)).toMatchObject({ staged: 0 });
  finish(outcomeFileContent([rolledBack(record(1)), rolledBack(record(2, 'two'))], 'text'));
  expect(await sweep(folders)).toMatchObject({ staged: 1 });
  expect(contentsOf(folders).staging).toEqual([]);
});

test('G4: the file of a batch is made durable before its staging goes, as its writer may not have come to that.', async () => {
  const { folders, finish } = await stagedTwice();
  finish(outcomeFileContent([saved(record(1)), rolledBack(record(2, 'two'))], 'text'));
  const steps: string[] = [];
  const restore = interceptFs(({ name, path }) => {
    if (name === 'sync' && path === folders.outDir) steps.push('sync');
    if (name === 'rm') steps.push('remove');
  });
  await sweep(folders).finally(restore);
  expect(steps).toEqual(['sync', 'remove']);
});

test('A staging folder that can not be read does not keep the others from being swept.', async () => {
  const { folders, store, finish } = await stagedTwice();
  finish(outcomeFileContent([saved(record(1)), saved(record(2, 'two'))], 'text'));
  const other = { ...BATCH, batchId: 'aaa' };
  await store.save(record(3), other);
  mkdirSync(join(folders.outDir, BATCH_FILE.replace(BATCH.batchId, 'aaa')));
  expect(await sweep(folders)).toMatchObject({ staged: 1 });
});

test('A claim to a content goes when its batch has its file, and not before, however old it is.', async () => {
  const { folders, finish } = await stagedTwice();
  const claim = join(folders.outDir, '.unfinished', BATCH_FILE.replace(/log$/, 'claim'));
  mkdirSync(claim);
  utimesSync(claim, new Date(0), new Date(0));
  expect(await sweep(folders)).toMatchObject({ unfinishedFiles: 0 });
  finish('');
  expect(await sweep(folders)).toMatchObject({ unfinishedFiles: 1 });
});

test('An unfinished batch file goes after an hour: until then its writer may be alive.', async () => {
  const folders = await storeFolders();
  const nowMs = Date.UTC(2026, 0, 1);
  for (const [name, ageMs] of [['old', HOUR + 1000] as const, ['young', HOUR - 1000] as const]) {
    const path = join(folders.outDir, '.unfinished', name);
    writeFileSync(path, 'half a li');
    utimesSync(path, new Date(nowMs), new Date(nowMs - ageMs));
  }
  expect(await sweep(folders, nowMs)).toEqual({ staged: 0, unfinishedFiles: 1 });
  expect(contentsOf(folders).unfinished).toEqual(['young']);
});
