import { readFileSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expectedOutcome, type BenchOutcome, type Work } from './work/work';

/**
 * Reads batch files and judges them. While a contender works this only counts file names, and less often the more there
 * are: reading 200,000 files, or listing them ten times a second, would take a core from what is measured. The files are
 * read when no more appear. A record needs 11 bytes here, a file its name.
 */
export interface Outcomes {
  /**
   * Waits until all awaited records have an outcome.
   * @returns whether they had one within the time
   */
  untilAll(timeoutMs: number): Promise<boolean>;
  /** Reads the files that are new. @returns how many of the awaited records have an outcome */
  readAll(): Promise<number>;
  /** When a record's file got its name, in milliseconds since the epoch; NaN without one. */
  endedAtMs(id: number): number;
  /** What is wrong with the files, each kind once with a count; empty when all is well. */
  problems(): string[];
  /** Names of the files so far. */
  names: ReadonlySet<string>;
}

/** Ids of the records that are awaited, the last one not included. */
export interface IdRange {
  from: number;
  to: number;
}

const LOOK_EVERY_MS = 250;
/** Added to that pause for each file: listing a name takes 1 to 2 µs of CPU, so looking takes 1 to 2 % of a core. */
const PAUSE_PER_FILE_MS = 0.1;
/** Files that are read before other callbacks get a turn. */
const READ_AT_ONCE = 500;

const SAVED = 1;
const ROLLED_BACK = 2;

/** Watches the files for these records; others are counted in the problems of files alone. Files in `ignored` are not read. */
export function watchOutcomes(
  work: Work,
  { from, to }: IdRange,
  ignored: ReadonlySet<string> = new Set(),
): Outcomes {
  const records = to - from;
  const leastFiles = Math.ceil(records / work.maxBatchSize);
  const names = new Set(ignored);
  let unread: string[] = [];
  const outcomeOf = new Uint8Array(records);
  const attemptsOf = new Uint8Array(records);
  const linesOf = new Uint8Array(records);
  const endedAtMs = new Float64Array(records).fill(NaN);
  let found = 0;
  const broken = { size: 0, apart: 0, torn: 0 };

  /** @returns how many names are new */
  async function list(): Promise<number> {
    const added = (await readdir(work.outDir)).filter((name) => name.endsWith('.log') && !names.has(name));
    for (const name of added) names.add(name);
    unread = unread.concat(added);
    return added.length;
  }

  function read(name: string): void {
    const full = path.join(work.outDir, name);
    // Not `mtime`, the time of writing: the file counts from when it got its name.
    const [text, { ctimeMs }] = [readFileSync(full, 'utf8'), statSync(full)];
    const lines = linesIn(text);
    if (lines === undefined) {
      broken.torn++;
      return;
    }
    if (lines.length > work.maxBatchSize) broken.size++;
    if (work.apart.every((v) => lines.some(({ value }) => value.v === v))) broken.apart++;
    for (const { value, outcome, attempts } of lines) {
      const i = value.id - from;
      if (i < 0 || i >= records) continue;
      const before = linesOf[i] ?? 0;
      linesOf[i] = Math.min(before + 1, 255);
      endedAtMs[i] = ctimeMs;
      if (before > 0) continue;
      found++;
      outcomeOf[i] = outcome === 'saved' ? SAVED : ROLLED_BACK;
      attemptsOf[i] = Math.min(attempts, 255);
    }
  }

  async function readUnread(): Promise<number> {
    const reading = unread;
    unread = [];
    for (const [i, name] of reading.entries()) {
      if (i % READ_AT_ONCE === READ_AT_ONCE - 1) await sleep(0);
      read(name);
    }
    return found;
  }

  return {
    names,
    async untilAll(timeoutMs) {
      const deadline = Date.now() + timeoutMs;
      while (Date.now() < deadline) {
        const added = await list();
        const mayBeAll = names.size - ignored.size >= leastFiles;
        if (added === 0 && mayBeAll && (await readUnread()) === records) return true;
        await sleep(LOOK_EVERY_MS + PAUSE_PER_FILE_MS * names.size);
      }
      return false;
    },
    async readAll() {
      await list();
      return readUnread();
    },
    endedAtMs: (id) => endedAtMs[id - from] ?? NaN,
    problems() {
      const counts = {
        'without an outcome': 0,
        'with several outcomes': 0,
        'that ended otherwise than they had to': 0,
        'with a wrong count of attempts': 0,
      };
      for (let i = 0; i < records; i++) {
        const lines = linesOf[i] ?? 0;
        if (lines === 0) counts['without an outcome']++;
        if (lines > 1) counts['with several outcomes']++;
        if (lines === 0) continue;
        const expected = expectedOutcome(from + i, work);
        if ((outcomeOf[i] === SAVED) !== (expected.outcome === 'saved'))
          counts['that ended otherwise than they had to']++;
        else if (attemptsOf[i] !== expected.attempts) counts['with a wrong count of attempts']++;
      }
      const files = {
        'files too large': broken.size,
        'files with what is to be kept apart': broken.apart,
        'torn files': broken.torn,
      };
      return [
        ...Object.entries(counts).map(([what, count]) => ({ text: `${count} records ${what}`, count })),
        ...Object.entries(files).map(([what, count]) => ({ text: `${count} ${what}`, count })),
      ].flatMap(({ text, count }) => (count > 0 ? [text] : []));
    },
  };
}

/** @returns undefined for a file that was cut off or isn't JSON */
function linesIn(text: string): BenchOutcome[] | undefined {
  if (!text.endsWith('\n')) return undefined;
  try {
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as BenchOutcome);
  } catch {
    return undefined;
  }
}
