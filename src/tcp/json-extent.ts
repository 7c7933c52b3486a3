import { createByteBuffer } from '../edge/byte-buffer';
import { createJsonGrammar } from './json-grammar';

/** Collects one JSON list or object whose bytes arrive in any number of pieces, by its brackets alone. */
export interface JsonExtent {
  /** Takes bytes from index `from` on, the first bracket first and the last one last; returns the index after those. */
  take(bytes: Uint8Array, from: number): number;
  /** Whether the bracket that closes the first one has come. */
  isClosed(): boolean;
  /** Whether nothing that may come makes it JSON any more. */
  isHopeless(): boolean;
  /** All that was taken; `undefined` when it was more than the bound, beyond which nothing is kept. */
  content(): Uint8Array | undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const OPENING = new Set(Buffer.from('[{'));
const CLOSING = new Set(Buffer.from(']}'));

/**
 * Where it ends is told by nothing but brackets and strings. What is not valid, or too large, is followed to its end all
 * the same, so that no list inside of it is ever taken for one that was sent.
 * Each byte is looked at once, and memory is at most twice what has come, whatever the pieces.
 * Working on bytes is right for UTF-8, in which no part of a longer character looks like one of ASCII.
 */
export function createJsonExtent({ maxBytes, maxDepth }: { maxBytes: number; maxDepth: number }): JsonExtent {
  const grammar = createJsonGrammar(maxDepth);
  let hopeless = false;
  let depth = 0;
  let inString = false;
  let escaped = false;
  const taken = createByteBuffer(maxBytes);

  function see(byte: number): void {
    hopeless ||= !grammar.take(byte);
    if (inString) {
      if (escaped) escaped = false;
      else if (byte === BACKSLASH) escaped = true;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (OPENING.has(byte)) depth++;
    else if (CLOSING.has(byte)) depth--;
  }

  return {
    take(bytes, from) {
      let at = from;
      do see(bytes[at++] ?? SPACE);
      while (depth > 0 && at < bytes.length);
      taken.add(bytes.subarray(from, at));
      return at;
    },
    isClosed: () => depth === 0,
    isHopeless: () => hopeless,
    content: () => taken.content(),
  };
}
