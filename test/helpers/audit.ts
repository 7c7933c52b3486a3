import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { conflicts, type ConflictRule } from '../../src/domain/rules';
import type { JsonValue } from '../../src/domain/json';

/** A line of a batch file in the format `json`. */
export interface OutcomeLine {
  recordId: string;
  value: JsonValue;
  outcome: 'saved' | 'rolled_back';
  attempts: number;
  error: string | null;
  at: string;
}

/** Every batch file of a folder, by name; fails on a file that isn't whole lines of JSON (G10). */
export async function readBatchFiles<T = OutcomeLine>(outDir: string): Promise<Map<string, T[]>> {
  const names = (await readdir(outDir)).filter((name) => /^test_log_\d{12}_.+\.log$/.test(name));
  const files = new Map<string, T[]>();
  for (const name of names) {
    files.set(name, parseBatchFile<T>(name, await readFile(path.join(outDir, name), 'utf8')));
  }
  return files;
}

/** The lines of a batch file; fails when they aren't whole lines of JSON (G10). */
export function parseBatchFile<T = OutcomeLine>(name: string, text: string): T[] {
  if (!text.endsWith('\n')) throw new Error(`${name} is torn`);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

/** What is wrong with a folder of batch files, given what was acknowledged: G1, G2 and G4, independent of the pipeline. */
export function audit(
  files: ReadonlyMap<string, readonly OutcomeLine[]>,
  acknowledged: readonly string[],
  { maxBatchSize, rules }: { maxBatchSize: number; rules: readonly ConflictRule[] },
) {
  const seen = new Map<string, number>();
  const known = new Set(acknowledged);
  const overSize: string[] = [];
  const conflicting: string[] = [];
  for (const [name, lines] of files) {
    if (lines.length > maxBatchSize) overSize.push(name);
    for (const [i, { recordId, value }] of lines.entries()) {
      seen.set(recordId, (seen.get(recordId) ?? 0) + 1);
      if (lines.slice(0, i).some((other) => conflicts(other.value, value, rules))) conflicting.push(name);
    }
  }
  return {
    outcomes: seen.size,
    missing: acknowledged.filter((recordId) => !seen.has(recordId)),
    doubled: [...seen].filter(([, times]) => times > 1).map(([recordId]) => recordId),
    unknown: [...seen.keys()].filter((recordId) => !known.has(recordId)),
    overSize,
    conflicting,
  };
}
