/** Bytes that arrive in pieces. */
export interface ByteBuffer {
  /** How many were added, kept or not. */
  readonly size: number;
  add(piece: Uint8Array): void;
  /** All of them; undefined when they are more than the bound, beyond which nothing is kept. Valid until `clear`. */
  content(): Uint8Array | undefined;
  clear(): void;
}

/**
 * Collects bytes up to a bound. Each is copied three times at most on the whole, and memory is at most twice what has come, however small
 * the pieces: a list of pieces takes a hundred times as much where each has one byte, and holds on to what they were
 * cut from.
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
