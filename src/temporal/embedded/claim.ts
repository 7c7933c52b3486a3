import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KeepapartError } from '../../domain/errors';
import { SERVER_FILE } from './data-folder';
import { endProcess, identify, isAlive, type ProcessIdentity } from './process-identity';

/** Content of the claim file: who uses the database. */
interface ClaimRecord {
  /** The keepapart process. */
  owner: ProcessIdentity;
  /** Its Temporal server; absent until it has started. */
  server?: ProcessIdentity;
}

/** The right to run a server on the database of one folder. */
export interface Claim {
  /** Records the server, so that a later start can end it if all our processes are killed. */
  noteServer: (pid: number) => Promise<void>;
  /** Never rejects. */
  release: () => Promise<void>;
}

/**
 * Claims the database of a folder for this process. Two servers on one SQLite file would keep taking each other's shards,
 * and SQLite doesn't prevent it. A server whose owner is dead is ended first: the watchdog is about to end it, or was
 * killed too.
 * @throws KeepapartError `temporal-start-failed` (not retried) if another running keepapart has the claim
 */
export async function claimDatabase(dataDir: string): Promise<Claim> {
  const path = join(dataDir, SERVER_FILE.claim);
  const owner = await identify(process.pid);
  if (owner === undefined) return { noteServer: async () => {}, release: async () => {} };

  for (;;) {
    try {
      await writeFile(path, JSON.stringify({ owner } satisfies ClaimRecord), { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      await endFormerUse(path);
    }
  }
  return {
    noteServer: async (pid) => {
      const server = await identify(pid);
      if (server === undefined) return;
      await writeFile(`${path}.new`, JSON.stringify({ owner, server } satisfies ClaimRecord));
      await rename(`${path}.new`, path);
    },
    // A leftover claim is recognised as stale at the next start.
    release: async () => await rm(path, { force: true }).catch(() => {}),
  };
}

async function endFormerUse(path: string): Promise<void> {
  const former = parseClaim(await readFile(path, 'utf8').catch(() => ''));
  if (former !== undefined && (await isAlive(former.owner))) {
    throw new KeepapartError(
      'temporal-start-failed',
      `Another keepapart (process ${former.owner.pid}) runs a Temporal server on this database, according to ${path}. ` +
        'Stop it first, or set KEEPAPART_DATA_DIR to another folder for this one.',
    );
  }
  if (former?.server !== undefined) await endProcess(former.server);
  await rm(path, { force: true });
}

/** Undefined if a crash or an editor left the file incomplete. */
function parseClaim(text: string): ClaimRecord | undefined {
  try {
    const claim = JSON.parse(text) as Partial<ClaimRecord> | null;
    return claim?.owner === undefined ? undefined : { ...claim, owner: claim.owner };
  } catch {
    return undefined;
  }
}
