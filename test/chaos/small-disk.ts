import { execFileSync } from 'node:child_process';
import { closeSync, cpSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { MIB } from '../../src/domain/duration';

/** Said by scripts/chaos.mjs, which has moved us into a mount namespace of our own: what we mount there ends with us. */
const OWN_MOUNTS = 'KEEPAPART_TEST_OWN_MOUNTS';

/** A folder whose disk can be filled. */
export interface SmallDisk {
  /** How it is done, for people. */
  readonly how: string;
  /** @param pids of the processes for which there is to be no room */
  fill(pids: readonly number[]): void;
  free(pids: readonly number[]): void;
  /** Gives the folder back to the disk below, with everything in it. */
  remove(): void;
}

/** Makes the folder. A real disk is never filled: where nothing can be mounted, processes get a limit instead. */
export function createSmallDisk(folder: string, megabytes: number): SmallDisk {
  mkdirSync(folder, { recursive: true });
  return process.env[OWN_MOUNTS] === '1' ? mountedDisk(folder, megabytes) : limitedProcesses();
}

/** A file system in memory, filled by a file. */
function mountedDisk(folder: string, megabytes: number): SmallDisk {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
  const ballast = path.join(folder, 'ballast');
  return {
    how: `tmpfs of ${megabytes} MiB, filled with ENOSPC`,
    fill() {
      const file = openSync(ballast, 'w');
      try {
        for (const chunk of [Buffer.alloc(1 * MIB), Buffer.alloc(4096)]) writeUntilFull(file, chunk);
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(ballast, { force: true }),
    remove() {
      rmSync(ballast, { force: true });
      const aside = `${folder}.aside`;
      cpSync(folder, aside, { recursive: true });
      execFileSync('umount', ['-l', folder]);
      cpSync(aside, folder, { recursive: true });
      rmSync(aside, { recursive: true, force: true });
    },
  };
}

function writeUntilFull(file: number, chunk: Buffer): void {
  for (;;) {
    try {
      if (writeSync(file, chunk) < chunk.length) return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
      throw error;
    }
  }
}

/** Without the right to mount: no file of these processes may grow (`prlimit`, EFBIG), wherever it lies. */
function limitedProcesses(): SmallDisk {
  const limit = (pids: readonly number[], bytes: string) => {
    for (const pid of pids) {
      try {
        execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`], { stdio: 'ignore' });
      } catch {
        // It has ended meanwhile, or this system has no prlimit: the fault has no effect then.
      }
    }
  };
  return {
    how: 'file size limit of the workers (prlimit, EFBIG), as nothing could be mounted',
    fill: (pids) => limit(pids, '0'),
    free: (pids) => limit(pids, 'unlimited'),
    remove: () => undefined,
  };
}
