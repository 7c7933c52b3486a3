import { readFile } from 'node:fs/promises';

/** The lines of a file of JSON lines, such as the ledger; none where there is no such file. */
export async function readLines<T>(file: string): Promise<T[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}
