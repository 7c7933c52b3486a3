import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KeepapartError } from '../../domain/errors';
import { SERVER_FILE } from './data-folder';
import { endProcess, identify, isAlive, type ProcessIdentity } from './process-identity';

/** Content of the claim file: who uses the database. */
interface ClaimRecord {
  /** The keepapart process. */
  owner: ProcessIdentity;
  /** Its Temporal server; absent until that was started. */
  server?: ProcessIdentity;
}

/** The right to run a server on the database of one folder. */
export interface Claim {
  /** Notes the server, so that a later start can end it should all of us be killed. */
  noteServer: (pid: number) => Promise<void>;
  /** Never rejects. */
  release: () => Promise<void>;
}

/**
 * Claims the database of a folder for this process. Two servers on one SQLite file would take its shards from each other
 * for ever, and SQLite doesn't keep them from it. A server whose owner is dead is ended first: the watchdog is about to,
 * or was killed as well.
 * @throws KeepapartError `temporal-start-failed` when another keepapart that is alive has it
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
    // A claim that is left behind is found to be stale at the next start.
    release: async () => await rm(path, { force: true }).catch(() => {}),
  };
}

async function endFormerUse(path: string): Promise<void> {
  const former = parseClaim(await readFile(path, 'utf8').catch(() => ''));
  if (former !== undefined && (await isAlive(former.owner))) {
    throw new KeepapartError(
      'temporal-start-failed',
      `Another keepapart (process ${former.owner.pid}) runs a Temporal server on this database; ${path} says so. ` +
        'Stop it first, or set KEEPAPART_DATA_DIR to another folder for this one.',
    );
  }
  if (former?.server !== undefined) await endProcess(former.server);
  await rm(path, { force: true });
}

/** Undefined for what a crash or an editor left half written: nobody can be found by it. */
function parseClaim(text: string): ClaimRecord | undefined {
  try {
    const claim = JSON.parse(text) as Partial<ClaimRecord> | null;
    return claim?.owner === undefined ? undefined : { ...claim, owner: claim.owner };
  } catch {
    return undefined;
  }
}
