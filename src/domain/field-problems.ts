import { isDeeperThan } from './json';

/*
 * What is wrong with input, field by field. Apart from the errors, whose catalogue the dashboard doesn't need.
 */

/** One invalid field: what was expected there, and what was received. */
export interface FieldProblem {
  /** The name of a setting, or a JSON Pointer into the body. */
  field: string;
  expected: string;
  /** The received value as JSON, shortened to 80 characters, and its type. */
  received: string;
}

/** The problems as text to append to a message: a line feed and a line for each; `''` for none. */
export function problemLines(problems: readonly FieldProblem[]): string {
  return problems
    .map(({ field, expected, received }) => `\n  ${field}: expected ${expected}; received ${received}`)
    .join('');
}

/** Deeper values are not shown: JSON.stringify overflows the stack at several thousand levels. */
const MAX_SHOWN_LEVELS = 100;

/** Text for `received` of a {@link FieldProblem}. Accepts any value, of any depth. */
export function describeReceived(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  const type = Array.isArray(value) ? 'array' : typeof value;
  if (isDeeperThan(value, MAX_SHOWN_LEVELS)) return `more than ${MAX_SHOWN_LEVELS} levels (${type})`;
  // JSON has no text for functions, symbols and big integers.
  const text = ['function', 'symbol', 'bigint'].includes(type) ? type : JSON.stringify(value);
  return `${text.length > 80 ? `${text.slice(0, 77)}...` : text} (${type})`;
}
