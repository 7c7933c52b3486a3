import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HOUR } from '../domain/duration';
import { groupBy } from '../domain/group-by';
import { OUTCOME, outcomeLine } from '../domain/records/outcome';
import type { KeptRecord } from '../domain/records/record';
import { CLAIM_ENDING } from './claim';
import { syncFolder } from './durable-fs';
import { stagingRoot, unfinishedRoot, type StoreFolders } from './folders';
import { isSegment, isUnfinishedSegment } from './segments';
import { stagedLines, type SegmentLine } from './staged-records';

/** No attempt to write a batch file or segment takes this long; if one did, it would be repeated. */
const UNFINISHED_FOR_MS = 1 * HOUR;

/** How many files and folders were removed. */
export interface Swept {
  /** Staging folders of batches, and segments. */
  staged: number;
  unfinishedFiles: number;
}

/**
 * Removes what killed workers and power cuts left behind; called at the start. Safe while other workers use the folders:
 * - A staging folder or segment is removed only if its batches have their files and every record in it has a line there, so
 *   nobody needs it any more; late saves of such a batch are refused anyway. If a batch has no file, nothing is touched. An
 *   incomplete record doesn't count: its save didn't return and won't, because it checks for the file after writing.
 * - An unfinished batch file or segment is removed when it is an hour old. If its writer were still alive, it would write it
 *   again. A claim is removed when its batch has its file; until then it decides the content of the file.
 * What can't be read or removed is left for the next time.
 */
export async function sweep(folders: StoreFolders, nowMs: number = Date.now()): Promise<Swept> {
  const root = stagingRoot(folders);
  const [staged, unfinishedFiles] = await Promise.all([
    removeEach(root, async (name) => {
      if (isUnfinishedSegment(name)) return isOld(join(root, name), nowMs);
      if (!(await isAccountedFor(folders, name))) return false;
      // The file's writer may not have synced it yet, and a power cut must not destroy both.
      await syncFolder(folders.outDir);
      return true;
    }),
    sweepUnfinished(folders, nowMs),
  ]);
  return { staged, unfinishedFiles };
}

/** The same for a store that has only batch files in folders. @returns the number of removed files */
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
      // Removed meanwhile, incomplete, or without a batch file. Cleanup must not prevent a worker from starting.
    }
  }
  return removed;
}

/** @param name of a batch's folder or of a segment, in the staging folder */
async function isAccountedFor(folders: StoreFolders, name: string): Promise<boolean> {
  if (!isSegment(name)) return isWritten(folders, name, () => stagedOf(folders, name));
  const byBatch = groupBy(
    await readStagedFile<SegmentLine>(join(stagingRoot(folders), name)),
    ({ batch }) => batch,
  );
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
  // Before the records rather than after them: see above on incomplete ones.
  const lines = (await readFile(join(outDir, `${batch}.log`), 'utf8')).split('\n');
  return (await records()).every((record) => hasLine(lines, record));
}

async function stagedOf(folders: StoreFolders, batch: string): Promise<KeptRecord[]> {
  const folder = join(stagingRoot(folders), batch);
  const files = (await readdir(folder)).map((file) => join(folder, file));
  return (await Promise.all(files.map((file) => readStagedFile(file)))).flat();
}

async function readStagedFile<T extends KeptRecord>(path: string): Promise<T[]> {
  return stagedLines<T>(await readFile(path, 'utf8'));
}

/** A line in the text format has no recordId, so the value must do. */
function hasLine(lines: readonly string[], { recordId, value }: KeptRecord): boolean {
  const asText = Object.values(OUTCOME).map((outcome) =>
    outcomeLine({ recordId, value, outcome, attempts: 1, atMs: 0 }, 'text'),
  );
  const asJson = JSON.stringify({ recordId }).slice(0, -1);
  return lines.some((line) => asText.includes(line) || line.startsWith(`${asJson},`));
}
