import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { KeepapartError } from '../domain/errors';
import { describeErrno, makeFolder } from './durable-fs';

/** Folders of a file store. Workers that share a batcher must share both. */
export interface StoreFolders {
  /** `DATA_DIR`: holds the staged records. */
  dataDir: string;
  /** `OUT_DIR`: holds the finished batch files. */
  outDir: string;
}

/** Folder of staged records: saved, but their batch has no file yet. One folder per batch. */
export function stagingRoot(folders: StoreFolders): string {
  return join(folders.dataDir, 'staging');
}

/**
 * Folder of batch files that are being written. It is inside `OUT_DIR`, because a file can only be linked within one file
 * system, and separate, so that leftovers are found without listing all batch files.
 */
export function unfinishedRoot(folders: Pick<StoreFolders, 'outDir'>): string {
  return join(folders.outDir, '.unfinished');
}

/**
 * Creates the store's folders and checks that they are writable. Done once at the start and never while saving, so that an
 * unmounted folder is an error instead of a second, empty folder on the wrong disk.
 * @throws `folder-not-writable` (not retried), naming the setting, the folder and the cause
 */
export async function prepareFolders(folders: StoreFolders): Promise<void> {
  await prepare('DATA_DIR', folders.dataDir);
  await prepare('DATA_DIR', stagingRoot(folders));
  await prepareOutDir(folders);
}

/** The same for a store that has only batch files in folders. */
export async function prepareOutDir(folders: Pick<StoreFolders, 'outDir'>): Promise<void> {
  await prepare('OUT_DIR', folders.outDir);
  await prepare('OUT_DIR', unfinishedRoot(folders));
}

async function prepare(setting: string, folder: string): Promise<void> {
  const probe = join(folder, `.probe-${randomUUID()}`);
  try {
    await makeFolder(resolve(folder));
    await writeFile(probe, '', { flag: 'wx' });
    await rm(probe);
  } catch (cause) {
    const detail = `${setting}: the folder ${folder} can not be written: ${describeErrno(cause)}`;
    throw new KeepapartError('folder-not-writable', detail, { cause });
  }
}
