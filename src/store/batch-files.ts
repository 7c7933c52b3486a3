import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { link, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { BatchRef } from '../domain/records/batch';
import { KeepapartError } from '../domain/errors';
import { batchFileName } from '../domain/records/outcome';
import { CLAIM_ENDING, claimContent } from './claim';
import { shareRuns } from '../concurrency/shared-runs';
import { createSharedSync, hasErrno, makeFolder, tolerate, writeDurably } from './durable-fs';
import { unfinishedRoot, type StoreFolders } from './folders';

/** Errors that mean that this file system, or this one file, can't have a hard link. */
const NO_HARD_LINKS = ['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'];

const BATCH_FILE = /^test_log_(?<minute>\d{12})_(?<batchId>.+)\.log$/;

/** A batch's temporary file or claim; the batch's own name may have dots in it. */
const UNFINISHED = /^(?<batch>.+)\.(?:claim|\d+\.[\da-f-]{36}(?:\.claiming)?)$/;

/** A finished batch file, as its name tells it. */
export interface BatchFile {
  name: string;
  batchId: string;
  /** `YYYYMMDDHHMM` (UTC), when the batch was cut. */
  minute: string;
}

/** Every finished batch file in a folder, by name; other files are left out. A file that is listed is complete (G10). */
export async function batchFilesIn(outDir: string): Promise<BatchFile[]> {
  const names = await readdir(outDir);
  return names.sort().flatMap((name) => {
    const { minute, batchId } = BATCH_FILE.exec(name)?.groups ?? {};
    return minute === undefined || batchId === undefined ? [] : [{ name, batchId, minute }];
  });
}

/**
 * The batch's file name without its ending.
 * @throws `invalid-config` for a batchId that would lead out of the folder; settings are checked before, this is a net
 */
export function batchName(batch: BatchRef): string {
  if (!/^[^/\\\0]+$/.test(batch.batchId)) {
    throw new KeepapartError('invalid-config', `BATCHER_ID can't be part of a file name: ${batch.batchId}`);
  }
  return batchFileName(batch).replace(/\.log$/, '');
}

/** A file stands in the batch's place that it can't have written. Retried, until somebody has moved the file. */
export function foreignFile(batch: BatchRef): KeepapartError {
  return new KeepapartError(
    'batch-file-conflict',
    `${batchName(batch)}.log in OUT_DIR has other content than batch ${batch.batchId} would give it; ` +
      'it stays as it is, and the batch is closed once somebody has moved it away',
  );
}

/**
 * Batch files, each published at once or not at all, and never in place of another (G10). The content goes to a
 * temporary file, which is synced and then linked to its name: unlike `rename`, a link refuses a name that is taken, so
 * of two workers that close the same batch one wins and the other finds the file there.
 */
export function createBatchFiles(folders: Pick<StoreFolders, 'outDir'>) {
  const unfinished = unfinishedRoot(folders);
  const syncShared = createSharedSync();
  const isThere = shareRuns(async (path) => (await tolerate(['ENOENT'], stat(path))) !== undefined);
  const device = statSync(folders.outDir, { throwIfNoEntry: false })?.dev;
  const pathOf = (batch: BatchRef): string => join(folders.outDir, `${batchName(batch)}.log`);

  /** Whether there is a batch file of this name, which is given without its ending. */
  async function exists(name: string): Promise<boolean> {
    return isThere(join(folders.outDir, `${name}.log`));
  }

  /** Likewise, and that a power cut doesn't take it: whoever wrote it may not have come to that. */
  async function existsDurably(name: string): Promise<boolean> {
    if (!(await exists(name))) return false;
    await sync();
    return true;
  }

  /**
   * Whether the batch has its file.
   * @throws `batch-file-conflict` (retried) when a file of that name has other content
   */
  async function holds(batch: BatchRef, content: Buffer): Promise<boolean> {
    const found = await read(batch);
    if (found === undefined) return false;
    if (found.equals(content)) return true;
    throw foreignFile(batch);
  }

  /** The content of the batch's file, if it has one. */
  async function read(batch: BatchRef): Promise<Buffer | undefined> {
    return tolerate(['ENOENT'], readFile(pathOf(batch)));
  }

  /** Returns when the batch has its file, whoever wrote it; it survives a power cut after {@link sync}. */
  async function publish(batch: BatchRef, content: Buffer): Promise<void> {
    const temporary = join(unfinished, `${batchName(batch)}.${process.pid}.${randomUUID()}`);
    try {
      await writeUnfinished(temporary, content);
      await linkOrRename(temporary, batch, content);
    } catch (error) {
      // Another worker may have been faster, and may have cleared this temporary file too.
      if (!(await holds(batch, content))) throw error;
    } finally {
      // A failing disk must not hide the first error here; `sweep` finds what stays.
      await unlink(temporary).catch(() => undefined);
    }
  }

  /**
   * Somebody may have emptied `OUT_DIR`, or made it anew: then the folder of unfinished files is made again. Not on
   * another file system than before: that is what is below a disk that isn't mounted any more.
   */
  async function writeUnfinished(temporary: string, content: Buffer): Promise<void> {
    try {
      await writeDurably(temporary, content, 'wx');
    } catch (error) {
      if (!hasErrno(error, 'ENOENT') || device === undefined) throw error;
      if ((await stat(folders.outDir)).dev !== device) throw error;
      await makeFolder(unfinished);
      await writeDurably(temporary, content, 'wx');
    }
  }

  async function linkOrRename(temporary: string, batch: BatchRef, content: Buffer): Promise<void> {
    try {
      await link(temporary, pathOf(batch));
    } catch (error) {
      if (!hasErrno(error, ...NO_HARD_LINKS) || (await exists(batchName(batch)))) throw error;
      await renameClaimed(temporary, batch);
      await holds(batch, content);
    }
  }

  /**
   * Where there are no hard links, `rename` has to do, which replaces what is there. So a content has to be claimed
   * first, and only what has the claim is published, also by whoever wanted another: a worker that stopped for long
   * just before its `rename` then puts the same bytes there again. A claim goes only when the batch has its file, and
   * one that comes after that finds the file.
   */
  async function renameClaimed(temporary: string, batch: BatchRef): Promise<void> {
    const claim = join(unfinished, `${batchName(batch)}${CLAIM_ENDING}`);
    const content = await claimContent(claim, temporary);
    if (await exists(batchName(batch))) {
      await rm(claim, { recursive: true, force: true });
      return;
    }
    await writeDurably(temporary, content, 'wx');
    await rename(temporary, pathOf(batch));
  }

  async function sync(): Promise<void> {
    await syncShared(folders.outDir);
  }

  /** Removes what killed attempts to write these batches' files have left. */
  async function clear(batches: readonly BatchRef[]): Promise<void> {
    const names = new Set(batches.map(batchName));
    const leftovers = (await readdir(unfinished)).filter((name) =>
      names.has(UNFINISHED.exec(name)?.groups?.['batch'] ?? ''),
    );
    await Promise.all(leftovers.map((name) => rm(join(unfinished, name), { recursive: true, force: true })));
  }

  return { exists, existsDurably, read, holds, publish, sync, clear };
}
