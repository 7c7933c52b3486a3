import { lstat, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { apiOf } from '../helpers/api';
import { startSystem, temporaryFolder, type System } from '../helpers/system';

jest.setTimeout(120_000);

const OF_OTHERS = 0o077;
const OF_EVERYBODY_ELSE = 0o007;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let system: System | undefined;
beforeEach(async () => (folder = await temporaryFolder()));
afterEach(async () => {
  await system?.killGroup();
  await folder.remove();
});

/** A system in which batches have closed, and others are open. */
async function used(env: Record<string, string> = {}): Promise<void> {
  // What most systems have: everybody may read.
  const before = process.umask(0o022);
  try {
    system = await startSystem('serve', { cwd: folder.path, env });
  } finally {
    process.umask(before);
  }
  const api = apiOf(system.apiUrl);
  await api.send([1, 2, 3, 4, 5, 6]);
  await api.settled(6);
}

/** Everything below a folder that these others may do something with, by its path. */
async function openTo(others: number, below: string): Promise<string[]> {
  const names = await readdir(path.join(folder.path, below), { recursive: true });
  const modes = await Promise.all(
    [below, ...names.map((name) => path.join(below, name))].map(async (name) => {
      const found = await lstat(path.join(folder.path, name)).catch(() => undefined);
      return { name, mode: found?.mode ?? 0 };
    }),
  );
  return modes.filter(({ mode }) => (mode & others) !== 0).map(({ name }) => name);
}

test('Nobody else on the machine can read records: not in the database, nor in batch files, nor while they wait.', async () => {
  await used();
  expect(await openTo(OF_OTHERS, 'data')).toEqual([]);
});

test('FILE_ACCESS=group lets the group read batch files, and still nobody Temporal’s database.', async () => {
  await used({ KEEPAPART_FILE_ACCESS: 'group' });
  expect(await openTo(OF_EVERYBODY_ELSE, 'data')).toEqual([]);
  const readable = await openTo(0o040, 'data');
  expect(readable).toContain('data/out');
  expect(readable.filter((name) => name.endsWith('.log') && name.startsWith('data/out/'))).not.toEqual([]);
  expect(readable.filter((name) => /temporal\.(db|log)/.test(name))).toEqual([]);
});

test('A folder that is there keeps its mode, which is its owner’s business.', async () => {
  await mkdir(path.join(folder.path, 'data/out'), { recursive: true, mode: 0o755 });
  await used();
  expect(await openTo(OF_OTHERS, 'data')).toEqual(['data', 'data/out']);
});
