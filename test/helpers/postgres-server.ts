import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { choosePorts } from '../../src/temporal/embedded/ports';
import { findPostgres } from './postgres-binaries';
import { waitFor } from './wait-for';

/** A database in a real Postgres. */
export interface PostgresDatabase {
  /** `postgres://…`, of a superuser. */
  url: string;
  /** Runs SQL on a connection of its own and gives the rows. */
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Removes everything. */
  remove(): Promise<void>;
}

/** A real Postgres of a test's own, durable as one in production, for tests that stop it. */
export interface PostgresServer extends PostgresDatabase {
  /** `kill -9` of the server, all its connections with it. */
  kill(): Promise<void>;
  /** A clean stop that waits for nobody (`pg_ctl stop -m fast`). */
  stop(): Promise<void>;
  /** Again, on the same port and data; as a standby, which only reads, until `pg_promote()`. */
  start(options?: { asStandby?: boolean }): Promise<void>;
  /** What it has logged. */
  log(): string;
}

/**
 * Stops Postgres when its stdin ends, and so also when we are killed; it ends when Postgres does.
 * The job in the background has no stdin of its own, hence the other number.
 */
const GUARDED = 'exec 3<&0; "$@" & pid=$!; (read -r _ <&3; kill -INT $pid) 2>/dev/null & wait $pid';

/** Starts one on a free port, with an empty database; takes about two seconds. */
export async function startPostgres(): Promise<PostgresServer> {
  const root = mkdtempSync(path.join(tmpdir(), 'keepapart-postgres-'));
  // `mkdtemp` makes it for us alone, and Postgres may have to run as somebody else.
  chmodSync(root, 0o755);
  const removeRoot = () => rmSync(root, { recursive: true, force: true });
  try {
    const { folder, user } = findPostgres(root);
    const data = path.join(root, 'data');
    mkdirSync(data, { mode: 0o700 });
    if (user) chownSync(data, user.uid, user.gid);
    const asUser = { cwd: data, env: { PATH: process.env['PATH'], LC_ALL: 'C' }, ...user };
    execFileSync(
      path.join(folder, 'initdb'),
      ['-D', data, '-U', 'keepapart', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
      { ...asUser, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const [port] = await choosePorts([{ port: 0, setting: 'POSTGRES_URL' }]);
    const url = `postgres://keepapart:not-asked-for@127.0.0.1:${port}/postgres`;
    const options = [
      ...['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories='],
      ...['synchronous_commit=on', 'shared_buffers=32MB', 'max_connections=100'],
    ].flatMap((option) => ['-c', option]);
    let guard: ChildProcess | undefined;
    let log = '';

    const server: PostgresServer = {
      url,
      log: () => log,
      async start({ asStandby = false } = {}) {
        if (asStandby) {
          const signal = path.join(data, 'standby.signal');
          writeFileSync(signal, '');
          if (user) chownSync(signal, user.uid, user.gid);
        }
        const child = spawn(
          'sh',
          ['-c', GUARDED, 'sh', path.join(folder, 'postgres'), '-D', data, ...options],
          {
            ...asUser,
            stdio: ['pipe', 'ignore', 'pipe'],
          },
        );
        guard = child;
        child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
        child.stdin.on('error', () => undefined);
        // The one who waits for our end of the pipe goes with it.
        child.once('exit', () => child.stdin.end());
        await waitFor('Postgres to answer', async () => {
          if (child.exitCode !== null) throw new Error(`it ended: ${log}`);
          return (await server.query('SELECT 1')).length === 1;
        });
      },
      async stop() {
        await ended(guard, () => guard?.stdin?.end());
      },
      async kill() {
        await ended(guard, () => process.kill(pidOf(data), 'SIGKILL'));
      },
      async remove() {
        // Everything goes, so nothing has to be put in order first.
        await ended(guard, () => process.kill(pidOf(data), 'SIGQUIT'));
        removeRoot();
      },
      query: (sql, values) => queryAt(url, sql, values),
    };
    await server.start();
    return server;
  } catch (error) {
    removeRoot();
    throw error;
  }
}

/** Runs SQL on a connection of its own. */
export async function queryAt<Row extends object>(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

async function ended(guard: ChildProcess | undefined, end: () => void): Promise<void> {
  if (guard === undefined || guard.exitCode !== null || guard.signalCode !== null) return;
  const exit = once(guard, 'exit');
  end();
  await exit;
}

function pidOf(data: string): number {
  const file = path.join(data, 'postmaster.pid');
  if (!existsSync(file)) throw new Error('Postgres does not run');
  return Number(readFileSync(file, 'utf8').split('\n')[0]);
}
