import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** Where the programs of Prometheus are. */
export interface PrometheusBinaries {
  prometheus: string;
  promtool: string;
}

/** Outside of the repository, so that it is fetched once for all of its copies. */
const CACHE = path.join(
  process.env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache'),
  'keepapart',
  'prometheus',
);

/**
 * Prometheus as it is on PATH, else as Debian's package has it, fetched once and unpacked into a cache without being
 * installed.
 * @throws Error when there is none: tests with Prometheus are never skipped
 */
export function findPrometheus(): PrometheusBinaries {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter))
    if (holdsBoth(folder)) return binariesIn(folder);
  const cached = path.join(CACHE, 'usr/bin');
  if (!holdsBoth(cached)) fetchPackage();
  if (holdsBoth(cached)) return binariesIn(cached);
  throw new Error(
    'These tests need Prometheus with its promtool, and there is none on PATH. Install it, or have apt-get and dpkg, ' +
      'by which it is fetched.',
  );
}

function binariesIn(folder: string): PrometheusBinaries {
  return { prometheus: path.join(folder, 'prometheus'), promtool: path.join(folder, 'promtool') };
}

function holdsBoth(folder: string): boolean {
  return folder !== '' && Object.values(binariesIn(folder)).every((file) => existsSync(file));
}

function fetchPackage(): void {
  mkdirSync(path.dirname(CACHE), { recursive: true });
  const folder = mkdtempSync(`${CACHE}-`);
  try {
    const run = (command: string, ...args: string[]) =>
      execFileSync(command, args, { cwd: folder, stdio: 'pipe' });
    try {
      run('apt-get', 'download', 'prometheus');
    } catch {
      // A fresh machine has no lists of packages.
      run('apt-get', 'update');
      run('apt-get', 'download', 'prometheus');
    }
    const [file = ''] = readdirSync(folder).filter((name) => name.endsWith('.deb'));
    run('dpkg', '-x', file, 'unpacked');
    // Whoever else has fetched it meanwhile has the same.
    if (!existsSync(CACHE)) renameSync(path.join(folder, 'unpacked'), CACHE);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
