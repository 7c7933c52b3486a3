import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MIB } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import { minorOf } from './version';

const MAX_LOG_BYTES = 10 * MIB;

/** Files of the embedded server in DATA_DIR. */
export const SERVER_FILE = {
  database: 'temporal.db',
  log: 'temporal.log',
  /** Who uses the database, see claim.ts. */
  claim: 'temporal.pid',
  /** The server version that created the database. */
  version: 'temporal.version',
  /** Exists only while the database is being created. */
  unfinished: 'temporal.unfinished',
} as const;

/** The server version that created the database in this folder; undefined if there is none yet. */
export async function databaseServerVersion(dataDir: string): Promise<string | undefined> {
  const text = await readFile(join(dataDir, SERVER_FILE.version), 'utf8').catch(() => '');
  return text.trim() === '' ? undefined : text.trim();
}

/**
 * Creates the folder if it's missing.
 * @throws KeepapartError `folder-not-writable` (not retried)
 */
export async function prepareDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true });
    const probe = join(dataDir, `.writable-${process.pid}`);
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    const detail =
      `Temporal's database is stored in ${dataDir} (DATA_DIR), which can't be written: ` +
      `${(error as Error).message}. Make it writable, or set KEEPAPART_DATA_DIR to another folder.`;
    throw new KeepapartError('folder-not-writable', detail, { cause: error });
  }
}

/**
 * Makes sure that a server of this version may open the database.
 *
 * A server creates its tables one by one, only if there is no file yet, and never migrates them. If a first start was
 * killed, it leaves a file that no server can open. That file is removed here; nothing is lost, because nobody uses the
 * database while the mark exists. A server of another minor version may expect other tables, and Temporal wouldn't notice,
 * so it is refused.
 * @throws KeepapartError `temporal-start-failed` (not retried)
 */
export async function openDatabase(dataDir: string, serverVersion: string): Promise<void> {
  const file = (name: string): string => join(dataDir, name);
  const madeBy = await databaseServerVersion(dataDir);
  if (madeBy !== undefined && minorOf(madeBy) !== minorOf(serverVersion)) {
    throw new KeepapartError(
      'temporal-start-failed',
      `${file(SERVER_FILE.database)} was created by Temporal server ${madeBy}, but this one is ${serverVersion}. Temporal ` +
        `doesn't migrate such databases. Use a ${minorOf(madeBy)} server; or, once every record is saved, move the ` +
        `database away; or delete ${file(SERVER_FILE.version)} to open it anyway.`,
    );
  }
  if (existsSync(file(SERVER_FILE.unfinished))) {
    for (const suffix of ['', '-journal', '-wal', '-shm']) {
      await rm(file(`${SERVER_FILE.database}${suffix}`), { force: true });
    }
  }
  if (!existsSync(file(SERVER_FILE.database))) await writeFile(file(SERVER_FILE.unfinished), '');
}

/** Call this once the server is healthy, before anybody uses it. */
export async function databaseIsReady(dataDir: string, serverVersion: string): Promise<void> {
  const version = await databaseServerVersion(dataDir);
  if (version === undefined) await writeFile(join(dataDir, SERVER_FILE.version), `${serverVersion}\n`);
  await rm(join(dataDir, SERVER_FILE.unfinished), { force: true });
}

/**
 * Moves a large log aside; one older log is kept.
 * @returns the log's path and its size; the next server appends to it
 */
export async function rotateLog(dataDir: string): Promise<{ path: string; size: number }> {
  const path = join(dataDir, SERVER_FILE.log);
  const size = (await stat(path).catch(() => undefined))?.size ?? 0;
  if (size <= MAX_LOG_BYTES) return { path, size };
  await rename(path, `${path}.1`);
  return { path, size: 0 };
}
