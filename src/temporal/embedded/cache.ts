import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { DAY } from '../../domain/duration';
import type { Environment } from './executable';
import { CLI_VERSION } from './version';

const UNFINISHED = '.unfinished-';

/** `$XDG_CACHE_HOME/keepapart`, otherwise `~/.cache/keepapart`. A relative XDG_CACHE_HOME is ignored, as XDG asks. */
export function defaultCacheDir(env: Environment, homeDir: string): string {
  const base = env['XDG_CACHE_HOME'] ?? '';
  return join(isAbsolute(base) ? base : join(homeDir, '.cache'), 'keepapart');
}

/** Where the binary of our version is kept. */
export function cachedBinaryPath(cacheDir: string): string {
  return join(cacheDir, 'temporal', CLI_VERSION, 'temporal');
}

/**
 * Fills the cache: `produce` makes a binary inside a folder of its own and returns its path, and one rename puts it into
 * place. Nobody ever sees half a binary, and of several processes that do this at once the last one wins.
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
  // Beside the target, because a rename is atomic only within one file system.
  const folder = await mkdtemp(join(versions, UNFINISHED));
  try {
    await rename(await produce(folder), target);
    return target;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A killed download or build leaves its folder behind; nobody works on one for a day. */
async function removeAbandoned(versions: string): Promise<void> {
  for (const name of await readdir(versions)) {
    if (!name.startsWith(UNFINISHED)) continue;
    const folder = join(versions, name);
    const info = await stat(folder).catch(() => undefined);
    if (info !== undefined && info.mtimeMs < Date.now() - DAY)
      await rm(folder, { recursive: true, force: true });
  }
}
