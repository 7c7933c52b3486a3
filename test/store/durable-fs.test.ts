import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSharedSync, describeErrno, makeFolder } from '../../src/store/durable-fs';
import { interceptFs } from '../helpers/intercept-fs';
import { temporaryFolder } from '../helpers/store-folders';

/** A sync that lasts until the test ends it. */
function heldSync() {
  const running: { folder: string; end: (error?: Error) => void }[] = [];
  const sync = (folder: string) =>
    new Promise<void>((resolve, reject) => {
      running.push({ folder, end: (error) => (error === undefined ? resolve() : reject(error)) });
    });
  return { running, shared: createSharedSync(sync) };
}

test('Calls that arrive during a sync of a folder share the next one, not the one that runs.', async () => {
  const { running, shared } = heldSync();
  const settled: string[] = [];
  const first = shared('a').then(() => settled.push('first'));
  const second = shared('a').then(() => settled.push('second'));
  const third = shared('a').then(() => settled.push('third'));
  expect(running).toHaveLength(1);

  running[0]!.end();
  await first;
  expect(settled).toEqual(['first']);
  expect(running).toHaveLength(2);

  running[1]!.end();
  await Promise.all([second, third]);
  expect(running).toHaveLength(2);
});

test('A sync that fails, fails those who waited for it and nobody else.', async () => {
  const { running, shared } = heldSync();
  const first = shared('a');
  const second = shared('a');
  running[0]!.end(new Error('EIO'));
  await expect(first).rejects.toThrow('EIO');
  running[1]!.end();
  await second;

  const later = shared('a');
  running[2]!.end();
  await later;
});

test('Folders are synced side by side.', async () => {
  const { running, shared } = heldSync();
  const all = Promise.all([shared('a'), shared('b')]);
  expect(running.map(({ folder }) => folder)).toEqual(['a', 'b']);
  running.forEach(({ end }) => end());
  await all;
});

test('A folder is made with its parents, each synced into its own.', async () => {
  const root = temporaryFolder();
  const synced: string[] = [];
  const restore = interceptFs(({ name, path }) => name === 'sync' && synced.push(path));
  try {
    await makeFolder(join(root, 'a', 'b', 'c'));
    await makeFolder(join(root, 'a', 'b', 'c'));
  } finally {
    restore();
  }
  expect(existsSync(join(root, 'a', 'b', 'c'))).toBe(true);
  expect(synced).toEqual([root, join(root, 'a'), join(root, 'a', 'b')]);
});

test('A file or a dangling link in the place of a folder is an error.', async () => {
  const root = temporaryFolder();
  writeFileSync(join(root, 'file'), '');
  symlinkSync(join(root, 'nowhere'), join(root, 'link'));
  await expect(makeFolder(join(root, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolder(join(root, 'file', 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  await expect(makeFolder(join(root, 'link'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('A link to a folder is as good as the folder.', async () => {
  const root = temporaryFolder();
  mkdirSync(join(root, 'real'));
  symlinkSync(join(root, 'real'), join(root, 'link'));
  await makeFolder(join(root, 'link', 'below'));
  expect(existsSync(join(root, 'real', 'below'))).toBe(true);
});

test('An error of the file system is described in words, without the path.', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
    errno: -28,
    code: 'ENOSPC',
    syscall: 'write',
  });
  expect(describeErrno(full)).toBe('ENOSPC: no space left on device (write)');
  expect(describeErrno(new Error('something else'))).toBe('something else');
});
