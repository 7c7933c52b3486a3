import type { FieldProblem } from '../field-problems';
import { canonicalJson, isObject, type JsonValue } from '../json';
import { jsonPointerToken } from '../json-pointer';
import { problem, problemsOfPointer, problemsOfValue } from './parse-parts';
import { isEmpty, selectedValues } from './value-set';

const LOW = ['atLeast', 'above'] as const;
const HIGH = ['atMost', 'below'] as const;
const BOUNDS: readonly string[] = [...LOW, ...HIGH];
const KEYS = ['at', 'equals', 'in', 'prefix', ...BOUNDS];

const EXPECTED = {
  selector: 'an object such as {"at":"/kind","equals":"debit"}; {"at":""} selects every record',
  unknownKey: `only the keys ${KEYS.join(', ')}`,
  oneCondition: 'at most one of equals, in, prefix, or a range',
  oneBound: 'at most one of atLeast and above, and one of atMost and below',
  in: 'an array of at least one value, without duplicates',
  prefix: 'a string of at least one character; to select any value, leave prefix out',
  bound: 'a number or a string',
  sameType: 'two numbers or two strings as the bounds of a range',
  notEmpty: 'a range that is not empty: its lower bound has to be below its upper bound',
} as const;

/** Validates a selector. Returns all problems, each with a JSON Pointer that starts with `field`. */
export function problemsOfSelector(selector: unknown, field: string): FieldProblem[] {
  if (!isObject(selector) || Object.keys(selector).length === 0)
    return [problem(field, EXPECTED.selector, selector)];
  const problems = Object.entries(selector).flatMap(([key, value]) =>
    problemsOfMember(key, value, field + jsonPointerToken(key), selector['at']),
  );
  const has = (key: string) => Object.hasOwn(selector, key);
  const conditions = ['equals', 'in', 'prefix'].filter(has).length + (BOUNDS.some(has) ? 1 : 0);
  if (conditions > 1) problems.push(problem(field, EXPECTED.oneCondition, selector));
  if (LOW.every(has) || HIGH.every(has)) problems.push(problem(field, EXPECTED.oneBound, selector));
  if (problems.length > 0) return problems;
  if (new Set(BOUNDS.filter(has).map((key) => typeof selector[key])).size > 1)
    return [problem(field, EXPECTED.sameType, selector)];
  return isEmpty(selectedValues(selector)) ? [problem(field, EXPECTED.notEmpty, selector)] : [];
}

function problemsOfMember(key: string, value: unknown, field: string, at: unknown): FieldProblem[] {
  if (key === 'at') return problemsOfPointer(value, field);
  if (key === 'equals') return problemsOfValue(value, field, at);
  if (key === 'in') return problemsOfList(value, field, at);
  if (key === 'prefix')
    return typeof value === 'string' && value !== '' ? [] : [problem(field, EXPECTED.prefix, value)];
  if (!BOUNDS.includes(key)) return [problem(field, EXPECTED.unknownKey, value)];
  const isBound = typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));
  return isBound ? [] : [problem(field, EXPECTED.bound, value)];
}

function problemsOfList(value: unknown, field: string, at: unknown): FieldProblem[] {
  if (!Array.isArray(value) || value.length === 0) return [problem(field, EXPECTED.in, value)];
  const problems = Array.from<unknown>(value).flatMap((each, index) =>
    problemsOfValue(each, field + jsonPointerToken(index), at),
  );
  if (problems.length > 0) return problems;
  const texts = new Set((value as JsonValue[]).map(canonicalJson));
  return texts.size === value.length ? [] : [problem(field, EXPECTED.in, value)];
}
