import { randomUUID } from 'node:crypto';
import { open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createGroupCommit } from '../concurrency/group-commit';
import { shareRuns } from '../concurrency/shared-runs';
import { tolerate, writeDurably } from './durable-fs';
import { SegmentIndex } from './segment-index';
import { segmentLine, stagedLines, type SegmentLine } from './staged-records';

/** What one segment may hold; a single set of records may be larger. */
const MAX_SEGMENT = { entries: 1000, bytes: 1024 * 1024 } as const;

const ENDING = '.jsonl';
const WRITING = `${ENDING}.writing`;
const NAME = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

const NEWLINE = 0x0a;

/** Whether a name in the staging folder is that of a segment. */
export function isSegment(name: string): boolean {
  return isNamed(name, ENDING);
}

/** Whether it is that of an unfinished segment, which is being written or was left by a killed process. */
export function isUnfinishedSegment(name: string): boolean {
  return isNamed(name, WRITING);
}

function isNamed(name: string, ending: string): boolean {
  return name.endsWith(ending) && NAME.test(name.slice(0, -ending.length));
}

interface Entry {
  batch: string;
  line: string;
}

/**
 * The segments of a staging folder, `<uuid>.jsonl`: records that are saved at the same time, for any batches, share a file,
 * and so the syncs of its content and its name (group commit). It has one line per record, which names its batch.
 *
 * A segment appears completely or not at all, because it is renamed after its content is synced. Only a rollback changes it,
 * by overwriting a line. So its content is cached; segments of other processes are read when they are first seen. Whoever
 * closes the last of its batches removes it: everyone checks after their own batch has its file.
 *
 * @param root the staging folder
 * @param sync makes the entries of a folder durable
 * @param isClosed whether a durable batch file of this name exists; the name has no extension
 */
export function createSegments(
  root: string,
  sync: (folder: string) => Promise<void>,
  isClosed: (batch: string) => Promise<boolean>,
) {
  const index = new SegmentIndex();
  const commit = createGroupCommit<Entry[], undefined>(
    { ...MAX_SEGMENT, inFlight: 1, gatherMs: 0 },
    async (sets) => {
      await write(sets.flat());
      return sets.map(() => undefined);
    },
  );
  const look = shareRuns(lookAgain);

  async function write(entries: readonly Entry[]): Promise<void> {
    const id = randomUUID();
    const name = `${id}${ENDING}`;
    const [path, temporary] = [join(root, name), join(root, `${id}${WRITING}`)];
    try {
      const text = entries.map(({ line }) => `${line}\n`).join('');
      await writeDurably(temporary, Buffer.from(text), 'wx');
      await rename(temporary, path);
      await sync(root);
    } catch (error) {
      // Even if this fails, what stays is removed with its batches.
      await Promise.allSettled([unlink(temporary), unlink(path)]);
      throw error;
    }
    index.add(name, entries);
  }

  /** Lists the staging folder, and updates the index. */
  async function lookAgain(): Promise<ReadonlySet<string>> {
    const known = index.names();
    const names = new Set(await readdir(root));
    for (const segment of known) if (!names.has(segment)) index.remove(segment);
    const others = [...names].filter((name) => isSegment(name) && !index.knows(name));
    await Promise.all(others.map(read));
    return names;
  }

  async function read(segment: string): Promise<void> {
    const content = await tolerate(['ENOENT'], readFile(join(root, segment), 'utf8'));
    if (content === undefined) return;
    const lines = stagedLines<SegmentLine>(content);
    index.add(
      segment,
      lines.map((line) => ({ batch: line.batch, line: segmentLine(line) })),
    );
  }

  async function removeIfDone(segment: string): Promise<void> {
    for (const batch of index.batchesIn(segment)) {
      if (!(await isClosed(batch))) return;
      index.closeIn(segment, batch);
    }
    await tolerate(['ENOENT'], unlink(join(root, segment)));
    index.remove(segment);
  }

  return {
    /** The current names in the staging folder. Until it is called, {@link has} may not know segments of other processes. */
    look: () => look(root),

    /** Resolves when the records survive a power cut. */
    async put(records: readonly SegmentLine[]): Promise<void> {
      const entries = records.map((record) => ({ batch: record.batch, line: segmentLine(record) }));
      const bytes = entries.reduce((sum, { line }) => sum + Buffer.byteLength(line), 0);
      try {
        await commit(entries, bytes);
      } catch {
        // The disk may have had no room for the records of other calls, but has room for these.
        await write(entries);
      }
    },

    /** Whether the record is in a segment. */
    has(record: SegmentLine): boolean {
      return index.hasLine(record.batch, segmentLine(record));
    },

    /**
     * Removes records from all segments, durably; records that aren't there are ignored.
     * @returns the names in the staging folder before
     */
    async remove(records: readonly SegmentLine[]): Promise<ReadonlySet<string>> {
      const names = await look(root);
      const bySegment = new Map<string, Entry[]>();
      for (const record of records) {
        const entry = { batch: record.batch, line: segmentLine(record) };
        for (const segment of index.segmentsOf(record.batch)) {
          if (index.has(segment, entry)) bySegment.set(segment, [...(bySegment.get(segment) ?? []), entry]);
        }
      }
      await Promise.all(
        [...bySegment].map(async ([segment, entries]) => {
          await blank(
            entries.map(({ line }) => line),
            join(root, segment),
          );
          for (const { batch, line } of entries) index.removeLine(segment, batch, line);
        }),
      );
      return names;
    },

    /**
     * Drops batches that have their files, and removes the segments that no other batch needs. Not synced.
     * @returns the names in the staging folder before
     */
    async clear(batches: readonly string[]): Promise<ReadonlySet<string>> {
      const names = await look(root);
      const touched = new Set<string>();
      for (const batch of batches) {
        for (const segment of index.segmentsOf(batch)) {
          touched.add(segment);
          index.closeIn(segment, batch);
        }
      }
      // `sweep` removes what can't be removed now.
      await Promise.allSettled([...touched].map(removeIfDone));
      return names;
    },
  };
}

/**
 * Overwrites lines with blanks, durably. In place, because others may be removing their lines from the same file, also in
 * other processes: each writes only its own bytes.
 */
async function blank(texts: readonly string[], path: string): Promise<void> {
  const content = await tolerate(['ENOENT'], readFile(path));
  if (content === undefined) return;
  const found = texts.flatMap((text) => {
    const line = Buffer.from(text);
    const at = lineIn(content, line);
    return at < 0 ? [] : [{ at, length: line.length }];
  });
  // Even if they are blank already: whoever did that may have failed before the sync.
  const file = await tolerate(['ENOENT'], open(path, 'r+'));
  if (file === undefined) return;
  try {
    for (const { at, length } of found) await file.write(Buffer.alloc(length, ' '), 0, length, at);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Offset of a whole line in a file; -1 if it isn't there. */
function lineIn(content: Buffer, line: Buffer): number {
  for (let at = content.indexOf(line); at >= 0; at = content.indexOf(line, at + 1)) {
    const begins = at === 0 || content[at - 1] === NEWLINE;
    if (begins && content[at + line.length] === NEWLINE) return at;
  }
  return -1;
}
