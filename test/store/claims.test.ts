import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { outcomeFileContent, type SettledRecord } from '../../src/domain/records/outcome';
import { createFileStore } from '../../src/store/file-store';
import type { StoreFolders } from '../../src/store/folders';
import { sweep } from '../../src/store/sweep';
import { interceptFs } from '../helpers/intercept-fs';
import { BATCH, BATCH_FILE, record, rolledBack, saved, storeFolders } from '../helpers/store-folders';

/** Publishing where there are no hard links: a claim decides which content a file gets. */
let restore = (): void => undefined;
afterEach(() => restore());

const NO_LINKS = () => Object.assign(new Error('EPERM: on purpose'), { code: 'EPERM' });

function close(folders: StoreFolders, outcome: SettledRecord): Promise<unknown> {
  return createFileStore(folders).closeBatch(BATCH, [outcome], 'text');
}

test('A worker that claims only when the batch has its file, and another claim was swept away, leaves the file as it is (G10).', async () => {
  const folders = await storeFolders();
  await createFileStore(folders).save(record(1), BATCH);
  let overtaken = false;
  let dying = false;
  restore = interceptFs(async ({ name, path }) => {
    if (name === 'link') throw NO_LINKS();
    if (dying && name === 'readdir') throw new Error('killed before it clears up');
    if (name !== 'mkdir' || !path.endsWith('.claiming') || overtaken) return;
    overtaken = true;
    dying = true;
    await close(folders, rolledBack(record(1)));
    dying = false;
    await sweep(folders);
  });
  await expect(close(folders, saved(record(1)))).rejects.toMatchObject({ code: 'batch-file-conflict' });
  expect(overtaken).toBe(true);
  const file = readFileSync(join(folders.outDir, BATCH_FILE), 'utf8');
  expect(file).toBe(outcomeFileContent([rolledBack(record(1))], 'text'));
});

test('What is claimed is written and synced before it gets its name, and its name before the staging goes (G4).', async () => {
  const folders = await storeFolders();
  await createFileStore(folders).save(record(1), BATCH);
  const calls: string[] = [];
  restore = interceptFs(({ name, path }, args) => {
    if (name === 'link') throw NO_LINKS();
    const target = name === 'rename' ? args[1] : path;
    if (target === join(folders.outDir, BATCH_FILE)) calls.push(`${name} FILE`);
    else if (path === folders.outDir) calls.push(`${name} OUT`);
    else if (/\.unfinished.*\.[\da-f-]{36}$/.test(path)) calls.push(`${name} TMP`);
    else if (path.includes('staging')) calls.push(`${name} STAGING`);
  });
  await close(folders, saved(record(1)));
  const kept = calls.filter((call) => /^(writeFile|sync|rename FILE|rm STAGING)/.test(call));
  expect(kept).toEqual([
    ...['writeFile TMP', 'sync TMP'],
    ...['writeFile TMP', 'sync TMP', 'rename FILE', 'sync OUT', 'rm STAGING'],
  ]);
});
