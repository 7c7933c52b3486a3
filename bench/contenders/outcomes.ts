import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { expectedOutcome, type BenchOutcome, type Work } from './work/work';

/** What the batch files say, read as they appear. */
export interface Outcomes {
  /** Reads what is new. @returns how many of the awaited records have an outcome */
  look(): Promise<number>;
  /** When a record's file came into its place, in milliseconds of the epoch. */
  endedAtMs(id: number): number | undefined;
  /** What is wrong with the files, each kind once with a count; nothing when all is well. */
  problems(): string[];
}

interface Line extends BenchOutcome {
  file: string;
}

/** Watches the files for records with ids from 0 to `records`; others are only counted as files. */
export function watchOutcomes(work: Work, records: number): Outcomes {
  const seen = new Set<string>();
  const lines = new Map<number, Line[]>();
  const ended = new Map<number, number>();
  const broken = { size: 0, apart: 0, torn: 0 };

  async function read(name: string): Promise<void> {
    const full = path.join(work.outDir, name);
    // Not `mtime`, which is that of the writing: the file counts from when it got its name.
    const [text, { ctimeMs }] = [await readFile(full, 'utf8'), await stat(full)];
    let all: BenchOutcome[];
    try {
      if (!text.endsWith('\n')) throw new SyntaxError('no line end');
      all = text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as BenchOutcome);
    } catch {
      broken.torn++;
      return;
    }
    if (all.length > work.maxBatchSize) broken.size++;
    if (work.apart.every((v) => all.some(({ value }) => value.v === v))) broken.apart++;
    for (const line of all) {
      const { id } = line.value;
      lines.set(id, [...(lines.get(id) ?? []), { ...line, file: name }]);
      ended.set(id, ctimeMs);
    }
  }

  return {
    async look() {
      const names = (await readdir(work.outDir)).filter((name) => name.endsWith('.log') && !seen.has(name));
      for (const name of names) seen.add(name);
      await Promise.all(names.map(read));
      let count = 0;
      for (const id of lines.keys()) if (id < records) count++;
      return count;
    },
    endedAtMs: (id) => ended.get(id),
    problems() {
      const counts = {
        'without an outcome': 0,
        'with several outcomes': 0,
        'that ended otherwise than they had to': 0,
        'with a wrong count of attempts': 0,
      };
      for (let id = 0; id < records; id++) {
        const [line, ...more] = lines.get(id) ?? [];
        if (line === undefined) counts['without an outcome']++;
        if (more.length > 0) counts['with several outcomes']++;
        const expected = expectedOutcome(id, work);
        if (line !== undefined && line.outcome !== expected.outcome)
          counts['that ended otherwise than they had to']++;
        else if (line !== undefined && line.attempts !== expected.attempts)
          counts['with a wrong count of attempts']++;
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
