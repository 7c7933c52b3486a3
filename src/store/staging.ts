import { constants } from 'node:fs';
import { mkdir, readdir, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { BatchRef } from '../domain/batch';
import type { KeptRecord } from '../domain/record';
import { batchName } from './batch-files';
import { createSharedSync, tolerate, writeDurably } from './durable-fs';
import { stagingRoot, type StoreFolders } from './folders';
import { digestOf, stagedText } from './staged-records';
import { createStagedSets } from './staged-sets';

/** Where one record is staged, from `DATA_DIR`. */
export function stagedPath(record: KeptRecord, batch: BatchRef): string {
  return join('staging', batchName(batch), stagedFileName(record));
}

function stagedFileName({ recordId }: KeptRecord): string {
  return `${digestOf(recordId)}.json`;
}

/**
 * The records that are saved and whose batch has no file yet: `DATA_DIR/staging/<batch>/<record>.json`, and for those
 * that were saved together `DATA_DIR/staging/<batch>.<set>.jsonl`, a record per line. Both are named by the batch's file,
 * not by its id alone, since ids start over when Temporal's database is thrown away.
 *
 * A killed attempt can leave a torn file. It never counts: its save didn't return, so it is repeated and completes the
 * file, or it is exhausted and rolled back. Nor can a late attempt tear what another one has completed: files are
 * never truncated, and the bytes that it writes are those that stand there.
 */
export function createStaging(folders: StoreFolders) {
  const root = stagingRoot(folders);
  const sync = createSharedSync();
  const sets = createStagedSets(root, sync);
  const folderOf = (batch: BatchRef): string => join(root, batchName(batch));
  const pathOf = (record: KeptRecord, batch: BatchRef): string =>
    join(folders.dataDir, stagedPath(record, batch));

  return {
    /** Resolves when a power cut no longer loses the record. */
    async put(record: KeptRecord, batch: BatchRef): Promise<void> {
      const folder = folderOf(batch);
      await tolerate(['EEXIST'], mkdir(folder));
      const flags = constants.O_WRONLY | constants.O_CREAT;
      await writeDurably(pathOf(record, batch), Buffer.from(stagedText(record)), flags);
      // The parent each time: that the folder was there doesn't say that whoever made it has synced it already.
      await Promise.all([sync(folder), sync(root)]);
    },

    /** Likewise for records of one batch together: one file, and so one sync of its content. */
    putAll: sets.put,

    /** Durably; nothing there is fine. Syncs even then: an earlier call may have removed it and died before the sync. */
    async remove(record: KeptRecord, batch: BatchRef): Promise<void> {
      await tolerate(['ENOENT'], unlink(pathOf(record, batch)));
      await sets.remove(record, batch);
      await tolerate(['ENOENT'], sync(folderOf(batch)));
    },

    /** Removes what came too late: the record, and the folder if nothing else is in it. */
    async withdraw(record: KeptRecord, batch: BatchRef): Promise<void> {
      await tolerate(['ENOENT'], unlink(pathOf(record, batch)));
      await tolerate(['ENOENT', 'ENOTEMPTY', 'EEXIST'], rmdir(folderOf(batch)));
    },

    /** Likewise for what {@link putAll} has put. */
    withdrawAll: sets.withdraw,

    /** Those of the records that are not in the staging with all their bytes. */
    async missing<T extends KeptRecord>(records: readonly T[], batch: BatchRef): Promise<T[]> {
      const [lines, names] = await Promise.all([
        sets.lines(batch),
        tolerate(['ENOENT'], readdir(folderOf(batch))).then((found) => new Set(found)),
      ]);
      const present = await Promise.all(
        records.map(async (record) => {
          const text = stagedText(record);
          if (lines.has(text)) return true;
          if (!names.has(stagedFileName(record))) return false;
          const found = await tolerate(['ENOENT'], stat(pathOf(record, batch)));
          return found?.size === Buffer.byteLength(text);
        }),
      );
      return records.filter((_, index) => !present[index]);
    },

    /** Not synced: what a power cut brings back, `sweep` removes. */
    async clear(batch: BatchRef): Promise<void> {
      await Promise.all([sets.clear(batch), rm(folderOf(batch), { recursive: true, force: true })]);
    },
  };
}
