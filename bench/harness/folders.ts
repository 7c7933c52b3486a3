import { rmSync } from 'node:fs';
import { mkdtemp, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const TMPFS = 0x01021994;
const RAMFS = 0x858458f6;

/**
 * A folder on a real disk that is removed when the process ends, and not before: ext4 passes over inodes that were
 * deleted within the last minutes, one by one, so that after thousands of removals each new file beside them costs
 * milliseconds. Measurements would be slower the more had run before them.
 * @throws Error where temporary folders are in memory, which would make durable writes free
 */
export async function diskFolder(): Promise<string> {
  const { type } = await statfs(tmpdir());
  if (type === TMPFS || type === RAMFS)
    throw new Error(`${tmpdir()} is in memory, where a sync costs nothing: set TMPDIR to a folder on a disk`);
  const folder = await mkdtemp(path.join(tmpdir(), 'keepapart-bench-'));
  if (folders.length === 0) process.once('exit', removeAll);
  folders.push(folder);
  return folder;
}

const folders: string[] = [];

function removeAll(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
