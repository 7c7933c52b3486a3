import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { KeepapartError } from '../../domain/errors';

/** Where the bytes of an import come from. */
export interface ImportFile {
  name: string;
  /** `undefined` where it isn't known in advance; the bytes can then be had only once. */
  size: number | undefined;
  /** From the first byte on. */
  read: () => AsyncIterable<Uint8Array>;
  /** How far the reading that runs has come, in bytes. */
  position: () => number;
  close: () => Promise<void>;
}

/**
 * A file, or standard input for `-`. A file is read as long as it was when it was opened: what is appended meanwhile
 * belongs to another import. Throws `invalid-config` when it can't be opened.
 */
export async function openImport(name: string, standardInput: Readable): Promise<ImportFile> {
  if (name === '-') return readOnce('standard input', standardInput);
  let handle: FileHandle;
  try {
    handle = await open(name);
  } catch (cause) {
    throw cannotRead(name, cause);
  }
  const stat = await handle.stat();
  if (stat.isDirectory()) {
    await handle.close();
    throw cannotRead(name, 'it is a folder');
  }
  if (!stat.isFile()) return readOnce(name, handle.createReadStream());
  await handle.close();
  const { size } = stat;
  let position = 0;
  return {
    name,
    size,
    read: async function* () {
      position = 0;
      if (size === 0) return;
      for await (const chunk of createReadStream(name, { end: size - 1 })) {
        position += (chunk as Buffer).length;
        yield chunk as Buffer;
      }
    },
    position: () => position,
    close: () => Promise.resolve(),
  };
}

function readOnce(name: string, stream: Readable): ImportFile {
  let position = 0;
  return {
    name,
    size: undefined,
    read: async function* () {
      for await (const chunk of stream) {
        position += (chunk as Buffer).length;
        yield chunk as Buffer;
      }
    },
    position: () => position,
    // Otherwise a pipe that stays open would keep the process.
    close: () => Promise.resolve(void stream.destroy()),
  };
}

function cannotRead(name: string, cause: unknown): KeepapartError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new KeepapartError('invalid-config', `${name} can't be read: ${reason}`, { cause });
}
