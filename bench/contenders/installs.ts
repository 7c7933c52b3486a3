import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { defaultCacheDir } from '../../src/temporal/embedded/cache';

const run = promisify(execFile);

/** Stands in a folder that is filled to the end. */
const COMPLETE = '.complete';

/** A contender can't be run here; the message says what is missing and how to get it. */
export class NotHere extends Error {}

/**
 * Installs a contender's packages as its lock file has them, once, into the cache. Never into the repository: nothing of
 * this is a dependency of keepapart's. No install script runs, so nobody's telemetry and no compiler.
 * @returns the `node_modules` folder
 */
export async function npmInstalled(folder: string): Promise<string> {
  const lock = await readFile(path.join(folder, 'package-lock.json'));
  const installed = await cached(`npm-${path.basename(folder)}-${digest(lock)}`, async (target) => {
    for (const name of ['package.json', 'package-lock.json'])
      await cp(path.join(folder, name), path.join(target, name));
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: target });
  });
  return path.join(installed, 'node_modules');
}

/** A virtual environment with what `requirements.txt` names. @returns its `bin` folder */
export async function pipInstalled(folder: string): Promise<string> {
  const requirements = path.join(folder, 'requirements.txt');
  const name = `pip-${path.basename(folder)}-${digest(await readFile(requirements))}`;
  const target = await cached(
    name,
    async (environment) => {
      await run('python3', ['-m', 'venv', environment]);
      const python = path.join(environment, 'bin', 'python');
      await run(python, ['-m', 'pip', 'install', '--quiet', '--no-deps', '-r', requirements]);
    },
    // Its programs name the folder that they were made in.
    { inPlace: true },
  );
  return path.join(target, 'bin');
}

/** Which release each major version of Node stands for; results of different machines are then about the same Node. */
export const NODE_RELEASES: Readonly<Record<string, string>> = {
  20: '20.20.2',
  22: '22.23.5',
  24: '24.22.3',
  26: '26.12.1',
};

/**
 * Node of a version, from the npm package that holds its binary for this platform.
 * @param version a major version of {@link NODE_RELEASES}, or an exact one such as 24.22.3
 * @returns the path of `node`
 * @throws NotHere for another version, and on platforms other than linux-x64
 */
export async function nodeInstalled(version: string): Promise<string> {
  const platform = `${process.platform}-${process.arch}`;
  if (platform !== 'linux-x64')
    throw new NotHere(`Node ${version} is installed for linux-x64 only, and this machine is ${platform}`);
  const release = NODE_RELEASES[version] ?? version;
  if (!/^\d+\.\d+\.\d+$/.test(release))
    throw new NotHere(
      `Node ${version} is not known: give ${Object.keys(NODE_RELEASES).join(', ')} or an exact version such as 24.22.3`,
    );
  const name = `node-${platform}`;
  const installed = await cached(`${name}-${release}`, async (target) => {
    const options = ['--prefix', target, '--ignore-scripts', '--no-audit', '--no-fund'];
    await run('npm', ['install', ...options, `${name}@${release}`]);
  });
  return path.join(installed, 'node_modules', name, 'bin', 'node');
}

/** Debian packages, unpacked into the cache without being installed. @returns the folder that stands for `/` */
export async function debUnpacked(packages: readonly string[]): Promise<string> {
  return cached(`deb-${packages.join('-')}`, async (target) => {
    await run('apt-get', ['download', ...packages], { cwd: target });
    for (const name of await readdir(target))
      if (name.endsWith('.deb')) await run('dpkg-deb', ['-x', path.join(target, name), target]);
  });
}

/** Go programs of exact versions. A minute or several of compiling, once. @returns the folder of the programs */
export async function goInstalled(name: string, packages: readonly string[]): Promise<string> {
  return cached(`go-${name}`, async (target) => {
    const env = { ...process.env, GOBIN: target, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false' };
    for (const one of packages) await run('go', ['install', '-ldflags=-s -w', one], { env });
  });
}

async function cached(
  name: string,
  fill: (folder: string) => Promise<void>,
  { inPlace = false } = {},
): Promise<string> {
  const root = path.join(defaultCacheDir(process.env, homedir()), 'bench');
  const target = path.join(root, name);
  if ((await stat(path.join(target, COMPLETE)).catch(() => undefined)) !== undefined) return target;
  const folder = inPlace ? target : `${target}.${process.pid}`;
  process.stderr.write(`installing ${name} into ${root}\n`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  try {
    await fill(folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    const { stderr = '', message } = error as { stderr?: string; message: string };
    throw new NotHere(`${name} could not be installed: ${stderr.trim() === '' ? message : stderr.trim()}`);
  }
  await writeFile(path.join(folder, COMPLETE), '');
  if (!inPlace) await rename(folder, target);
  return target;
}

function digest(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 12);
}
