import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { BatchRef } from '../domain/batch';
import type { KeptRecord } from '../domain/record';
import { batchName } from './batch-files';
import { createSharedSync, tolerate, writeDurably } from './durable-fs';
import { stagingRoot, type StoreFolders } from './folders';

const NEWLINE = 0x0a;

/** Where one record is staged, from `DATA_DIR`. */
export function stagedPath(record: KeptRecord, batch: BatchRef): string {
  return join('staging', batchName(batch), stagedFileName(record.recordId));
}

/**
 * `<32 hex digits>.json`. Clients choose requestIds, with any characters and up to 255 of them, so the name is the start
 * of their SHA-256; over UTF-16, because in UTF-8 all lone surrogates are the same.
 */
export function stagedFileName(recordId: string): string {
  return `${createHash('sha256').update(recordId, 'utf16le').digest('hex').slice(0, 32)}.json`;
}

/** Ends the name of a file that holds the records of one `saveAll`, a line each. */
const SET_ENDING = '.jsonl';

/** `<32 hex digits>.jsonl`, by the same rule: the same records in the same order have the same file. */
function setFileName(records: readonly KeptRecord[]): string {
  const ids = JSON.stringify(records.map(({ recordId }) => recordId));
  return stagedFileName(ids).replace(/\.json$/, SET_ENDING);
}

/** `{"recordId":…,"value":…}`: the same bytes in every attempt, which is what makes saving idempotent. */
function stagedText({ recordId, value }: KeptRecord): string {
  return JSON.stringify({ recordId, value });
}

/** The records in a staged file of either kind; what is torn or blanked is left out. */
export function stagedRecords(content: string): KeptRecord[] {
  return content.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as KeptRecord];
    } catch {
      return [];
    }
  });
}

/**
 * The records that are saved and whose batch has no file yet: `DATA_DIR/staging/<batch>/<record>.json`, and for those
 * that were saved together `…/<set>.jsonl`, a record per line. The folder is named by the batch's file, not by its id
 * alone, since ids start over when Temporal's database is thrown away.
 *
 * A killed attempt can leave a torn file. It never counts: its save didn't return, so it is repeated and completes the
 * file, or it is exhausted and rolled back. Nor can a late attempt tear what another one has completed: files are
 * never truncated, and the bytes that it writes are those that stand there.
 */
export function createStaging(folders: StoreFolders) {
  const root = stagingRoot(folders);
  const sync = createSharedSync();
  const folderOf = (batch: BatchRef): string => join(root, batchName(batch));
  const pathOf = (record: KeptRecord, batch: BatchRef): string =>
    join(folders.dataDir, stagedPath(record, batch));
  const setPathOf = (records: readonly KeptRecord[], batch: BatchRef): string =>
    join(folderOf(batch), setFileName(records));

  async function write(path: string, text: string, batch: BatchRef): Promise<void> {
    const folder = folderOf(batch);
    await tolerate(['EEXIST'], mkdir(folder));
    await writeDurably(path, Buffer.from(text), constants.O_WRONLY | constants.O_CREAT);
    // The parent each time: that the folder was there doesn't say that whoever made it has synced it already.
    await Promise.all([sync(folder), sync(root)]);
  }

  /** Names of the batch's staged files. */
  async function staged(batch: BatchRef): Promise<string[]> {
    return (await tolerate(['ENOENT'], readdir(folderOf(batch)))) ?? [];
  }

  /**
   * Overwrites a record's line with blanks, durably. In place, since others may be removing theirs from the same file,
   * also in other processes: each writes its own bytes alone. A line that is torn stays until the batch is closed.
   */
  async function blank(record: KeptRecord, path: string): Promise<void> {
    const content = await tolerate(['ENOENT'], readFile(path));
    const line = Buffer.from(stagedText(record));
    const at = content === undefined ? -1 : lineIn(content, line);
    if (at < 0) return;
    const file = await tolerate(['ENOENT'], open(path, 'r+'));
    if (file === undefined) return;
    try {
      await file.write(Buffer.alloc(line.length, ' '), 0, line.length, at);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async function withdraw(path: string, batch: BatchRef): Promise<void> {
    await tolerate(['ENOENT'], unlink(path));
    await tolerate(['ENOENT', 'ENOTEMPTY', 'EEXIST'], rmdir(folderOf(batch)));
  }

  return {
    /** Resolves when a power cut no longer loses the record. */
    put: (record: KeptRecord, batch: BatchRef): Promise<void> =>
      write(pathOf(record, batch), stagedText(record), batch),

    /** Likewise for records of one batch together: one file, and so one sync of its content. */
    putAll: (records: readonly KeptRecord[], batch: BatchRef): Promise<void> =>
      write(setPathOf(records, batch), records.map((record) => `${stagedText(record)}\n`).join(''), batch),

    /** Durably; nothing there is fine. Syncs even then: an earlier call may have removed it and died before the sync. */
    async remove(record: KeptRecord, batch: BatchRef): Promise<void> {
      await tolerate(['ENOENT'], unlink(pathOf(record, batch)));
      const sets = (await staged(batch)).filter((name) => name.endsWith(SET_ENDING));
      await Promise.all(sets.map((name) => blank(record, join(folderOf(batch), name))));
      await tolerate(['ENOENT'], sync(folderOf(batch)));
    },

    /** Removes what came too late: the record, and the folder if nothing else is in it. */
    withdraw: (record: KeptRecord, batch: BatchRef): Promise<void> => withdraw(pathOf(record, batch), batch),

    /** Likewise for what {@link putAll} has put. */
    withdrawAll: (records: readonly KeptRecord[], batch: BatchRef): Promise<void> =>
      withdraw(setPathOf(records, batch), batch),

    /** Those of the records that are not in the staging with all their bytes. */
    async missing<T extends KeptRecord>(records: readonly T[], batch: BatchRef): Promise<T[]> {
      const names = new Set(await staged(batch));
      const lines = new Set<string>();
      for (const name of names) {
        if (!name.endsWith(SET_ENDING)) continue;
        const content = await tolerate(['ENOENT'], readFile(join(folderOf(batch), name), 'utf8'));
        // A last line without its end may be torn, and yet look whole.
        for (const line of (content ?? '').split('\n').slice(0, -1)) lines.add(line);
      }
      const present = await Promise.all(
        records.map(async (record) => {
          const text = stagedText(record);
          if (lines.has(text)) return true;
          if (!names.has(stagedFileName(record.recordId))) return false;
          const found = await tolerate(['ENOENT'], stat(pathOf(record, batch)));
          return found?.size === Buffer.byteLength(text);
        }),
      );
      return records.filter((_, index) => !present[index]);
    },

    /** Not synced: what a power cut brings back, `sweep` removes. */
    async clear(batch: BatchRef): Promise<void> {
      await rm(folderOf(batch), { recursive: true, force: true });
    },
  };
}

/** Where a whole line of a file begins; -1 when it isn't there. */
function lineIn(content: Buffer, line: Buffer): number {
  for (let at = content.indexOf(line); at >= 0; at = content.indexOf(line, at + 1)) {
    const begins = at === 0 || content[at - 1] === NEWLINE;
    if (begins && content[at + line.length] === NEWLINE) return at;
  }
  return -1;
}
