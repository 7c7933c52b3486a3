import { constants } from 'node:fs';
import { mkdir, readdir, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { BatchRef } from '../domain/records/batch';
import type { KeptRecord } from '../domain/records/record';
import type { RecordsOfBatch } from '../domain/records/record-store';
import { batchName } from './batch-files';
import { createSharedSync, tolerate, writeDurably } from './durable-fs';
import { stagingRoot, type StoreFolders } from './folders';
import { createSegments } from './segments';
import { fileDigestOf, stagedText, type SegmentLine } from './staged-records';

/** Path of a staged record, relative to `DATA_DIR`. */
export function stagedPath(record: KeptRecord, batch: BatchRef): string {
  return join('staging', batchName(batch), stagedFileName(record));
}

function stagedFileName({ recordId }: KeptRecord): string {
  return `${fileDigestOf(recordId)}.json`;
}

/**
 * The staged records, which are saved while their batch has no file yet: `DATA_DIR/staging/<batch>/<record>.json`, or a line
 * of a segment, `DATA_DIR/staging/<uuid>.jsonl`, if they were saved together. A batch is identified by the name of its file
 * rather than by its id alone, because ids start over when Temporal's database is discarded.
 *
 * A killed attempt can leave an incomplete file. It never counts: its save didn't return, so it is either repeated and
 * completes the file, or exhausted and rolled back. Nor can a late attempt damage a complete file: files are never
 * truncated, and it writes the same bytes.
 *
 * @param isClosed see {@link createSegments}
 */
export function createStaging(folders: StoreFolders, isClosed: (batch: string) => Promise<boolean>) {
  const root = stagingRoot(folders);
  const sync = createSharedSync();
  const segments = createSegments(root, sync, isClosed);
  const folderOf = (batch: BatchRef): string => join(root, batchName(batch));
  const pathOf = (record: KeptRecord, batch: BatchRef): string =>
    join(folders.dataDir, stagedPath(record, batch));

  return {
    /** Resolves when the record survives a power cut. */
    async put(record: KeptRecord, batch: BatchRef): Promise<void> {
      const folder = folderOf(batch);
      await tolerate(['EEXIST'], mkdir(folder));
      const flags = constants.O_WRONLY | constants.O_CREAT;
      await writeDurably(pathOf(record, batch), Buffer.from(stagedText(record)), flags);
      // The parent each time: an existing folder may not have been synced yet by whoever created it.
      await Promise.all([sync(folder), sync(root)]);
    },

    /** The same for records of several batches together. */
    async putAll(batches: readonly RecordsOfBatch[]): Promise<void> {
      await segments.put(batches.flatMap(({ batch, records }) => records.map(inBatch(batch))));
    },

    /** Removes records durably; missing ones are ignored. It always syncs, in case an earlier call died before its sync. */
    async removeAll(batches: readonly RecordsOfBatch[]): Promise<void> {
      const names = await segments.remove(
        batches.flatMap(({ batch, records }) => records.map(inBatch(batch))),
      );
      const inFolders = batches.filter(({ batch }) => names.has(batchName(batch)));
      await Promise.all(
        inFolders.map(async ({ batch, records }) => {
          await Promise.all(records.map((record) => tolerate(['ENOENT'], unlink(pathOf(record, batch)))));
          await tolerate(['ENOENT'], sync(folderOf(batch)));
        }),
      );
    },

    /** Removes a record that came too late, and its folder if that is empty. */
    async withdraw(record: KeptRecord, batch: BatchRef): Promise<void> {
      await tolerate(['ENOENT'], unlink(pathOf(record, batch)));
      await tolerate(['ENOENT', 'ENOTEMPTY', 'EEXIST'], rmdir(folderOf(batch)));
    },

    /** The same for what {@link putAll} wrote. */
    async withdrawAll(batches: readonly BatchRef[]): Promise<void> {
      await segments.clear(batches.map(batchName));
    },

    /** The records that are not completely staged. */
    async missing<T extends KeptRecord>(records: readonly T[], batch: BatchRef): Promise<T[]> {
      const lineOf = inBatch(batch);
      const notInSegment = (record: T): boolean => !segments.has(lineOf(record));
      const notSeen = records.filter(notInSegment);
      if (notSeen.length === 0) return [];
      const names = new Set(await tolerate(['ENOENT'], readdir(folderOf(batch))));
      const isStaged = async (record: T): Promise<boolean> => {
        if (!names.has(stagedFileName(record))) return false;
        const found = await tolerate(['ENOENT'], stat(pathOf(record, batch)));
        return found?.size === Buffer.byteLength(stagedText(record));
      };
      const staged = await Promise.all(notSeen.map(isStaged));
      const notInFile = notSeen.filter((_, i) => staged[i] !== true);
      if (notInFile.length === 0) return [];
      // Other processes may have staged them.
      await segments.look();
      return notInFile.filter(notInSegment);
    },

    /** Removes the staged records of batches that have their files. Not synced: `sweep` removes what a power cut restores. */
    async clear(batches: readonly BatchRef[]): Promise<void> {
      const names = batches.map(batchName);
      const found = await segments.clear(names);
      const clearing = names.filter((name) => found.has(name));
      await Promise.allSettled(
        clearing.map((name) => rm(join(root, name), { recursive: true, force: true })),
      );
    },
  };
}

function inBatch(batch: BatchRef): (record: KeptRecord) => SegmentLine {
  const name = batchName(batch);
  return ({ recordId, value }) => ({ batch: name, recordId, value });
}
