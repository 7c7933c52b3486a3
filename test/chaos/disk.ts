import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { MIB } from '../../src/domain/duration';

const SIZE_MIB = 64;

/** The file system of the store, which can be made full. */
export interface Disk {
  path: string;
  /** How it is made full; `none` where it can't be. */
  kind: 'tmpfs' | 'none';
  fill(): void;
  free(): void;
  remove(): void;
}

/** A small file system in memory where this process may mount one; else a folder that can't be made full. */
export function prepareDisk(folder: string): Disk {
  mkdirSync(folder);
  const filler = path.join(folder, 'filler');
  const free = (): void => rmSync(filler, { force: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return { path: folder, kind: 'none', fill: () => undefined, free, remove: () => undefined };
  }
  return {
    path: folder,
    kind: 'tmpfs',
    free,
    fill() {
      for (let size = SIZE_MIB * MIB; size >= 1; size = Math.floor(size / 2)) {
        try {
          writeFileSync(filler, Buffer.alloc(size), { flag: 'a' });
        } catch {
          // Full: what is left is filled with less.
        }
      }
    },
    remove: () => void execFileSync('umount', ['-l', folder], { stdio: 'ignore' }),
  };
}
