import path from 'node:path';
import type { NdjsonPiece } from '../../client';
import { KeepapartError } from '../../domain/errors';
import { linesOfCsv, type CsvOptions } from './csv-rows';
import { linesOfJsonList } from './json-list';

/** What a file of records can be. */
export const FORMATS = ['ndjson', 'json', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

const BY_EXTENSION: Readonly<Record<string, Format | undefined>> = {
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.json': 'json',
  '.csv': 'csv',
};

/** What a file holds, told by the name's end; standard input is NDJSON. Throws `invalid-config` when that doesn't tell. */
export function formatOf(file: string): Format {
  const format = file === '-' ? 'ndjson' : BY_EXTENSION[path.extname(file).toLowerCase()];
  if (format !== undefined) return format;
  throw new KeepapartError('invalid-config', `Tell by --format what ${file} is: ${FORMATS.join(', ')}.`);
}

export interface ReadAs extends CsvOptions {
  format: Format;
}

/**
 * A file's bytes as NDJSON. What is NDJSON goes on as it is, so that the API judges every line itself, and counts the
 * lines of the file.
 */
export function toNdjson(
  bytes: AsyncIterable<Uint8Array>,
  { format, ...options }: ReadAs,
): AsyncIterable<NdjsonPiece> {
  if (format === 'csv') return linesOfCsv(bytes, options);
  return format === 'json' ? linesOfJsonList(bytes) : withoutMark(bytes);
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Without the three bytes that some programs put in front of UTF-8, and which are no JSON. */
async function* withoutMark(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let first = true;
  for await (const chunk of bytes) {
    yield first && BYTE_ORDER_MARK.equals(chunk.subarray(0, 3)) ? chunk.subarray(3) : chunk;
    first = false;
  }
}
