import { open, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { KeepapartError } from '../../../domain/errors';
import { readUnchanging } from './unchanging-file';

/** Where the bytes of an import come from. */
export interface ImportFile {
  name: string;
  /** `undefined` where it isn't known in advance; the bytes can then be read only once. */
  size: number | undefined;
  /**
   * Reads all of it and remembers what was read: from then on `read` throws `import-changed` rather than give anything
   * else. `undefined` where the bytes can be read only once.
   */
  note: (() => AsyncIterable<Uint8Array>) | undefined;
  /** From the first byte on. */
  read: () => AsyncIterable<Uint8Array>;
  /** How far the last reading that began has come, in bytes. */
  position: () => number;
  close: () => Promise<void>;
}

/**
 * A file, or standard input for `-`. The file stays open until `close`, so that another file that takes its name is never
 * read instead. It is read as long as it was when it was opened: what is appended meanwhile belongs to another import.
 * Throws `invalid-config` when it can't be opened.
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
  const file = readUnchanging(handle, stat);
  return { name, size: stat.size, ...file, close: () => handle.close() };
}

function readOnce(name: string, stream: Readable): ImportFile {
  let position = 0;
  return {
    name,
    size: undefined,
    note: undefined,
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
