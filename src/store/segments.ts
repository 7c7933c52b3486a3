import { randomUUID } from 'node:crypto';
import { open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createGroupCommit } from '../concurrency/group-commit';
import { shareRuns } from '../concurrency/shared-runs';
import { tolerate, writeDurably } from './durable-fs';
import { SegmentIndex } from './segment-index';
import { segmentLine, stagedLines, type SegmentLine } from './staged-records';

/** How much one segment may hold; what is larger by itself goes alone. */
const MAX_SEGMENT = { entries: 1000, bytes: 1024 * 1024 } as const;

const ENDING = '.jsonl';
const WRITING = `${ENDING}.writing`;
const NAME = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

const NEWLINE = 0x0a;

/** Whether a name in the staging is that of a segment. */
export function isSegment(name: string): boolean {
  return isNamed(name, ENDING);
}

/** Whether it is that of a segment that is being written, or that a killed process has left like that. */
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
 * Segments of the staging, `<uuid>.jsonl`: what is saved at the same time, of whatever batches, shares a file, and so the
 * sync of its content and of its name (group commit). A line for each record, which names its batch.
 *
 * A segment is there as a whole or not at all, as it gets its name after its content is synced, and changes by a rollback
 * alone, which overwrites a line. So what stands in it is remembered; those of other processes are read when they are
 * first seen. It is removed when every batch in it has its file, by whoever closes the last: each looks after its own
 * batch has its file.
 *
 * @param root the staging
 * @param sync makes durable what is in a folder
 * @param isClosed whether there is a batch file of this name, without its ending, that a power cut doesn't take
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
      // Whether or not they succeed: what stays is cleared with its batches.
      await Promise.allSettled([unlink(temporary), unlink(path)]);
      throw error;
    }
    index.add(name, entries);
  }

  /** Gives what is in the staging, and has the index know the segments among it. */
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
    /** The names in the staging now. Until it is called, {@link has} may not know what other processes have put. */
    look: () => look(root),

    /** Resolves when a power cut no longer loses the records. */
    async put(records: readonly SegmentLine[]): Promise<void> {
      const entries = records.map((record) => ({ batch: record.batch, line: segmentLine(record) }));
      const bytes = entries.reduce((sum, { line }) => sum + Buffer.byteLength(line), 0);
      try {
        await commit(entries, bytes);
      } catch {
        // The disk may have had no room for what others have put, and have it for this.
        await write(entries);
      }
    },

    /** Whether the record is in a segment. */
    has(record: SegmentLine): boolean {
      return index.hasLine(record.batch, segmentLine(record));
    },

    /**
     * Takes records out of all segments, durably; nothing there is fine.
     * @returns the names in the staging before
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
     * Forgets batches that have their files, and removes the segments that no other needs. Not synced.
     * @returns the names in the staging before
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
      // What can't be removed now, `sweep` removes.
      await Promise.allSettled([...touched].map(removeIfDone));
      return names;
    },
  };
}

/**
 * Overwrites lines with blanks, durably. In place, since others may be removing theirs from the same file, also in other
 * processes: each writes its own bytes alone.
 */
async function blank(texts: readonly string[], path: string): Promise<void> {
  const content = await tolerate(['ENOENT'], readFile(path));
  if (content === undefined) return;
  const found = texts.flatMap((text) => {
    const line = Buffer.from(text);
    const at = lineIn(content, line);
    return at < 0 ? [] : [{ at, length: line.length }];
  });
  // Also where they are blank already: whoever did that may have failed before the sync.
  const file = await tolerate(['ENOENT'], open(path, 'r+'));
  if (file === undefined) return;
  try {
    for (const { at, length } of found) await file.write(Buffer.alloc(length, ' '), 0, length, at);
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
