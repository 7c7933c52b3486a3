import { constants } from 'node:fs';
import { open, readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { BatchRef } from '../domain/batch';
import type { KeptRecord } from '../domain/record';
import { batchName } from './batch-files';
import { tolerate, writeDurably } from './durable-fs';
import { shareRuns } from './shared-runs';
import { digestOf, stagedText } from './staged-records';

const NEWLINE = 0x0a;

const SET_FILE = /^(?<batch>.+)\.[\da-f]{32}\.jsonl$/;

/** The name of the batch that a set in the staging belongs to; undefined for what is no set. */
export function batchOfSet(fileName: string): string | undefined {
  return SET_FILE.exec(fileName)?.groups?.['batch'];
}

/** The same records of a batch in the same order have the same file. */
function setFileName(records: readonly KeptRecord[], batch: BatchRef): string {
  const ids = JSON.stringify(records.map(({ recordId }) => recordId));
  return `${batchName(batch)}.${digestOf(ids)}.jsonl`;
}

/**
 * The names of the sets in a staging by the names of their batches. Sorted out once for all that look at that moment:
 * hundreds of batches may be closed together, each with sets of as many others beside its own.
 */
async function setsByBatch(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const sets = new Map<string, string[]>();
  for (const name of await readdir(folder)) {
    const batch = batchOfSet(name);
    if (batch === undefined) continue;
    const others = sets.get(batch);
    if (others === undefined) sets.set(batch, [name]);
    else others.push(name);
  }
  return sets;
}

/**
 * Records that are saved together: a file for the set, `<batch>.<32 hex digits>.jsonl`, with a line for each. It lies in
 * the staging itself and not in a folder of its batch's: sets that are written side by side, of whatever batches, then
 * share the sync of one folder.
 *
 * @param root the staging
 * @param sync makes durable what is in a folder
 */
export function createStagedSets(root: string, sync: (folder: string) => Promise<void>) {
  const listing = shareRuns(setsByBatch);
  const pathOf = (records: readonly KeptRecord[], batch: BatchRef): string =>
    join(root, setFileName(records, batch));

  async function setsOf(batch: BatchRef): Promise<string[]> {
    const sets = await tolerate(['ENOENT'], listing(root));
    return (sets?.get(batchName(batch)) ?? []).map((file) => join(root, file));
  }

  return {
    /** Resolves when a power cut no longer loses them. */
    async put(records: readonly KeptRecord[], batch: BatchRef): Promise<void> {
      const text = records.map((record) => `${stagedText(record)}\n`).join('');
      const flags = constants.O_WRONLY | constants.O_CREAT;
      await writeDurably(pathOf(records, batch), Buffer.from(text), flags);
      await sync(root);
    },

    /** The lines of a batch's sets that are there with all their bytes. */
    async lines(batch: BatchRef): Promise<Set<string>> {
      const lines = new Set<string>();
      for (const path of await setsOf(batch)) {
        const content = await tolerate(['ENOENT'], readFile(path, 'utf8'));
        // A last line without its end may be torn, and yet look whole.
        for (const line of (content ?? '').split('\n').slice(0, -1)) lines.add(line);
      }
      return lines;
    },

    /** Takes a record out of the sets of its batch, durably; nothing there is fine. */
    async remove(record: KeptRecord, batch: BatchRef): Promise<void> {
      await Promise.all((await setsOf(batch)).map((path) => blank(record, path)));
    },

    /** Removes a set that came too late. */
    async withdraw(records: readonly KeptRecord[], batch: BatchRef): Promise<void> {
      await tolerate(['ENOENT'], unlink(pathOf(records, batch)));
    },

    /** Removes a batch's sets. Not synced. */
    async clear(batch: BatchRef): Promise<void> {
      await Promise.all((await setsOf(batch)).map((path) => tolerate(['ENOENT'], unlink(path))));
    },
  };
}

/**
 * Overwrites a record's line with blanks, durably. In place, since others may be removing theirs from the same file, also
 * in other processes: each writes its own bytes alone. A line that is torn stays until the batch is closed.
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

/** Where a whole line of a file begins; -1 when it isn't there. */
function lineIn(content: Buffer, line: Buffer): number {
  for (let at = content.indexOf(line); at >= 0; at = content.indexOf(line, at + 1)) {
    const begins = at === 0 || content[at - 1] === NEWLINE;
    if (begins && content[at + line.length] === NEWLINE) return at;
  }
  return -1;
}
