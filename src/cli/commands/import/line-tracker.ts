import type { LineSpan } from './source-lines';

const [LF, CR] = [0x0a, 0x0d];

export interface LineTracker {
  push: (bytes: Uint8Array) => void;
  /**
   * Goes on to a place, by default to the end of what was pushed. Returns the lines, without blank ones before and behind,
   * of what lies between the place before and this one.
   */
  advance: (to?: number) => LineSpan;
  /** The line of the byte at the last place. */
  line: () => number;
}

/**
 * Counts the lines of a text that comes in pieces, up to places that are given in bytes from its start, each behind the
 * one before. A line ends with LF, CR LF, or CR. Keeps what lies behind the last place.
 */
export function createLineTracker(): LineTracker {
  const kept: Uint8Array[] = [];
  /** Of the first byte of `kept`. */
  let start = 0;
  let at = 0;
  let line = 1;
  let afterCr = false;

  function count(byte: number): void {
    if (byte === CR || (byte === LF && !afterCr)) line++;
    afterCr = byte === CR;
  }

  return {
    push(bytes) {
      kept.push(bytes);
    },
    advance(to = Infinity) {
      let first: number | undefined;
      let last = line;
      while (kept[0] && at < to) {
        const piece = kept[0];
        const end = Math.min(piece.length, to - start);
        for (let i = at - start; i < end; i++) {
          const byte = piece[i] ?? 0;
          count(byte);
          if (byte === LF || byte === CR) continue;
          first ??= line;
          last = line;
        }
        at = start + end;
        if (end < piece.length) break;
        start += piece.length;
        kept.shift();
      }
      return first === undefined ? { first: line, last: line } : { first, last };
    },
    line: () => line,
  };
}
