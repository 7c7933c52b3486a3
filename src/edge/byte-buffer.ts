/** Bytes that arrive in pieces. */
export interface ByteBuffer {
  /** Number of bytes added, kept or not. */
  readonly size: number;
  add(piece: Uint8Array): void;
  /** All bytes, valid until `clear`; undefined if there are more than the bound, in which case none are kept. */
  content(): Uint8Array | undefined;
  clear(): void;
}

/**
 * Collects bytes up to a bound. Each byte is copied at most three times in total, and memory stays below twice the bytes
 * added, however small the pieces: a list of one-byte pieces would take a hundred times as much, and keep alive the
 * buffers that they were cut from.
 */
export function createByteBuffer(maxBytes: number): ByteBuffer {
  let size = 0;
  let kept = new Uint8Array();

  return {
    get size() {
      return size;
    },
    add(piece) {
      const end = size + piece.length;
      if (end > maxBytes) kept = new Uint8Array();
      else {
        if (end > kept.length) {
          const larger = new Uint8Array(Math.max(end, Math.min(2 * kept.length, maxBytes)));
          larger.set(kept.subarray(0, size));
          kept = larger;
        }
        kept.set(piece, size);
      }
      size = end;
    },
    content: () => (size > maxBytes ? undefined : kept.subarray(0, size)),
    clear() {
      size = 0;
    },
  };
}
