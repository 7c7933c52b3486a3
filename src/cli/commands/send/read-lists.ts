import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { isKeepapartError, KeepapartError } from '../../../domain/errors';
import { describeReceived, problemLines } from '../../../domain/field-problems';
import type { JsonValue } from '../../../domain/json';
import { parseJsonText } from '../../../edge/json-text';
import { MAX_BODY_DEPTH } from '../../../edge/records';

/**
 * A text as the list of records that it is. What JSON would round or drop is refused, as the API refuses it: once it is
 * parsed, the API can't see it any more. `name` says in the error which list it is.
 */
export function parseList(text: string, name: string): JsonValue[] {
  try {
    const value = parseJsonText(text, { maxDepth: MAX_BODY_DEPTH });
    if (Array.isArray(value)) return value;
    throw new KeepapartError(
      'invalid-json',
      `expected a list such as [1,2,3]; received ${describeReceived(value)}`,
    );
  } catch (error) {
    if (!isKeepapartError(error)) throw error;
    throw new KeepapartError(error.code, `${name}: ${error.message}${problemLines(error.problems)}`, {
      cause: error,
    });
  }
}

/** One list for each argument. An argument that is none is a command that has to be changed. */
export function listsOfArguments(args: readonly string[]): JsonValue[][] {
  return args.map((text, index) => {
    try {
      return parseList(text, args.length === 1 ? 'the list' : `list ${index + 1}`);
    } catch (error) {
      if (!isKeepapartError(error)) throw error;
      throw new KeepapartError('invalid-config', error.message, { cause: error });
    }
  });
}

/** Standard input as one list, of however many lines, or as a list on each line; all is read before any is sent. */
export async function listsOfInput(input: Readable): Promise<JsonValue[][]> {
  const text = decode(await buffer(input)).trim();
  if (text === '') throw new KeepapartError('invalid-config', 'There is no list on standard input.');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 1 || isJson(text)) return [parseList(text, 'standard input')];
  return lines.map((line, index) => parseList(line, `standard input, list ${index + 1}`));
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new KeepapartError('invalid-json', 'Standard input is not valid UTF-8');
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
