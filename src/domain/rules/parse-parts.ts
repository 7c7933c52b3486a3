import { describeReceived, type FieldProblem } from '../errors';
import { isObject, type JsonValue } from '../json';
import { isJsonPointer, parseJsonPointer } from '../json-pointer';
import { MAX_RECORD_DEPTH } from '../records/record';

/** The one key that no record may have, as it means something else to JavaScript. */
const NO_KEY = '__proto__';

const EXPECTED = {
  pointer: 'a JSON Pointer: "" or one that starts with "/", with "~" only as ~0 or ~1',
  reachable: `a pointer that finds something in some record: at most ${MAX_RECORD_DEPTH} steps, none of them ${NO_KEY}`,
  value: 'a JSON value',
  possible: `a value that some record can hold there: the record has at most ${MAX_RECORD_DEPTH} levels, and no key ${NO_KEY}`,
} as const;

export function problem(field: string, expected: string, received: unknown): FieldProblem {
  return { field, expected, received: describeReceived(received) };
}

/** What is wrong with a JSON Pointer into records. */
export function problemsOfPointer(value: unknown, field: string): FieldProblem[] {
  if (typeof value !== 'string' || !isJsonPointer(value)) return [problem(field, EXPECTED.pointer, value)];
  const tokens = parseJsonPointer(value);
  const reachable = tokens.length <= MAX_RECORD_DEPTH && !tokens.includes(NO_KEY);
  return reachable ? [] : [problem(field, EXPECTED.reachable, value)];
}

/** What is wrong with a value that is to be found in records; how deep, tells `at` when it is a pointer. */
export function problemsOfValue(value: unknown, field: string, at: unknown): FieldProblem[] {
  if (!isJson(value)) return [problem(field, EXPECTED.value, value)];
  const steps = typeof at === 'string' ? at.split('/').length - 1 : 0;
  return fitsInto(value, MAX_RECORD_DEPTH - steps) ? [] : [problem(field, EXPECTED.possible, value)];
}

/** @param levels of lists and objects that there may be; none below 0, not even for what is neither */
function fitsInto(value: JsonValue, levels: number): boolean {
  if (value === null || typeof value !== 'object') return levels >= 0;
  if (levels <= 0 || Object.hasOwn(value, NO_KEY)) return false;
  return Object.values(value).every((part) => fitsInto(part, levels - 1));
}

function isJson(value: unknown): value is JsonValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  // A hole of a list is a value as well, and no JSON.
  if (Array.isArray(value)) return Array.from<unknown>(value).every(isJson);
  return isObject(value) && Object.values(value).every(isJson);
}
