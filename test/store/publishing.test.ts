import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { outcomeFileContent, type SettledRecord } from '../../src/domain/records/outcome';
import type { RecordStore } from '../../src/domain/records/record-store';
import { batchFilesIn } from '../../src/store/batch-files';
import { createFileStore } from '../../src/store/file-store';
import { interceptFs, type FsCall } from '../helpers/intercept-fs';
import {
  BATCH,
  BATCH_FILE,
  contentsOf,
  record,
  rolledBack,
  saved,
  storeFolders,
} from '../helpers/store-folders';

function deferred() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve: () => resolve() };
}

let restore = (): void => undefined;
afterEach(() => restore());

function failing(name: string, code: string): void {
  restore = interceptFs((call) => {
    if (call.name === name) throw Object.assign(new Error(`${code}: on purpose`), { code });
  });
}

test('G4: what a power cut may not take is synced before save returns, and the file before the staging goes.', async () => {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  const calls: string[] = [];
  const staging = join(folders.dataDir, 'staging');
  const shortened = ({ name, path }: FsCall): string =>
    `${name} ${path
      .replace(folders.outDir, 'OUT')
      .replace(staging, 'STAGING')
      .replace(/\.\d+\.[\da-f-]{36}$/, '.TMP')
      .replace(/[\da-f]{32}/, 'RECORD')
      .replace(BATCH_FILE.replace('.log', ''), 'BATCH')}`;
  restore = interceptFs((call) => calls.push(shortened(call)));

  await store.save(record(1), BATCH);
  const [making, writing, syncing, ...syncingFolders] = calls.filter((call) =>
    /^(mkdir|writeFile|sync)/.test(call),
  );
  expect([making, writing, syncing]).toEqual([
    'mkdir STAGING/BATCH',
    'writeFile STAGING/BATCH/RECORD.json',
    'sync STAGING/BATCH/RECORD.json',
  ]);
  expect(syncingFolders.sort()).toEqual(['sync STAGING', 'sync STAGING/BATCH']);

  calls.length = 0;
  await store.save(record(2), BATCH);
  await store.rollback(record(2), BATCH);
  expect(calls.filter((call) => /^(unlink|sync)/.test(call)).slice(-2)).toEqual([
    'unlink STAGING/BATCH/RECORD.json',
    'sync STAGING/BATCH',
  ]);

  calls.length = 0;
  await store.closeBatch(BATCH, [saved(record(1)), rolledBack(record(2))], 'text');
  expect(calls.filter((call) => /^(writeFile|sync|link|unlink|rm)/.test(call))).toEqual([
    'writeFile OUT/.unfinished/BATCH.TMP',
    'sync OUT/.unfinished/BATCH.TMP',
    'link OUT/.unfinished/BATCH.TMP',
    'unlink OUT/.unfinished/BATCH.TMP',
    'sync OUT',
    'rm STAGING/BATCH',
  ]);
});

test('A batch that was published but not synced is synced by the next attempt.', async () => {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  const close = () => store.closeBatch(BATCH, [rolledBack(record(1))], 'text');
  restore = interceptFs(({ name, path }) => {
    if (name === 'sync' && path === folders.outDir) throw new Error('EIO');
  });
  await expect(close()).rejects.toMatchObject({ code: 'store-failed' });
  restore();

  const synced: string[] = [];
  restore = interceptFs(({ name, path }) => name === 'sync' && synced.push(path));
  await close();
  const content = expect.stringMatching(/\.unfinished.test_log_/) as string;
  expect(synced).toEqual([content, folders.outDir]);
});

test('G10: a reader who looks all the time never sees a part of a file.', async () => {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  const records = [1, 2, 3, 4, 5].map((index) => saved(record(index, 'é'.repeat(200_000))));
  const content = outcomeFileContent(records, 'text');
  for (const one of records) await store.save(one, BATCH);

  const closing = { over: false };
  const closed = store.closeBatch(BATCH, records, 'text').finally(() => (closing.over = true));
  const seen: boolean[] = [];
  do {
    for (const { name } of await batchFilesIn(folders.outDir)) {
      seen.push(readFileSync(join(folders.outDir, name), 'utf8') === content);
    }
  } while (!closing.over || seen.length === 0);
  await closed;
  expect(seen).not.toContain(false);
});

test('G4: a worker that is overtaken while it closes a batch finds it closed, not its records missing.', async () => {
  const folders = await storeFolders();
  const [slow, fast] = [createFileStore(folders), createFileStore(folders)];
  const close = (store: RecordStore) => store.closeBatch(BATCH, [saved(record(1))], 'text');
  await slow.save(record(1), BATCH);
  restore = interceptFs(async ({ name }) => {
    if (name !== 'stat') return;
    restore();
    await close(fast);
  });
  await close(slow);
  expect(contentsOf(folders)).toEqual({ staging: [], unfinished: [], out: [BATCH_FILE] });
});

