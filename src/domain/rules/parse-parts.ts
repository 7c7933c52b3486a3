import { describeReceived, type FieldProblem } from '../field-problems';
import { isObject, type JsonValue } from '../json';
import { isJsonPointer, parseJsonPointer } from '../json-pointer';
import { MAX_RECORD_DEPTH } from '../records/record';

/** The only key that records must not have: JavaScript treats it as the prototype. */
const FORBIDDEN_KEY = '__proto__';

const EXPECTED = {
  pointer: 'a JSON Pointer: "" or one that starts with "/", with "~" only as ~0 or ~1',
  reachable: `a pointer that can match a record: at most ${MAX_RECORD_DEPTH} steps, none of them ${FORBIDDEN_KEY}`,
  value: 'a JSON value',
  possible: `a value that a record can have there: records have at most ${MAX_RECORD_DEPTH} levels and no key ${FORBIDDEN_KEY}`,
} as const;

/** A problem with a part of a rule. */
export function problem(field: string, expected: string, received: unknown): FieldProblem {
  return { field, expected, received: describeReceived(received) };
}

/** Validates a JSON Pointer into records. */
export function problemsOfPointer(value: unknown, field: string): FieldProblem[] {
  if (typeof value !== 'string' || !isJsonPointer(value)) return [problem(field, EXPECTED.pointer, value)];
  const tokens = parseJsonPointer(value);
  const reachable = tokens.length <= MAX_RECORD_DEPTH && !tokens.includes(FORBIDDEN_KEY);
  return reachable ? [] : [problem(field, EXPECTED.reachable, value)];
}

/**
 * Validates a value that records are compared with.
 * @param at pointer to the compared part of a record, which limits the depth of the value; not validated yet
 */
export function problemsOfValue(value: unknown, field: string, at: unknown): FieldProblem[] {
  if (!isJson(value)) return [problem(field, EXPECTED.value, value)];
  const steps = typeof at === 'string' ? at.split('/').length - 1 : 0;
  return fitsInto(value, MAX_RECORD_DEPTH - steps) ? [] : [problem(field, EXPECTED.possible, value)];
}

/** @param levels how many levels of arrays and objects the value may have; below 0, no value fits */
function fitsInto(value: JsonValue, levels: number): boolean {
  if (value === null || typeof value !== 'object') return levels >= 0;
  if (levels <= 0 || Object.hasOwn(value, FORBIDDEN_KEY)) return false;
  return Object.values(value).every((part) => fitsInto(part, levels - 1));
}

function isJson(value: unknown): value is JsonValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  // Array.from turns the holes of a sparse array into undefined, which isn't JSON; `every` would skip them.
  if (Array.isArray(value)) return Array.from<unknown>(value).every(isJson);
  return isObject(value) && Object.values(value).every(isJson);
}
