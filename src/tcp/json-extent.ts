import { createByteBuffer } from '../edge/byte-buffer';
import { createJsonGrammar } from './json-grammar';

/** Collects one JSON list or object whose bytes arrive in any number of pieces; only its brackets determine its end. */
export interface JsonExtent {
  /** Takes bytes from index `from` on, from the first bracket to the last one; returns the index after the last byte. */
  take(bytes: Uint8Array, from: number): number;
  /** Whether the bracket that closes the first one has arrived. */
  isClosed(): boolean;
  /** Whether no further bytes can make it valid JSON. */
  isHopeless(): boolean;
  /** All bytes taken; undefined if there are more than the bound, in which case none are kept. */
  content(): Uint8Array | undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const OPENING = new Set(Buffer.from('[{'));
const CLOSING = new Set(Buffer.from(']}'));

/**
 * Only brackets and strings determine the end. Even an invalid or too large text is followed to its end, so that a list
 * inside it is never mistaken for a message. Each byte is looked at once, and memory stays below twice the bytes received,
 * however they were split. Working on bytes is correct for UTF-8, where no part of a longer character looks like ASCII.
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
