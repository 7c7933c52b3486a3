import { isUtf8 } from 'node:buffer';
import { KeepapartError } from '../domain/errors';
import { describeReceived } from '../domain/field-problems';
import type { JsonValue } from '../domain/json';
import { isExactNumber } from './exact-number';
import { jsonPointer, ProblemList, shorten } from './problems';

export interface ParseOptions {
  /** Maximum levels of lists and objects, including the outermost. Bounds every recursive walk over the value. */
  maxDepth: number;
}

/**
 * Parses a request body; the only place where a body becomes a value. JSON that `JSON.parse` would round, drop or hide is
 * refused, so the value means the same to its sender and to us.
 * @throws `invalid-json` if the text isn't JSON; `invalid-request` for numbers that don't fit a 64-bit float, duplicate
 *   keys, the key `__proto__`, and nesting beyond `maxDepth`
 */
export function parseJsonText(text: string, options: ParseOptions): JsonValue {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new KeepapartError('invalid-json', error instanceof Error ? error.message : 'The body is not JSON');
  }
  const problems = new ProblemList();
  findUnfaithful(text, options.maxDepth, problems);
  problems.throwIfAny('The body contains JSON that can not be stored exactly');
  return value;
}

const BYTE_ORDER_MARK = '\uFEFF';

/** Decodes a client's bytes, without a byte order mark. @throws `invalid-json` if they aren't valid UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new KeepapartError('invalid-json', 'The body is not valid UTF-8');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

/** A list or object around the current position. */
interface Level {
  /** Keys seen so far; absent for a list. */
  keys?: Set<string>;
  /** The current key or index. */
  at: string | number;
  /** Whether the next string is a key. */
  expectsKey: boolean;
}

/** UTF-16 code units: comparing these takes half the time of comparing one-character strings. */
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const UPPER_E = 0x45;
const BACKSLASH = 0x5c;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const LOWER_E = 0x65;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** Scans the tokens of a text that is known to be JSON; linear, and not recursive. */
function findUnfaithful(text: string, maxDepth: number, problems: ProblemList): void {
  const levels: Level[] = [];
  let level: Level | undefined;
  const report = (expected: string, received: string) =>
    problems.add(() => ({ field: jsonPointer(levels.map(({ at }) => at)), expected, received }));

  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === OPENING_BRACE || unit === OPENING_BRACKET) {
      if (levels.length === maxDepth) {
        report(`at most ${maxDepth} levels of nesting`, 'more');
        return;
      }
      level =
        unit === OPENING_BRACE ? { keys: new Set(), at: '', expectsKey: true } : { at: 0, expectsKey: false };
      levels.push(level);
    } else if (unit === CLOSING_BRACE || unit === CLOSING_BRACKET) {
      levels.pop();
      level = levels.at(-1);
    } else if (unit === COMMA && level) {
      if (typeof level.at === 'number') level.at++;
      else level.expectsKey = true;
    } else if (unit === QUOTE) {
      const end = endOfString(text, i);
      if (level?.keys && level.expectsKey) {
        const key = JSON.parse(text.slice(i, end)) as string;
        level.at = key;
        level.expectsKey = false;
        if (key === '__proto__') report('any other key', describeReceived(key));
        if (level.keys.has(key)) report('each key once', describeReceived(key));
        level.keys.add(key);
      }
      i = end - 1;
    } else if (unit === MINUS || isDigit(unit)) {
      const end = endOfNumber(text, i);
      const token = text.slice(i, end);
      if (!isExactNumber(token))
        report('a number that a 64-bit float holds, or a string', `${shorten(token, 80)} (number)`);
      i = end - 1;
    }
  }
}

function isDigit(unit: number): boolean {
  return unit >= DIGIT_0 && unit <= DIGIT_9;
}

/** Index after the number that starts at `start`. */
function endOfNumber(text: string, start: number): number {
  let i = start + 1;
  while (isInNumber(text.charCodeAt(i))) i++;
  return i;
}

/** Digits and `+ - . e E`: in JSON, none of them follows a number. */
function isInNumber(unit: number): boolean {
  return (
    isDigit(unit) || unit === DOT || unit === MINUS || unit === PLUS || unit === LOWER_E || unit === UPPER_E
  );
}

/** Index after the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  for (let unit = text.charCodeAt(i); unit !== QUOTE; unit = text.charCodeAt(i)) {
    i += unit === BACKSLASH ? 2 : 1;
  }
  return i + 1;
}
