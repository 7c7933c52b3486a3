import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

/** A program of Go that tests or checks need. */
export interface GoProgram {
  /** Its package, without the version: the last part of its path names the program. */
  package: string;
  version: string;
  /** What it is, for people: "the S3 server". */
  what: string;
}

/**
 * Path of a program that is built by `go install` from the Go module proxy, once for all copies of this repository.
 * @throws Error if it can't be built: what needs it is never skipped
 */
export async function goBinary({ package: pkg, version, what }: GoProgram): Promise<string> {
  const name = path.basename(pkg);
  const caches = process.env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache');
  const cache = path.join(caches, 'keepapart', `${name}-${version}`);
  const binary = path.join(cache, name);
  if (existsSync(binary)) return binary;
  mkdirSync(path.dirname(cache), { recursive: true });
  const folder = mkdtempSync(`${cache}-`);
  process.stderr.write(`building ${what} that tests use; this is done once and takes some minutes\n`);
  try {
    await promisify(execFile)('go', ['install', '-ldflags=-s -w', `${pkg}@v${version}`], {
      env: {
        ...process.env,
        ...{
          GOBIN: folder,
          GOTMPDIR: folder,
          CGO_ENABLED: '0',
          GO111MODULE: 'on',
          GOFLAGS: '-buildvcs=false',
        },
      },
      maxBuffer: 64 * 1024 * 1024,
    });
    mkdirSync(cache, { recursive: true });
    renameSync(path.join(folder, name), binary);
    return binary;
  } catch (cause) {
    throw new Error(`${what} is needed, and is built with a current version of Go: ${String(cause)}`, {
      cause,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
