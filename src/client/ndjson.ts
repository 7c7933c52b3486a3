import type { NdjsonPiece } from './ndjson-request';

/** What was sent of a stream in the try that runs; a try that follows begins at 0. What is durable only the end tells. */
export interface StreamProgress {
  records: number;
  bytes: number;
}

/** Values, or a function that gives the same values each time it is called. */
export type Source<T> = Iterable<T> | AsyncIterable<T> | (() => Iterable<T> | AsyncIterable<T>);

/** Whether a source can be asked for its values again after a break. */
export function isRepeatable(source: Source<unknown>): boolean {
  return typeof source === 'function' || Array.isArray(source);
}

/** Lines are gathered up to this many characters before they are sent, where the next one is there at once. */
const PIECE_LENGTH = 64 * 1024;

const [LF, SPACE] = [0x0a, 0x20];

/**
 * A value as JSON, as `JSON.stringify` writes it. Throws a `TypeError` for what has no JSON of its own: `undefined`,
 * functions, symbols, big integers, NaN and the infinities.
 */
export function recordText(value: unknown, index: number): string {
  const text = typeof value === 'bigint' ? undefined : (JSON.stringify(value) as string | undefined);
  if (text === undefined || (typeof value === 'number' && !Number.isFinite(value)))
    throw new TypeError(`Record ${index} can't be written as JSON: it is ${String(value)}`);
  return text;
}

/** Values as lines. What is there at once is gathered into larger pieces; an asynchronous source's goes out as it comes. */
export async function* linesOf(values: Iterable<unknown> | AsyncIterable<unknown>): AsyncGenerator<string> {
  let index = 0;
  if (Symbol.asyncIterator in values) {
    for await (const value of values) yield `${recordText(value, index++)}\n`;
    return;
  }
  let piece = '';
  try {
    for (const value of values) {
      piece += `${recordText(value, index++)}\n`;
      if (piece.length < PIECE_LENGTH) continue;
      yield piece;
      piece = '';
    }
  } catch (error) {
    // What came before goes out all the same.
    if (piece !== '') yield piece;
    throw error;
  }
  if (piece !== '') yield piece;
}

/** Counts bytes, and lines that are not blank, in an NDJSON text that comes in pieces. */
export function createLineCounter(): (piece: NdjsonPiece) => StreamProgress {
  let records = 0;
  let bytes = 0;
  let blank = true;
  return (piece) => {
    const encoded = typeof piece === 'string' ? Buffer.from(piece) : piece;
    bytes += encoded.length;
    for (const byte of encoded) {
      if (byte === LF) {
        if (!blank) records++;
        blank = true;
      } else if (byte > SPACE) blank = false;
    }
    // A last line needs no end.
    return { records: records + (blank ? 0 : 1), bytes };
  };
}
