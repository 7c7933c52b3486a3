import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isKeepapartError, KeepapartError } from '../../../domain/errors';
import { describeReceived, problemLines } from '../../../domain/field-problems';
import type { FieldProblem } from '../../../domain/field-problems';
import type { JsonValue } from '../../../domain/json';
import { MAX_RECORD_DEPTH } from '../../../domain/records/record';
import { isExactNumber, isJsonNumber } from '../../../edge/exact-number';
import { parseJsonText } from '../../../edge/json-text';

/** Levels of lists and objects in a file: above its records, there are those of the file itself. */
const MAX_DEPTH = MAX_RECORD_DEPTH + 8;

/**
 * What a file says, in JSON for a name that ends with `.json`, in YAML 1.2 otherwise. What would be rounded, dropped or
 * hidden is refused in both.
 * Throws `invalid-config` with everything that is wrong, each at its line or its JSON Pointer.
 */
export async function readDocument(file: string): Promise<JsonValue> {
  const text = textOf(file);
  return path.extname(file).toLowerCase() === '.json' ? jsonOf(text, file) : await yamlOf(text, file);
}

/** Throws `invalid-config` for a file that can't be used, with what is wrong in it. */
export function unusable(file: string, problems: readonly FieldProblem[]): KeepapartError {
  const many = problems.length === 1 ? '' : `, for ${problems.length} reasons`;
  return new KeepapartError('invalid-config', `${file} can't be used${many}:${problemLines(problems)}`, {
    problems,
  });
}

function textOf(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KeepapartError('invalid-config', `${file} can't be read: ${reason}`, { cause });
  }
}

function jsonOf(text: string, file: string): JsonValue {
  try {
    return parseJsonText(text, { maxDepth: MAX_DEPTH });
  } catch (error) {
    if (!isKeepapartError(error)) throw error;
    if (error.problems.length > 0) throw unusable(file, error.problems);
    throw unusable(file, [{ field: 'the text', expected: 'JSON', received: error.message }]);
  }
}

async function yamlOf(text: string, file: string): Promise<JsonValue> {
  // Only those who have a file in YAML wait for it.
  const { LineCounter, parseDocument, visit } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, stringKeys: true, prettyErrors: false });
  const lineOf = (offset: number) => `line ${lines.linePos(offset).line}`;
  const problems = [...document.errors, ...document.warnings].map(({ message, pos: [offset] }) => ({
    field: lineOf(offset),
    expected: 'YAML that means the same as some JSON',
    received: message,
  }));
  if (problems.length === 0) {
    visit(document, {
      Scalar(_, { value, source = '', range }) {
        if (typeof value !== 'number' || isExact(value, source)) return;
        const expected = 'a number that a 64-bit float holds, or a text in quotes';
        problems.push({ field: lineOf(range?.[0] ?? 0), expected, received: `${source} (number)` });
      },
    });
  }
  if (problems.length > 0) throw unusable(file, problems);
  try {
    // As text and back: what stands there once and is used twice becomes two, and what contains itself is found.
    return jsonOf(JSON.stringify(document.toJS()), file);
  } catch (error) {
    if (isKeepapartError(error)) throw error;
    const received = error instanceof Error ? (error.message.split('\n')[0] ?? '') : describeReceived(error);
    throw unusable(file, [{ field: 'the text', expected: 'aliases that come to an end', received }]);
  }
}

/** Of what only YAML has a notation for, as `0x1F`, whole numbers that are not rounded. */
function isExact(value: number, source: string): boolean {
  return isJsonNumber(source) ? isExactNumber(source) : Number.isSafeInteger(value);
}
