import type { FieldProblem } from '../field-problems';
import { canonicalJson, isObject, type JsonValue } from '../json';
import { jsonPointerToken } from '../json-pointer';
import { meaningOf } from './meaning';
import { problem, problemsOfPointer, problemsOfValue } from './parse-parts';
import { problemsOfSelector } from './parse-selector';
import type { ConflictRule } from './rule';
import { whyUnmatchable } from './unmatchable';

const KINDS = ['pair', 'group', 'distinct', 'alike', 'never'] as const;
type Kind = (typeof KINDS)[number];

const EXPECTED = {
  rules: 'an array of rules, such as [{"pair":[1,2]}]',
  rule: 'an object with exactly one of pair, group, distinct, alike, never',
  unknownKey: 'only the keys pair, group, distinct, alike, never, at, same',
  atOfDistinct: 'no "at" with distinct, which is itself a pointer',
  atOfAlike: 'no "at" with alike, which is itself a pointer',
  atOfNever: 'no "at" with never: each of its selectors has its own',
  pair: 'an array of exactly two values',
  pairOfEqual: 'two different values; to keep equal records apart, use {"distinct":"<pointer>"}',
  group: 'an array of at least two values',
  newMember: 'a value that is not in the group yet',
  never: 'an object with the selectors left and right',
  unknownSide: 'only the keys left, right; "same" belongs next to never',
  same: 'a JSON Pointer, or an array of different ones',
  sameAsDistinct:
    'pointers other than that of distinct, where the records that it keeps apart are equal anyway',
} as const;

/**
 * Validates conflict rules, as parsed by `JSON.parse`. Returns all problems, each with a JSON Pointer into the input. If
 * there are any, `rules` is empty, so that no caller runs with only some of the rules. An empty list is valid.
 *
 * Rejects everything that is not a rule, rules that can never match, and rules with the same meaning as an earlier one.
 * Rules can't contradict each other: adding a rule never removes a conflict.
 *
 * @example
 * parseConflictRules([{ distinct: 'sku' }]);
 * // { rules: [], problems: [{ field: '/0/distinct', expected: 'a JSON Pointer: …', received: '"sku" (string)' }] }
 */
export function parseConflictRules(input: unknown): { rules: ConflictRule[]; problems: FieldProblem[] } {
  const problems: FieldProblem[] = [];
  if (!Array.isArray(input)) {
    return { rules: [], problems: [problem('', EXPECTED.rules, input)] };
  }
  const firstWith = new Map<string, number>();
  for (const [index, rule] of Array.from<unknown>(input).entries()) {
    const field = jsonPointerToken(index);
    const found = problemsOfRule(rule, field);
    problems.push(...found);
    if (found.length > 0) continue;
    const meaning = meaningOf(rule as ConflictRule);
    const first = firstWith.get(meaning);
    if (first === undefined) firstWith.set(meaning, index);
    else problems.push(problem(field, `a rule that does not repeat ${jsonPointerToken(first)}`, rule));
  }
  return { rules: problems.length > 0 ? [] : (input as ConflictRule[]), problems };
}

function problemsOfRule(rule: unknown, field: string): FieldProblem[] {
  if (!isObject(rule)) return [problem(field, EXPECTED.rule, rule)];
  const kinds = KINDS.filter((kind) => Object.hasOwn(rule, kind));
  const problems: FieldProblem[] = [];
  for (const [key, value] of Object.entries(rule)) {
    const place = field + jsonPointerToken(key);
    if (key === 'same') problems.push(...problemsOfSame(value, place, rule));
    else if (key === 'at') {
      if (kinds.includes('distinct')) problems.push(problem(place, EXPECTED.atOfDistinct, value));
      else if (kinds.includes('alike')) problems.push(problem(place, EXPECTED.atOfAlike, value));
      else if (kinds.includes('never')) problems.push(problem(place, EXPECTED.atOfNever, value));
      else problems.push(...problemsOfPointer(value, place));
    } else if (isKind(key)) problems.push(...CHECKS[key](value, place, rule));
    else problems.push(problem(place, EXPECTED.unknownKey, value));
  }
  if (kinds.length !== 1) problems.push(problem(field, EXPECTED.rule, rule));
  if (problems.length > 0) return problems;
  const why = whyUnmatchable(rule as unknown as ConflictRule);
  return why === undefined ? [] : [problem(field, why, rule)];
}

const CHECKS: Record<Kind, (value: unknown, field: string, rule: Record<string, unknown>) => FieldProblem[]> =
  {
    distinct: problemsOfPointer,
    alike: problemsOfPointer,
    pair(value, field, { at }) {
      if (!Array.isArray(value) || value.length !== 2) return [problem(field, EXPECTED.pair, value)];
      const problems = problemsOfMembers(value, field, at);
      if (problems.length > 0) return problems;
      const [first, second] = (value as JsonValue[]).map(canonicalJson);
      return first === second ? [problem(field, EXPECTED.pairOfEqual, value)] : [];
    },
    group(value, field, { at }) {
      if (!Array.isArray(value) || value.length < 2) return [problem(field, EXPECTED.group, value)];
      const problems = problemsOfMembers(value, field, at);
      return problems.length > 0
        ? problems
        : problemsOfRepeats(value as JsonValue[], field, EXPECTED.newMember);
    },
    never(value, field) {
      if (!isObject(value)) return [problem(field, EXPECTED.never, value)];
      const problems = ['left', 'right'].flatMap((side) =>
        Object.hasOwn(value, side) ? problemsOfSelector(value[side], field + jsonPointerToken(side)) : [],
      );
      for (const [key, extra] of Object.entries(value)) {
        if (key !== 'left' && key !== 'right')
          problems.push(problem(field + jsonPointerToken(key), EXPECTED.unknownSide, extra));
      }
      if (!Object.hasOwn(value, 'left') || !Object.hasOwn(value, 'right'))
        problems.push(problem(field, EXPECTED.never, value));
      return problems;
    },
  };

function problemsOfSame(
  value: unknown,
  field: string,
  { distinct }: Record<string, unknown>,
): FieldProblem[] {
  const pointers = [value].flat();
  if (distinct !== undefined && pointers.includes(distinct))
    return [problem(field, EXPECTED.sameAsDistinct, value)];
  if (typeof value === 'string') return problemsOfPointer(value, field);
  if (!Array.isArray(value) || value.length === 0) return [problem(field, EXPECTED.same, value)];
  const problems = Array.from<unknown>(value).flatMap((pointer, index) =>
    problemsOfPointer(pointer, field + jsonPointerToken(index)),
  );
  return problems.length > 0 ? problems : problemsOfRepeats(value as string[], field, EXPECTED.same);
}

function problemsOfMembers(members: readonly unknown[], field: string, at: unknown): FieldProblem[] {
  return Array.from<unknown>(members).flatMap((member, index) =>
    problemsOfValue(member, field + jsonPointerToken(index), at),
  );
}

function problemsOfRepeats(values: readonly JsonValue[], field: string, expected: string): FieldProblem[] {
  const seen = new Set<string>();
  return values.flatMap((value, index) => {
    const text = canonicalJson(value);
    if (seen.has(text)) return [problem(field + jsonPointerToken(index), expected, value)];
    seen.add(text);
    return [];
  });
}

function isKind(key: string): key is Kind {
  return (KINDS as readonly string[]).includes(key);
}
