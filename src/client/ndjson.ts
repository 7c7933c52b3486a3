import type { NdjsonPiece } from './ndjson-request';

/** What the current attempt has sent of a stream; the next one starts at 0. It says nothing about what is durable. */
export interface StreamProgress {
  records: number;
  bytes: number;
}

/** Values, or a function that returns the same values each time it is called. */
export type Source<T> = Iterable<T> | AsyncIterable<T> | (() => Iterable<T> | AsyncIterable<T>);

/** Whether a source can be read again after a failure. */
export function isRepeatable(source: Source<unknown>): boolean {
  return typeof source === 'function' || Array.isArray(source);
}

/** Lines are collected up to this many characters, as long as the next one is available at once. */
const PIECE_LENGTH = 64 * 1024;

const [LF, SPACE] = [0x0a, 0x20];

/**
 * A value as JSON, as `JSON.stringify` writes it.
 * @throws TypeError for values without JSON: `undefined`, functions, symbols, big integers, NaN and the infinities
 */
export function recordText(value: unknown, index: number): string {
  const text = typeof value === 'bigint' ? undefined : (JSON.stringify(value) as string | undefined);
  if (text === undefined || (typeof value === 'number' && !Number.isFinite(value)))
    throw new TypeError(`Record ${index} can't be written as JSON: it is ${String(value)}`);
  return text;
}

/** Values as lines. Those of an iterable are collected into larger pieces; those of an async iterable are sent as they come. */
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
    // The records before the failure are sent anyway.
    if (piece !== '') yield piece;
    throw error;
  }
  if (piece !== '') yield piece;
}

/** Counts the bytes and the non-blank lines of an NDJSON text that arrives in pieces. */
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
    // The last line needs no newline.
    return { records: records + (blank ? 0 : 1), bytes };
  };
}
