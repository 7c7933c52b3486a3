import { KeepapartError } from '../../domain/errors';
import { buildFromSource } from './build-from-source';
import { cachedBinaryPath, fillCache } from './cache';
import { download } from './download';
import {
  type BinaryVersion,
  type Environment,
  findOnPath,
  isExecutableFile,
  probeVersion,
} from './executable';
import { BINARY_PHASE, type BinaryProgress, type ReportStep } from './progress';
import * as versions from './version';

export { defaultCacheDir } from './cache';
export type { Environment } from './executable';
export type { BinaryProgress } from './progress';

/** Where a binary came from. */
export const BINARY_SOURCE = { path: 'path', cache: 'cache', download: 'download', build: 'build' } as const;
export type BinarySource = (typeof BINARY_SOURCE)[keyof typeof BINARY_SOURCE];

/** A `temporal` executable that has been run successfully. */
export interface TemporalBinary extends BinaryVersion {
  /** Absolute. */
  path: string;
  source: BinarySource;
}

export interface ResolveOptions {
  /** Folder of this project's caches, see {@link defaultCacheDir}; created if missing. */
  cacheDir: string;
  /** Used for PATH and for child processes. */
  env: Environment;
  /** Server version that created the database, from `databaseServerVersion`; decides between two usable binaries. */
  databaseVersion?: string | undefined;
  onProgress?: (progress: BinaryProgress) => void;
  signal?: AbortSignal;
}

/** The two ways to obtain a missing binary; replaced in tests. */
export interface BinaryMakers {
  download: typeof download;
  build: typeof buildFromSource;
}

/**
 * Finds Temporal's CLI, or obtains it: `temporal` on PATH, our cache, the SDK's download, a build from source. The last two
 * fill the cache, so they happen once. With TEMPORAL_ADDRESS nothing is embedded, and callers don't call this.
 * @throws KeepapartError `temporal-binary-missing` (not retried), with everything that was tried and the ways out; or the
 *   reason of `signal`
 */
export async function resolveTemporalBinary(
  options: ResolveOptions,
  makers: BinaryMakers = { download, build: buildFromSource },
): Promise<TemporalBinary> {
  const { cacheDir, env, onProgress, signal = new AbortController().signal } = options;
  const startedMs = Date.now();
  const report: ReportStep = (phase, message, share) => {
    const elapsedMs = Date.now() - startedMs;
    onProgress?.({ phase, message, elapsedMs, ...(share === undefined ? {} : { share }) });
  };
  const make = { env, signal, report };
  const ways: [source: BinarySource, name: string, find: () => Promise<string>][] = [
    [BINARY_SOURCE.path, 'temporal on PATH', () => onPath(env)],
    [BINARY_SOURCE.cache, `cache (${cachedBinaryPath(cacheDir)})`, () => inCache(cacheDir)],
    [
      BINARY_SOURCE.download,
      'download',
      () => fillCache(cacheDir, (folder) => makers.download(folder, make)),
    ],
    [BINARY_SOURCE.build, 'build with Go', () => fillCache(cacheDir, (folder) => makers.build(folder, make))],
  ];

  const tried: string[] = [];
  for (const [source, name, find] of ways) {
    signal.throwIfAborted();
    try {
      const path = await find();
      const version = await probeVersion(path, env);
      if (source === BINARY_SOURCE.path) refuseUnusable(path, version, options.databaseVersion);
      report(BINARY_PHASE.look, `using ${path}, CLI ${version.version} with server ${version.serverVersion}`);
      return { path, source, ...version };
    } catch (error) {
      signal.throwIfAborted();
      const reason = `${name}: ${error instanceof Error ? error.message : String(error)}`;
      tried.push(reason);
      report(BINARY_PHASE.look, reason);
    }
  }
  throw new KeepapartError('temporal-binary-missing', explain(tried));
}

async function onPath(env: Environment): Promise<string> {
  const path = await findOnPath('temporal', env);
  if (path === undefined) throw new Error('not found');
  return path;
}

async function inCache(cacheDir: string): Promise<string> {
  const path = cachedBinaryPath(cacheDir);
  if (!(await isExecutableFile(path))) throw new Error('empty');
  return path;
}

/** Only a binary that somebody else installed can be unusable: the others are always our own version. */
function refuseUnusable(
  path: string,
  { serverVersion }: BinaryVersion,
  databaseVersion: string | undefined,
): void {
  if (!versions.isAtLeast(serverVersion, versions.OLDEST_SERVER_VERSION)) {
    throw new Error(`${path} has server ${serverVersion}, older than ${versions.OLDEST_SERVER_VERSION}`);
  }
  if (databaseVersion === undefined) return;
  const wanted = versions.minorOf(databaseVersion);
  if (
    wanted === versions.minorOf(versions.CLI_SERVER_VERSION) &&
    wanted !== versions.minorOf(serverVersion)
  ) {
    throw new Error(
      `${path} has server ${serverVersion}, but the database was created by ${databaseVersion}`,
    );
  }
}

function explain(tried: readonly string[]): string {
  return [
    'keepapart needs a Temporal server but found none. Tried:',
    ...tried.map((reason) => `  - ${reason.replaceAll('\n', '\n      ')}`),
    'To fix this, do one of the following:',
    '  - set TEMPORAL_ADDRESS=host:port to use a running Temporal server',
    `  - install Temporal's CLI, \`temporal\`, with server ${versions.OLDEST_SERVER_VERSION} or newer, on PATH`,
    `  - install Go ${versions.OLDEST_GO_VERSION} or newer on PATH, with access to a Go module proxy (GOPROXY)`,
  ].join('\n');
}
