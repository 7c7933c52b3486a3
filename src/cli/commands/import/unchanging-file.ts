import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { KIB, MIB } from '../../../domain/duration';
import { KeepapartError } from '../../../domain/errors';

/** A digest of 32 bytes is kept for each block: 32 MiB for a file of a tebibyte. */
const BLOCK_BYTES = 1 * MIB;

/** What is given at once: whoever sends it reports how far it is after each. */
const PIECE_BYTES = 64 * KIB;

const [LF, CR] = [0x0a, 0x0d];

/**
 * Readings of one open file that all give the same bytes, or fail. `note` keeps a digest of each block; `read` compares a
 * block before it gives it. `stat` is of the moment at which the file was opened.
 */
export function readUnchanging(handle: FileHandle, stat: Stats) {
  const { size } = stat;
  let noted: Buffer[] | undefined;
  let latest = { position: 0 };

  async function* blocks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < size;) {
      const block = await blockAt(handle, at, Math.min(BLOCK_BYTES, size - at));
      at += block.length;
      if (at === size && (await growsInsideItsLastLine(handle, block, size)))
        throw changed('its last line was not whole yet when the import began');
      yield block;
    }
  }

  async function* read(): AsyncGenerator<Buffer> {
    const progress = (latest = { position: 0 });
    let index = 0;
    for await (const block of blocks()) {
      const before = noted?.[index++];
      if (before && !before.equals(digestOf(block))) throw changed('what it held is no longer there');
      for (let from = 0; from < block.length; from += PIECE_BYTES) {
        const piece = block.subarray(from, from + PIECE_BYTES);
        progress.position += piece.length;
        yield piece;
      }
    }
  }

  return {
    read,
    position: () => latest.position,
    async *note(): AsyncGenerator<Buffer> {
      const digests: Buffer[] = [];
      for await (const block of blocks()) {
        digests.push(digestOf(block));
        yield block;
      }
      noted = digests;
      // Half of what was read may be older than the rest. If somebody only appends to it, it is the same once more.
      if (isTouched(stat, await handle.stat())) await readAll(read());
    },
  };
}

async function readAll(blocks: AsyncIterator<Buffer>): Promise<void> {
  while ((await blocks.next()).done !== true);
}

async function blockAt(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const block = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(block, filled, length - filled, at + filled);
    if (bytesRead === 0) throw changed('it has become shorter');
    filled += bytesRead;
  }
  return block;
}

/** Whether something was appended directly behind the last byte, which ends no line. */
async function growsInsideItsLastLine(handle: FileHandle, lastBlock: Buffer, size: number): Promise<boolean> {
  if (isLineEnd(lastBlock.at(-1))) return false;
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(1), 0, 1, size);
  return bytesRead > 0 && !isLineEnd(buffer[0]);
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === LF || byte === CR;
}

function isTouched(before: Stats, now: Stats): boolean {
  return before.mtimeMs !== now.mtimeMs || before.ctimeMs !== now.ctimeMs || before.size !== now.size;
}

function digestOf(block: Buffer): Buffer {
  return createHash('sha256').update(block).digest();
}

function changed(how: string): KeepapartError {
  return new KeepapartError('import-changed', `the file has changed while it was imported: ${how}`);
}
