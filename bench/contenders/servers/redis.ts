import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { choosePorts } from '../../../src/temporal/embedded/ports';
import { debUnpacked, NotHere } from '../installs';
import type { Stage } from '../stage';

const run = promisify(execFile);

/** Debian's Redis with the libraries that a bare system lacks. */
const PACKAGES = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1', 'libatomic1'];

export interface RedisBinary {
  path: string;
  libraries: string;
}

/** `redis-server` on PATH, or Debian's, unpacked into the cache. */
export async function findRedis(): Promise<RedisBinary> {
  const onPath = await run('redis-server', ['--version']).catch(() => undefined);
  if (onPath !== undefined) return { path: 'redis-server', libraries: '' };
  try {
    const root = await debUnpacked(PACKAGES);
    const libraries = path.join(
      root,
      'usr/lib',
      `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`,
    );
    return { path: path.join(root, 'usr/bin/redis-server'), libraries };
  } catch (error) {
    throw new NotHere(`no redis-server on PATH, and ${(error as Error).message}`);
  }
}

/**
 * Redis on a free port. `durable`: the append-only file, synced before each answer; otherwise as Redis comes, with a
 * snapshot now and then.
 * @returns its URL
 */
export async function startRedis(
  stage: Stage,
  { path: binary, libraries }: RedisBinary,
  { durable }: { durable: boolean },
): Promise<string> {
  const [port = 0] = await choosePorts([{ port: 0, setting: 'redis' }]);
  const folder = await stage.dataFolder('redis');
  const durability = durable ? ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''] : [];
  await stage.start(
    'server',
    binary,
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, ...durability],
    {
      env: { LD_LIBRARY_PATH: libraries },
      up: /Ready to accept connections/,
    },
  );
  return `redis://127.0.0.1:${port}/0`;
}
