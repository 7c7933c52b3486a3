import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { shareRuns } from '../concurrency/shared-runs';

/** Errors of file systems without fsync for folders (some network and user-space ones). */
const NO_FOLDER_SYNC = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'];

/** Writes a whole file and resolves when its content survives a power cut; its name needs {@link syncFolder}. */
export async function writeDurably(path: string, bytes: Uint8Array, flags: string | number): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Resolves when everything created, linked or removed in the folder before the call survives a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows can't open folders, and NTFS journals names itself.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await tolerate(NO_FOLDER_SYNC, handle.sync());
  } finally {
    await handle.close();
  }
}

/** {@link syncFolder}, shared between concurrent calls: many saves at once cost two. See {@link shareRuns}. */
export function createSharedSync(sync: (folder: string) => Promise<void> = syncFolder) {
  return shareRuns(sync);
}

/**
 * Creates a folder durably, with its parents. It doesn't use `mkdir` with `recursive`, which doesn't sync the parents, and
 * which in Node 20 never returns if a file system answers ENOENT although the parent exists, as /proc does.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (hasErrno(error, 'EEXIST') && (await stat(folder)).isDirectory()) return;
    const parent = dirname(folder);
    if (!hasErrno(error, 'ENOENT') || parent === folder) throw error;
    await makeFolder(parent);
    await tolerate(['EEXIST'], mkdir(folder));
  }
  await syncFolder(dirname(folder));
}

/** The result, or undefined if it failed with one of these errors. */
export async function tolerate<T>(errnos: readonly string[], action: Promise<T>): Promise<T | undefined> {
  try {
    return await action;
  } catch (error) {
    if (hasErrno(error, ...errnos)) return undefined;
    throw error;
  }
}

/** Compares only the code: in tests, errors of Node's own modules come from another realm. */
export function hasErrno(error: unknown, ...errnos: string[]): boolean {
  return errnos.includes(String((error as NodeJS.ErrnoException | null)?.code));
}

/** `ENOSPC: no space left on device (write)`: what happened, without the path, which readers may not be allowed to see. */
export function describeErrno(error: unknown): string {
  const { errno, syscall, message } = error as Partial<NodeJS.ErrnoException>;
  const known = errno === undefined ? undefined : getSystemErrorMap().get(errno);
  return known === undefined ? (message ?? String(error)) : `${known[0]}: ${known[1]} (${syscall})`;
}
