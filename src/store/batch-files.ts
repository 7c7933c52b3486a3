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

/** Errors of a file system, or for a file, without support for hard links. */
const NO_HARD_LINKS = ['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'];

const BATCH_FILE = /^test_log_(?<minute>\d{12})_(?<batchId>.+)\.log$/;

/** A batch's temporary file or claim; the batch's own name may contain dots. */
const UNFINISHED = /^(?<batch>.+)\.(?:claim|\d+\.[\da-f-]{36}(?:\.claiming)?)$/;

/** A finished batch file, from its name. */
export interface BatchFile {
  name: string;
  batchId: string;
  /** `YYYYMMDDHHMM` (UTC), when the batch was cut. */
  minute: string;
}

/** Every finished batch file in a folder, by name; other files are skipped. A listed file is complete (G10). */
export async function batchFilesIn(outDir: string): Promise<BatchFile[]> {
  const names = await readdir(outDir);
  return names.sort().flatMap((name) => {
    const { minute, batchId } = BATCH_FILE.exec(name)?.groups ?? {};
    return minute === undefined || batchId === undefined ? [] : [{ name, batchId, minute }];
  });
}

/**
 * The batch's file name without its extension.
 * @throws `invalid-config` for a batchId that would lead out of the folder; a safeguard, because settings are validated
 */
export function batchName(batch: BatchRef): string {
  if (!/^[^/\\\0]+$/.test(batch.batchId)) {
    throw new KeepapartError('invalid-config', `BATCHER_ID can't be part of a file name: ${batch.batchId}`);
  }
  return batchFileName(batch).replace(/\.log$/, '');
}

/** Another file has the batch's name. Retried until somebody has moved it. */
export function foreignFile(batch: BatchRef): KeepapartError {
  return new KeepapartError(
    'batch-file-conflict',
    `${batchName(batch)}.log in OUT_DIR does not have the content of batch ${batch.batchId}; ` +
      'it is left unchanged, and the batch is closed once somebody has moved it away',
  );
}

/**
 * Batch files, each published completely or not at all, and never in place of another file (G10). The content is written to
 * a temporary file, which is synced and then linked to its name. Unlike `rename`, a link fails if the name exists, so of two
 * workers that close the same batch, one wins and the other finds the file.
 */
export function createBatchFiles(folders: Pick<StoreFolders, 'outDir'>) {
  const unfinished = unfinishedRoot(folders);
  const syncShared = createSharedSync();
  const isThere = shareRuns(async (path) => (await tolerate(['ENOENT'], stat(path))) !== undefined);
  const device = statSync(folders.outDir, { throwIfNoEntry: false })?.dev;
  const pathOf = (batch: BatchRef): string => join(folders.outDir, `${batchName(batch)}.log`);

  /** Whether a batch file with this name exists; the name has no extension. */
  async function exists(name: string): Promise<boolean> {
    return isThere(join(folders.outDir, `${name}.log`));
  }

  /** Likewise, and makes sure that it survives a power cut, in case its writer didn't get that far. */
  async function existsDurably(name: string): Promise<boolean> {
    if (!(await exists(name))) return false;
    await sync();
    return true;
  }

  /**
   * Whether the batch has its file.
   * @throws `batch-file-conflict` (retried) if a file of that name has other content
   */
  async function holds(batch: BatchRef, content: Buffer): Promise<boolean> {
    const found = await read(batch);
    if (found === undefined) return false;
    if (found.equals(content)) return true;
    throw foreignFile(batch);
  }

  /** The content of the batch's file, if it exists. */
  async function read(batch: BatchRef): Promise<Buffer | undefined> {
    return tolerate(['ENOENT'], readFile(pathOf(batch)));
  }

  /** Resolves when the batch has its file, regardless of who wrote it; it survives a power cut after {@link sync}. */
  async function publish(batch: BatchRef, content: Buffer): Promise<void> {
    const temporary = join(unfinished, `${batchName(batch)}.${process.pid}.${randomUUID()}`);
    try {
      await writeUnfinished(temporary, content);
      await linkOrRename(temporary, batch, content);
    } catch (error) {
      // Another worker may have been faster, and may have removed this temporary file too.
      if (!(await holds(batch, content))) throw error;
    } finally {
      // An error of a failing disk must not hide the first one; `sweep` removes what stays.
      await unlink(temporary).catch(() => undefined);
    }
  }

  /**
   * If somebody has emptied or recreated `OUT_DIR`, the folder of unfinished files is recreated; but not on another file
   * system, because that is what lies beneath an unmounted disk.
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
   * Publishes without hard links, with `rename`, which would replace an existing file. So the content must be claimed first,
   * and only claimed content is published, even by workers that wanted other content: a worker that was suspended just
   * before its `rename` then publishes the same bytes again. A claim is removed only when the batch has its file, and
   * anyone who comes later finds the file.
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

  /** Removes what killed attempts to write these batches' files left behind. */
  async function clear(batches: readonly BatchRef[]): Promise<void> {
    const names = new Set(batches.map(batchName));
    const leftovers = (await readdir(unfinished)).filter((name) =>
      names.has(UNFINISHED.exec(name)?.groups?.['batch'] ?? ''),
    );
    await Promise.all(leftovers.map((name) => rm(join(unfinished, name), { recursive: true, force: true })));
  }

  return { exists, existsDurably, read, holds, publish, sync, clear };
}
