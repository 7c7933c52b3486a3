import type { Readable } from 'node:stream';
import { TextDecoder } from 'node:util';
import { isKeepapartError, KeepapartError } from '../../../domain/errors';
import { problemLines } from '../../../domain/field-problems';
import type { JsonValue } from '../../../domain/json';
import { MAX_RECORD_DEPTH } from '../../../domain/records/record';
import { parseJsonText } from '../../../edge/json-text';
import { toNdjson, type ReadAs } from '../import/formats';
import { openImport } from '../import/import-file';

/**
 * The records of a file, or of standard input for `-`, as an import would send them.
 * Throws `invalid-config` at the first place that is no record.
 */
export async function readRecords(name: string, readAs: ReadAs, input: Readable): Promise<JsonValue[]> {
  const file = await openImport(name, input);
  const records: JsonValue[] = [];
  try {
    for await (const { text, number } of linesOf(toNdjson(file.read(), readAs))) {
      const place = readAs.format === 'ndjson' ? `line ${number}` : `record ${number}`;
      if (text.trim() !== '') records.push(recordOf(text, place));
    }
  } catch (error) {
    if (!isKeepapartError(error)) throw error;
    throw new KeepapartError('invalid-config', `${file.name}, ${error.message}`, { cause: error });
  } finally {
    await file.close();
  }
  return records;
}

async function* linesOf(
  pieces: AsyncIterable<string | Uint8Array>,
): AsyncGenerator<{ text: string; number: number }> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let number = 0;
  for await (const piece of pieces) {
    const text = typeof piece === 'string' ? piece : decode(decoder, piece);
    const lines = text.split('\n');
    lines[0] = rest + (lines[0] ?? '');
    rest = lines.pop() ?? '';
    for (const line of lines) yield { text: line, number: ++number };
  }
  yield { text: rest + decode(decoder), number: number + 1 };
}

/** The next text, or with no bytes what is left of it. */
function decode(decoder: TextDecoder, bytes?: Uint8Array): string {
  try {
    return decoder.decode(bytes, { stream: bytes !== undefined });
  } catch (cause) {
    throw new KeepapartError('invalid-json', 'somewhere: expected UTF-8; received other bytes', { cause });
  }
}

function recordOf(text: string, place: string): JsonValue {
  let record: JsonValue;
  try {
    record = parseJsonText(text, { maxDepth: MAX_RECORD_DEPTH });
  } catch (error) {
    if (!isKeepapartError(error)) throw error;
    throw new KeepapartError(error.code, `${place}: ${error.message}${problemLines(error.problems)}`);
  }
  if (!Array.isArray(record)) return record;
  throw new KeepapartError('invalid-request', `${place}: expected a record; received a list, which is none`);
}
