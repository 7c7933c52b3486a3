import { finished } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { MIB } from '../../../domain/duration';
import { describeReceived } from '../../../domain/field-problems';
import { isExactNumber, isJsonNumber } from '../../../edge/exact-number';
import { createLineTracker } from './line-tracker';
import type { SourceLines } from './source-lines';
import { unreadable } from './unreadable';
import { NotUtf8, wholeCharacters } from './utf8';

export interface CsvOptions {
  /** The column whose cells become the records; without it each row becomes an object. */
  column: string | undefined;
  /** Whether cells that are numbers in JSON become numbers; otherwise every cell is a text. */
  numbers: boolean;
  /** What separates the columns. Undefined: a comma, but for a first row that looks as if something else did. */
  delimiter: string | undefined;
}

/** Most characters in one row. A quote that is never closed would otherwise read the rest of the file into memory. */
const MAX_ROW_LENGTH = 32 * MIB;
/** Each row ends as it does, whatever others do: files are put together from parts of several systems. */
const ROW_ENDS = ['\r\n', '\n', '\r'];
const OTHER_DELIMITERS = [';', '\t', '|'];
const ANOTHER_DELIMITER = "name another one by --delimiter, such as --delimiter ';'";

type Row = readonly string[];
/** A row and the line of the file in which it begins. */
type RowWriter = (row: Row, line: number) => string;

/**
 * The rows of a CSV file (RFC 4180, the first row names the columns) as lines of JSON. Blank lines are left out. Throws
 * `import-unreadable` at the first row that can't be read, when those before it have been given.
 */
export async function* linesOfCsv(
  bytes: AsyncIterable<Uint8Array>,
  options: CsvOptions,
  lines: SourceLines,
): AsyncGenerator<string> {
  const reader = createReader(options, lines);
  try {
    for await (const piece of wholeCharacters(bytes)) {
      await reader.write(piece);
      yield* reader.gathered();
    }
    await reader.end();
  } catch (error) {
    yield* reader.gathered();
    throw reader.told(error);
  }
  yield* reader.gathered();
}

/**
 * Rows are taken as they are parsed, not read from the parser as a stream: with the first bad row a stream would drop
 * what it holds of the good ones before.
 */
function createReader(options: CsvOptions, lines: SourceLines) {
  const { delimiter } = options;
  const tracker = createLineTracker();
  let gatheredLines = '';
  let toText: RowWriter | undefined;
  const parser = parse({
    delimiter: delimiter ?? ',',
    record_delimiter: ROW_ENDS,
    skip_empty_lines: true,
    max_record_size: MAX_ROW_LENGTH,
    on_record: (row: Row, { bytes }) => {
      const span = tracker.advance(bytes);
      if (toText === undefined) toText = rowWriter(row, options, span.first);
      else {
        gatheredLines += `${toText(row, span.first)}\n`;
        lines.add(span);
      }
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
    write(piece: Uint8Array): Promise<void> {
      tracker.push(piece);
      return settle((done) => parser.write(piece, done));
    },
    end: () => settle((done) => finished(parser.end(), done)),
    /** The rows that were read since this was last asked, as one piece; none for none. */
    gathered(): string[] {
      const gathered = gatheredLines === '' ? [] : [gatheredLines];
      gatheredLines = '';
      return gathered;
    },
    /** What went wrong, with its place in the file. */
    told(error: unknown): unknown {
      const { first } = tracker.advance();
      if (error instanceof NotUtf8)
        return unreadable(`line ${tracker.line()}`, 'UTF-8', 'other bytes', error);
      if (!(error instanceof CsvError)) return error;
      return badRow(error, first, toText === undefined && delimiter === undefined);
    },
  };
}

/** How a row of these columns is written. */
function rowWriter(names: readonly string[], options: CsvOptions, line: number): RowWriter {
  const { column, numbers, delimiter } = options;
  const place = `line ${line}`;
  if (delimiter === undefined) refuseOtherDelimiters(names, place);
  const double = names.find((name, index) => names.indexOf(name) !== index);
  if (double !== undefined) throw unreadable(place, 'each column once', `${describeReceived(double)} twice`);
  if (column === undefined) {
    const keys = names.map((name) => `${JSON.stringify(name)}:`);
    return (row, line) =>
      `{${row.map((cell, i) => `${keys[i] ?? ''}${cellText(cell, numbers, line)}`).join(',')}}`;
  }
  const index = names.indexOf(column);
  if (index < 0)
    throw unreadable(place, `a column ${JSON.stringify(column)}`, `the columns ${JSON.stringify(names)}`);
  return (row, line) => cellText(row[index] ?? '', numbers, line);
}

/** Refuses a first row that something else than the comma would separate into more columns. */
function refuseOtherDelimiters(names: readonly string[], place: string): void {
  const row = names.join(',');
  for (const other of OTHER_DELIMITERS) {
    const columns = row.split(other).length;
    if (columns <= names.length) continue;
    const flag = other === '\t' ? 'tab' : `'${other}'`;
    throw unreadable(
      place,
      'columns that a comma separates',
      `${describeReceived(row)}, which may be ${columns} columns: name what separates them, --delimiter ${flag} or --delimiter ,`,
    );
  }
}

function cellText(cell: string, numbers: boolean, line: number): string {
  if (!numbers || !isJsonNumber(cell)) return JSON.stringify(cell);
  if (isExactNumber(cell)) return cell;
  throw unreadable(`line ${line}`, 'a number that a 64-bit float holds, or no --numbers', cell);
}

function badRow(error: CsvError, firstLine: number, mayBeDelimiter: boolean): unknown {
  const place = `line ${firstLine}`;
  if (error.code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH') {
    const record = error['record'];
    const cells = Array.isArray(record) ? `${record.length} cells` : 'another number of cells';
    return unreadable(place, 'as many cells as the first row has', cells, error);
  }
  // The parser counts a line end within quotes twice.
  const received = error.message.replace(/,? (at|on) line \d+/, '');
  if (mayBeDelimiter)
    return unreadable(
      place,
      'a row of CSV, separated by a comma',
      `${received}; ${ANOTHER_DELIMITER}`,
      error,
    );
  return unreadable(place, 'a row of CSV', received, error);
}
