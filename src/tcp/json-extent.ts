/** Collects one JSON list or object whose bytes arrive in any number of pieces, by its brackets alone. */
export interface JsonExtent {
  /** Takes bytes from index `from` on, the first bracket first and the last one last; returns the index after those. */
  take(bytes: Uint8Array, from: number): number;
  /** Whether the bracket that closes the first one has come. */
  isClosed(): boolean;
  /** Whether the last byte was the end of a line within a string: JSON has none there, so somebody forgot to close it. */
  isBrokenOff(): boolean;
  /** All that was taken; `undefined` when it was more than the bound, beyond which nothing is kept. */
  content(): Uint8Array | undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const NEWLINE = 0x0a;
const OPENING = new Set(Buffer.from('[{'));
const CLOSING = new Set(Buffer.from(']}'));

/**
 * Looks at nothing but brackets and strings: whether the text is JSON is for a parser to say. What is not valid, or too
 * large, is followed to its end all the same, so that no list inside of it is ever taken for one that was sent.
 * Each byte is looked at once, and memory is at most twice what has come, whatever the pieces.
 * Working on bytes is right for UTF-8, in which no part of a longer character looks like one of ASCII.
 */
export function createJsonExtent(maxBytes: number): JsonExtent {
  let depth = 0;
  let inString = false;
  let escaped = false;
  let last = SPACE;
  let size = 0;
  let kept = new Uint8Array();

  function see(byte: number): void {
    last = byte;
    if (inString) {
      if (escaped) escaped = false;
      else if (byte === BACKSLASH) escaped = true;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (OPENING.has(byte)) depth++;
    else if (CLOSING.has(byte)) depth--;
  }

  function keep(piece: Uint8Array): void {
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
  }

  return {
    take(bytes, from) {
      let at = from;
      do see(bytes[at++] ?? SPACE);
      while (depth > 0 && at < bytes.length);
      keep(bytes.subarray(from, at));
      return at;
    },
    isClosed: () => depth === 0,
    isBrokenOff: () => inString && last === NEWLINE,
    content: () => (size > maxBytes ? undefined : kept.subarray(0, size)),
  };
}
