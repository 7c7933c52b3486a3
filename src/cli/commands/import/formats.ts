import path from 'node:path';
import type { NdjsonPiece } from '../../../client';
import { KeepapartError } from '../../../domain/errors';
import { linesOfCsv, type CsvOptions } from './csv-rows';
import { linesOfJsonList } from './json-list';
import { createSourceLines, type SourceLines } from './source-lines';
import { withoutMark } from './utf8';

/** What a file of records can be. */
export const FORMATS = ['ndjson', 'json', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

const BY_EXTENSION: Readonly<Record<string, Format | undefined>> = {
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.json': 'json',
  '.csv': 'csv',
  '.tsv': 'csv',
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
 * lines of the file; of what isn't, `lines` is told where each record stood.
 */
export function toNdjson(
  bytes: AsyncIterable<Uint8Array>,
  { format, ...options }: ReadAs,
  lines: SourceLines = createSourceLines(),
): AsyncIterable<NdjsonPiece> {
  const text = withoutMark(bytes);
  if (format === 'csv') return linesOfCsv(text, options, lines);
  return format === 'json' ? linesOfJsonList(text, lines) : text;
}
