import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { DAY } from '../../domain/duration';
import type { Environment } from './executable';
import { CLI_VERSION } from './version';

const UNFINISHED = '.unfinished-';

/** `$XDG_CACHE_HOME/keepapart`, else `~/.cache/keepapart`. A relative XDG_CACHE_HOME is ignored, as XDG requires. */
export function defaultCacheDir(env: Environment, homeDir: string): string {
  const base = env['XDG_CACHE_HOME'] ?? '';
  return join(isAbsolute(base) ? base : join(homeDir, '.cache'), 'keepapart');
}

/** Where the binary of our version is cached. */
export function cachedBinaryPath(cacheDir: string): string {
  return join(cacheDir, 'temporal', CLI_VERSION, 'temporal');
}

/**
 * Fills the cache: `produce` creates a binary in a new folder and returns its path, and one rename moves it into place. A
 * partial binary is never visible, and of several processes that do this at once, the last one wins.
 * @returns the binary's path in the cache
 */
export async function fillCache(
  cacheDir: string,
  produce: (folder: string) => Promise<string>,
): Promise<string> {
  const target = cachedBinaryPath(cacheDir);
  const versions = join(cacheDir, 'temporal');
  await mkdir(dirname(target), { recursive: true });
  await removeAbandoned(versions);
  // In the same file system as the target, because only there a rename is atomic.
  const folder = await mkdtemp(join(versions, UNFINISHED));
  try {
    await rename(await produce(folder), target);
    return target;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A killed download or build leaves its folder behind. None takes a day. */
async function removeAbandoned(versions: string): Promise<void> {
  for (const name of await readdir(versions)) {
    if (!name.startsWith(UNFINISHED)) continue;
    const folder = join(versions, name);
    const info = await stat(folder).catch(() => undefined);
    if (info !== undefined && info.mtimeMs < Date.now() - DAY)
      await rm(folder, { recursive: true, force: true });
  }
}
