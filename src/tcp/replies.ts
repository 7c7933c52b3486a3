import { SECOND } from '../domain/duration';
import { RETRIED, type KeepapartError } from '../domain/errors';
import type { FieldProblem } from '../domain/field-problems';
import type { JsonValue } from '../domain/json';
import { shorten } from '../edge/problems';
import { retryAfterMsOf } from '../edge/refusals';

const MAX_DETAIL_LENGTH = 500;

/**
 * Characters that a terminal or log viewer interprets instead of showing: DEL, the one-character controls of ISO 6429
 * (U+009B starts a command, as ESC does), and the marks that reverse the text direction.
 */
const INTERPRETED = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * The reply to a list that is durable: `has been save info data: [1, 2, 3]`, exactly as the old server sent it, without a
 * line end. The old server printed a Python list. Whole numbers look the same there and in JSON; any other record is written
 * as compact JSON, with escapes for what a terminal would interpret.
 */
export function savedReply(values: readonly JsonValue[]): string {
  const texts = values.map((value) => printableJson(JSON.stringify(value)));
  return `has been save info data: [${texts.join(', ')}]`;
}

/**
 * The one-line reply to a message that was not accepted: `error <code>, <whether and when to repeat>: <detail>`. It ends
 * with a newline, so that people can read it and programs can separate it from the next reply.
 * @param detail replaces the error's own message
 */
export function errorReply(error: KeepapartError, detail = error.message): string {
  const [first] = error.problems;
  const more = error.problems.length > 1 ? `, and ${error.problems.length - 1} more` : '';
  const problem = first === undefined ? '' : ` (${describe(first)}${more})`;
  const line = `${shorten(detail, MAX_DETAIL_LENGTH)}${problem}`;
  return `error ${error.code}, ${repeatWhen(error)}: ${printableJson(line.replace(/\p{Cc}+/gu, ' '))}\n`;
}

function repeatWhen(error: KeepapartError): string {
  if (error.entry.retried !== RETRIED.byClient) return 'do not repeat';
  const afterMs = retryAfterMsOf(error);
  return afterMs === undefined ? 'repeat later' : `repeat after ${Math.ceil(afterMs / SECOND)} s`;
}

function describe({ field, expected, received }: FieldProblem): string {
  return `${field === '' ? 'the list' : field}: expected ${expected}, received ${received}`;
}

/**
 * The same JSON, in a form that every terminal shows as it is. `JSON.stringify` escapes only controls below U+0020. The
 * others can only occur in strings, so they can be escaped anywhere.
 */
export function printableJson(json: string): string {
  return json.replace(INTERPRETED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
