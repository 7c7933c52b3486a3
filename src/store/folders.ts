import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { KeepapartError } from '../domain/errors';
import { describeErrno, makeFolder } from './durable-fs';

/** Where a file store lives. Workers that share a batcher have to share both. */
export interface StoreFolders {
  /** `DATA_DIR`: holds the staging. */
  dataDir: string;
  /** `OUT_DIR`: holds the finished batch files. */
  outDir: string;
}

/** Records that are saved and whose batch has no file yet; one folder per batch. */
export function stagingRoot(folders: StoreFolders): string {
  return join(folders.dataDir, 'staging');
}

/**
 * Batch files being written. Inside `OUT_DIR`, because only within one file system can a file be published by a link;
 * a folder of its own, so that leftovers are found without listing every batch file there ever was.
 */
export function unfinishedRoot(folders: Pick<StoreFolders, 'outDir'>): string {
  return join(folders.outDir, '.unfinished');
}

/**
 * Creates what the store needs and proves that it can be written. Done once at start and never while saving: a folder
 * that was unmounted meanwhile is then an error, and not a second, empty folder on the wrong disk.
 * @param mode of folders that are created; the umask takes from it
 * @throws `folder-not-writable` (the operator's to mend), naming the setting, the folder and the cause
 */
export async function prepareFolders(folders: StoreFolders, mode?: number): Promise<void> {
  await prepare('DATA_DIR', folders.dataDir, mode);
  await prepare('DATA_DIR', stagingRoot(folders), mode);
  await prepareOutDir(folders, mode);
}

/** The same for a store that has nothing but batch files in folders. */
export async function prepareOutDir(folders: Pick<StoreFolders, 'outDir'>, mode?: number): Promise<void> {
  await prepare('OUT_DIR', folders.outDir, mode);
  await prepare('OUT_DIR', unfinishedRoot(folders), mode);
}

async function prepare(setting: string, folder: string, mode?: number): Promise<void> {
  const probe = join(folder, `.probe-${randomUUID()}`);
  try {
    await makeFolder(resolve(folder), mode);
    await writeFile(probe, '', { flag: 'wx' });
    await rm(probe);
  } catch (cause) {
    const detail = `${setting}: the folder ${folder} can not be written: ${describeErrno(cause)}`;
    throw new KeepapartError('folder-not-writable', detail, { cause });
  }
}
