import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HOUR } from '../domain/duration';
import { OUTCOME, outcomeLine } from '../domain/outcome';
import type { KeptRecord } from '../domain/record';
import { CLAIM_ENDING } from './claim';
import { stagingRoot, unfinishedRoot, type StoreFolders } from './folders';
import { stagedRecords } from './staged-records';
import { batchOfSet } from './staged-sets';

/** No attempt to write a batch file lasts this long; if one did, it would be repeated. */
const UNFINISHED_FOR_MS = 1 * HOUR;

/** What was removed. */
export interface Swept {
  /** Folders and sets of the staging. */
  staged: number;
  unfinishedFiles: number;
}

/**
 * Removes what killed workers and power cuts have left; done at start. Safe while other workers use the folders:
 * - a folder or a set of the staging goes only when its batch has its file and every record in it has a line there, so
 *   nobody is going to ask for it; late saves of such a batch are refused anyway. What has no file is never touched.
 *   A torn record doesn't count: its save didn't return, and returns no more, as it looks for the file after writing.
 * - an unfinished batch file goes when it is an hour old. Were its writer alive, it would find it gone and write anew.
 *   A claim to a content goes when its batch has its file: before that it decides what will stand there.
 * What can't be read or removed is left for the next time.
 */
export async function sweep(folders: StoreFolders, nowMs: number = Date.now()): Promise<Swept> {
  const [staged, unfinishedFiles] = await Promise.all([
    removeEach(stagingRoot(folders), (name) => isAccountedFor(folders, name)),
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
    const { mtimeMs } = await stat(join(unfinishedRoot(folders), name));
    return nowMs - mtimeMs > UNFINISHED_FOR_MS;
  });
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

/** @param name of a batch's folder or of a set, in the staging */
async function isAccountedFor(folders: StoreFolders, name: string): Promise<boolean> {
  const path = join(stagingRoot(folders), name);
  const batch = batchOfSet(name);
  // Before the records, and not after them: see above on torn ones.
  const lines = (await readFile(join(folders.outDir, `${batch ?? name}.log`), 'utf8')).split('\n');
  const files = batch === undefined ? (await readdir(path)).map((file) => join(path, file)) : [path];
  const staged = await Promise.all(files.map(async (file) => stagedRecords(await readFile(file, 'utf8'))));
  return staged.flat().every((record) => hasLine(lines, record));
}

/** In the text format a line holds no recordId, so the value has to do. */
function hasLine(lines: readonly string[], { recordId, value }: KeptRecord): boolean {
  const asText = Object.values(OUTCOME).map((outcome) =>
    outcomeLine({ recordId, value, outcome, attempts: 1, atMs: 0 }, 'text'),
  );
  const asJson = JSON.stringify({ recordId }).slice(0, -1);
  return lines.some((line) => asText.includes(line) || line.startsWith(`${asJson},`));
}
