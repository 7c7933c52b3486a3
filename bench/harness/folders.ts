import { rmSync } from 'node:fs';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const TMPFS = 0x01021994;
const RAMFS = 0x858458f6;

/**
 * A folder on a real disk that is removed at the end, whatever that is.
 * @throws Error where temporary folders are in memory, which would make durable writes free
 */
export async function diskFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const { type } = await statfs(tmpdir());
  if (type === TMPFS || type === RAMFS)
    throw new Error(`${tmpdir()} is in memory, where a sync costs nothing: set TMPDIR to a folder on a disk`);
  const folder = await mkdtemp(path.join(tmpdir(), 'keepapart-bench-'));
  const removeNow = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', removeNow);
  return {
    path: folder,
    async remove() {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      process.off('exit', removeNow);
    },
  };
}
