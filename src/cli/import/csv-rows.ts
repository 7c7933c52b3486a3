import { finished } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { MIB } from '../../domain/duration';
import { describeReceived } from '../../domain/errors';
import { isExactNumber, isJsonNumber } from '../../edge/exact-number';
import { unreadable } from './unreadable';

export interface CsvOptions {
  /** The column whose cells become the records; without it each row becomes an object. */
  column: string | undefined;
  /** Whether cells that are numbers in JSON become numbers; otherwise every cell is a text. */
  numbers: boolean;
}

/** Most characters in one row. A quote that is never closed would otherwise read the rest of the file into memory. */
const MAX_ROW_LENGTH = 32 * MIB;

type Row = readonly string[];
/** A row and its last line in the file. */
type RowWriter = (row: Row, line: number) => string;

/**
 * The rows of a CSV file (RFC 4180, the first row names the columns) as lines of JSON. Blank lines are left out. Throws
 * `import-unreadable` at the first row that can't be read, when those before it have been given.
 */
export async function* linesOfCsv(
  bytes: AsyncIterable<Uint8Array>,
  options: CsvOptions,
): AsyncGenerator<string> {
  const reader = createReader(options);
  try {
    for await (const text of utf8(bytes)) {
      await reader.write(text);
      yield* reader.gathered();
    }
    await reader.end();
  } catch (error) {
    yield* reader.gathered();
    throw error instanceof CsvError ? told(error) : error;
  }
  yield* reader.gathered();
}

/**
 * Rows are taken as they are parsed, not read from the parser as a stream: with the first bad row a stream would drop
 * what it holds of the good ones before.
 */
function createReader(options: CsvOptions) {
  let lines = '';
  let toText: RowWriter | undefined;
  const parser = parse({
    skip_empty_lines: true,
    max_record_size: MAX_ROW_LENGTH,
    on_record: (row: Row, { lines: line }) => {
      if (toText === undefined) toText = rowWriter(row, options);
      else lines += `${toText(row, line)}\n`;
      return null;
    },
  });
  // Each call is told of its failure by itself.
  parser.on('error', () => undefined).resume();
  const settle = (call: (done: (error?: Error | null) => void) => void) =>
    new Promise<void>((resolve, reject) => {
      call((error) => (error ? reject(error) : resolve()));
    });
  return {
    write: (text: string) => settle((done) => parser.write(text, done)),
    end: () => settle((done) => finished(parser.end(), done)),
    /** The rows that were read since this was last asked, as one piece; none for none. */
    gathered(): string[] {
      const gathered = lines === '' ? [] : [lines];
      lines = '';
      return gathered;
    },
  };
}

/** How a row of these columns is written. */
function rowWriter(names: readonly string[], { column, numbers }: CsvOptions): RowWriter {
  const double = names.find((name, index) => names.indexOf(name) !== index);
  if (double !== undefined)
    throw unreadable('line 1', 'each column once', `${describeReceived(double)} twice`);
  if (column === undefined) {
    const keys = names.map((name) => `${JSON.stringify(name)}:`);
    return (row, line) =>
      `{${row.map((cell, i) => `${keys[i] ?? ''}${cellText(cell, numbers, line)}`).join(',')}}`;
  }
  const index = names.indexOf(column);
  if (index < 0)
    throw unreadable('line 1', `a column ${JSON.stringify(column)}`, `the columns ${JSON.stringify(names)}`);
  return (row, line) => cellText(row[index] ?? '', numbers, line);
}

function cellText(cell: string, numbers: boolean, line: number): string {
  if (!numbers || !isJsonNumber(cell)) return JSON.stringify(cell);
  if (isExactNumber(cell)) return cell;
  throw unreadable(`line ${line}`, 'a number that a 64-bit float holds, or no --numbers', cell);
}

/** Text, or an error where it isn't UTF-8: a replaced character would be a changed record. */
async function* utf8(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (chunk?: Uint8Array) => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch (cause) {
      throw unreadable('somewhere behind the last line that was read', 'UTF-8', 'other bytes', cause);
    }
  };
  for await (const chunk of bytes) yield decode(chunk);
  yield decode();
}

function told(error: CsvError): unknown {
  const line = `line ${String(error['lines'])}`;
  if (
    error.code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH' ||
    error.code === 'CSV_RECORD_INCONSISTENT_COLUMNS'
  ) {
    const record = error['record'];
    const cells = Array.isArray(record) ? `${record.length} cells` : 'another number of cells';
    return unreadable(line, 'as many cells as the first row has', cells, error);
  }
  return unreadable(line, 'a row of CSV', error.message, error);
}
