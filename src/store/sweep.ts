import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HOUR } from '../domain/duration';
import { OUTCOME, outcomeLine } from '../domain/records/outcome';
import type { KeptRecord } from '../domain/records/record';
import { CLAIM_ENDING } from './claim';
import { syncFolder } from './durable-fs';
import { stagingRoot, unfinishedRoot, type StoreFolders } from './folders';
import { isSegment, isUnfinishedSegment } from './segments';
import { stagedLines, type SegmentLine } from './staged-records';

/** No attempt to write a batch file or a segment lasts this long; if one did, it would be repeated. */
const UNFINISHED_FOR_MS = 1 * HOUR;

/** What was removed. */
export interface Swept {
  /** Folders and segments of the staging. */
  staged: number;
  unfinishedFiles: number;
}

/**
 * Removes what killed workers and power cuts have left; done at start. Safe while other workers use the folders:
 * - a folder or a segment of the staging goes only when its batches have their files and every record in it has a line
 *   there, so nobody is going to ask for it; late saves of such a batch are refused anyway. What has no file is never touched.
 *   A torn record doesn't count: its save didn't return, and returns no more, as it looks for the file after writing.
 * - an unfinished batch file or segment goes when it is an hour old. Were its writer alive, it would find it gone and write
 *   anew. A claim to a content goes when its batch has its file: before that it decides what will stand there.
 * What can't be read or removed is left for the next time.
 */
export async function sweep(folders: StoreFolders, nowMs: number = Date.now()): Promise<Swept> {
  const root = stagingRoot(folders);
  const [staged, unfinishedFiles] = await Promise.all([
    removeEach(root, async (name) => {
      if (isUnfinishedSegment(name)) return isOld(join(root, name), nowMs);
      if (!(await isAccountedFor(folders, name))) return false;
      // Whoever wrote the file may not have come to that, and a power cut must not take both.
      await syncFolder(folders.outDir);
      return true;
    }),
    sweepUnfinished(folders, nowMs),
  ]);
  return { staged, unfinishedFiles };
}

/** The same for a store that has nothing but batch files in folders; gives how many were removed. */
export async function sweepUnfinished(
  folders: Pick<StoreFolders, 'outDir'>,
  nowMs: number = Date.now(),
): Promise<number> {
  return removeEach(unfinishedRoot(folders), async (name) => {
    if (name.endsWith(CLAIM_ENDING)) {
      return (await stat(join(folders.outDir, `${name.slice(0, -CLAIM_ENDING.length)}.log`))).isFile();
    }
    return isOld(join(unfinishedRoot(folders), name), nowMs);
  });
}

async function isOld(path: string, nowMs: number): Promise<boolean> {
  const { mtimeMs } = await stat(path);
  return nowMs - mtimeMs > UNFINISHED_FOR_MS;
}

async function removeEach(root: string, isLeftover: (name: string) => Promise<boolean>): Promise<number> {
  let removed = 0;
  for (const name of await readdir(root)) {
    try {
      if (!(await isLeftover(name))) continue;
      await rm(join(root, name), { recursive: true, force: true });
      removed++;
    } catch {
      // Gone meanwhile, torn, or without a batch file: sweeping is housekeeping and must not keep a worker from starting.
    }
  }
  return removed;
}

/** @param name of a batch's folder or of a segment, in the staging */
async function isAccountedFor(folders: StoreFolders, name: string): Promise<boolean> {
  if (!isSegment(name)) return isWritten(folders, name, () => stagedOf(folders, name));
  const byBatch = new Map<string, KeptRecord[]>();
  for (const { batch, ...record } of await linesOf<SegmentLine>(join(stagingRoot(folders), name))) {
    const records = byBatch.get(batch);
    if (records === undefined) byBatch.set(batch, [record]);
    else records.push(record);
  }
  for (const [batch, records] of byBatch)
    if (!(await isWritten(folders, batch, () => Promise.resolve(records)))) return false;
  return true;
}

/** Whether a batch has its file, with a line for each of these records. */
async function isWritten(
  { outDir }: StoreFolders,
  batch: string,
  records: () => Promise<KeptRecord[]>,
): Promise<boolean> {
  // Before the records, and not after them: see above on torn ones.
  const lines = (await readFile(join(outDir, `${batch}.log`), 'utf8')).split('\n');
  return (await records()).every((record) => hasLine(lines, record));
}

async function stagedOf(folders: StoreFolders, batch: string): Promise<KeptRecord[]> {
  const folder = join(stagingRoot(folders), batch);
  const files = (await readdir(folder)).map((file) => join(folder, file));
  return (await Promise.all(files.map(linesOf))).flat();
}

async function linesOf<T extends KeptRecord>(path: string): Promise<T[]> {
  return stagedLines<T>(await readFile(path, 'utf8'));
}

/** In the text format a line holds no recordId, so the value has to do. */
function hasLine(lines: readonly string[], { recordId, value }: KeptRecord): boolean {
  const asText = Object.values(OUTCOME).map((outcome) =>
    outcomeLine({ recordId, value, outcome, attempts: 1, atMs: 0 }, 'text'),
  );
  const asJson = JSON.stringify({ recordId }).slice(0, -1);
  return lines.some((line) => asText.includes(line) || line.startsWith(`${asJson},`));
}
