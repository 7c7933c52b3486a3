import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { KeepapartError } from '../../../domain/errors';
import { historyFromText } from '../../../temporal/replay/history-json';
import { recordedRun, type RecordedRun } from '../../../temporal/replay/recorded-history';

/**
 * The files that paths name: a file itself, and every `*.json` under a folder, sorted.
 * @throws KeepapartError `history-unreadable` for a path that isn't there, `nothing-to-replay` for a folder without any
 */
export async function findHistoryFiles(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map(filesAt));
  return [...new Set(found.flat())];
}

/** @throws KeepapartError `history-unreadable`, naming the file and the reason */
export async function readHistoryFile(file: string): Promise<RecordedRun> {
  try {
    return recordedRun(historyFromText(await readFile(file, 'utf8')));
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

async function filesAt(named: string): Promise<string[]> {
  let names: string[];
  try {
    if (!(await stat(named)).isDirectory()) return [named];
    names = await readdir(named, { recursive: true });
  } catch (cause) {
    throw unreadable(named, cause);
  }
  const files = names.filter((name) => name.endsWith('.json')).sort();
  if (files.length > 0) return files.map((name) => path.join(named, name));
  throw new KeepapartError('nothing-to-replay', `There is no history (*.json) in ${named}.`);
}

function unreadable(file: string, cause: unknown): KeepapartError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new KeepapartError('history-unreadable', `${file} is not a history that can be read: ${reason}`, {
    cause,
  });
}
