import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { askFor, offerOnce, type Offer } from './offer';

/** Where a suite asks for the S3 server of its run; set by global-setup.ts. */
export const TEST_S3 = 'KEEPAPART_TEST_S3';

const VERSION = '1.8.0';
const PACKAGE = `github.com/versity/versitygw/cmd/versitygw@v${VERSION}`;

/** Outside of the repository, so that it is built once for all of its copies. */
const CACHE = path.join(
  process.env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache'),
  'keepapart',
  `versitygw-${VERSION}`,
);
const BINARY = path.join(CACHE, 'versitygw');

/** The program, built once for all suites of a run by the first that asks. */
export function offerS3(): Promise<Offer> {
  return offerOnce(buildS3Binary);
}

/** Path of the program. */
export function s3Binary(): Promise<string> {
  return askFor(TEST_S3);
}

/** Path of the program, which is built where it isn't there. */
export async function buildS3Binary(): Promise<string> {
  if (!existsSync(BINARY)) await build();
  return BINARY;
}

/**
 * VersityGW, an S3 server over a folder, by `go install` from the Go module proxy: two minutes on two cores, once. It was
 * chosen because it keeps what it has when it is killed, checks conditions of writes under a lock, and starts at once.
 * @throws Error when it can't be built: tests with S3 are never skipped
 */
async function build(): Promise<void> {
  mkdirSync(path.dirname(CACHE), { recursive: true });
  const folder = mkdtempSync(`${CACHE}-`);
  process.stderr.write('building the S3 server that tests use; this is done once and takes some minutes\n');
  try {
    await promisify(execFile)('go', ['install', '-ldflags=-s -w', PACKAGE], {
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
    mkdirSync(CACHE, { recursive: true });
    renameSync(path.join(folder, 'versitygw'), BINARY);
  } catch (cause) {
    throw new Error(`These tests need an S3 server, which is built with Go 1.25 or newer: ${String(cause)}`, {
      cause,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