test.each(['EPERM', 'ENOTSUP', 'EMLINK'])(
  'without hard links (%s) the file is renamed into place',
  async (code) => {
    const folders = await storeFolders();
    failing('link', code);
    await createFileStore(folders).closeBatch(BATCH, [rolledBack(record(1))], 'text');
    expect(contentsOf(folders)).toEqual({ staging: [], unfinished: [], out: [BATCH_FILE] });
  },
);

test('Without hard links a file with other content is not replaced either.', async () => {
  const folders = await storeFolders();
  const path = join(folders.outDir, BATCH_FILE);
  restore = interceptFs(({ name }) => {
    if (name !== 'link') return;
    writeFileSync(path, 'faster');
    throw Object.assign(new Error('EPERM: on purpose'), { code: 'EPERM' });
  });
  const closing = createFileStore(folders).closeBatch(BATCH, [rolledBack(record(1))], 'text');
  await expect(closing).rejects.toMatchObject({ code: 'batch-file-conflict' });
  expect(readFileSync(path, 'utf8')).toBe('faster');
});

test('Without hard links, a worker that stops just before it renames does not replace what was published (G10).', async () => {
  const folders = await storeFolders();
  const path = join(folders.outDir, BATCH_FILE);
  await createFileStore(folders).save(record(1), BATCH);
  const close = (one: SettledRecord) => createFileStore(folders).closeBatch(BATCH, [one], 'text');
  const slowIsOver = deferred();
  const fastCanGoNoFurther = deferred();
  let fast: Promise<unknown> | undefined;
  let fastHasPublished = false;
  restore = interceptFs(async ({ name, path: at }, args) => {
    if (name === 'link') throw Object.assign(new Error('EPERM: on purpose'), { code: 'EPERM' });
    if (fast === undefined && name === 'rename' && args[1] === path) {
      fast = close(rolledBack(record(1)));
      fast.catch(() => (fastHasPublished = false)).finally(fastCanGoNoFurther.resolve);
      await fastCanGoNoFurther.promise;
    } else if (fast !== undefined && name === 'rename' && args[1] === path) {
      fastHasPublished = true;
    } else if (fastHasPublished && name === 'sync' && at === folders.outDir) {
      fastHasPublished = false;
      fastCanGoNoFurther.resolve();
      await slowIsOver.promise;
    }
  });
  const [first] = await Promise.allSettled([close(saved(record(1))).finally(slowIsOver.resolve)]);
  const [second] = await Promise.allSettled([fast]);

  expect(fast).toBeDefined();
  expect([first, second].filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const winner = first.status === 'fulfilled' ? saved(record(1)) : rolledBack(record(1));
  expect(readFileSync(path, 'utf8')).toBe(outcomeFileContent([winner], 'text'));
});

test('A worker whose unfinished file was swept away fails, and succeeds when it is repeated.', async () => {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  const unfinished = join(folders.outDir, '.unfinished');
  restore = interceptFs(({ name }) => {
    if (name === 'link') for (const file of readdirSync(unfinished)) rmSync(join(unfinished, file));
  });
  const close = () => store.closeBatch(BATCH, [rolledBack(record(1))], 'text');
  await expect(close()).rejects.toMatchObject({ code: 'store-away', cause: { code: 'ENOENT' } });
  restore();
  await close();
  expect(contentsOf(folders).out).toEqual([BATCH_FILE]);
});

test('Closing clears what killed attempts at the same file have left, and nothing of other batches.', async () => {
  const folders = await storeFolders();
  const name = basename(BATCH_FILE, '.log');
  const ending = '.4711.00000000-0000-4000-8000-000000000000';
  const [own, others] = [`${name}${ending}`, `${name}0${ending}`];
  for (const file of [own, others]) writeFileSync(join(folders.outDir, '.unfinished', file), 'half a li');
  await createFileStore(folders).closeBatch(BATCH, [rolledBack(record(1))], 'text');
  expect(contentsOf(folders).unfinished).toEqual([others]);
});

test('A batch is closed although its staging can not be cleared.', async () => {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  await store.save(record(1), BATCH);
  failing('rm', 'EIO');
  await store.closeBatch(BATCH, [saved(record(1))], 'text');
  expect(contentsOf(folders).out).toEqual([BATCH_FILE]);
});

test('The batch files of a folder are listed by name, and nothing else.', async () => {
  const folders = await storeFolders();
  const store = createFileStore(folders);
  const other = { batchId: 'a_b-00000002', openedAtMs: BATCH.openedAtMs };
  for (const batch of [BATCH, other]) await store.closeBatch(batch, [rolledBack(record(1))], 'text');
  writeFileSync(join(folders.outDir, 'notes.log'), '');

  expect(await batchFilesIn(folders.outDir)).toEqual([
    { name: 'test_log_202601312359_a_b-00000002.log', batchId: 'a_b-00000002', minute: '202601312359' },
    { name: BATCH_FILE, batchId: BATCH.batchId, minute: '202601312359' },
  ]);
});
