import { describeReceived, type FieldProblem } from './errors';
import { canonicalJson, type JsonValue } from './json';
import { isJsonPointer, jsonPointerToken, parseJsonPointer, valueAt } from './json-pointer';

/** Values equal to the first and values equal to the second are kept apart. */
export interface PairRule {
  pair: [JsonValue, JsonValue];
  /** JSON Pointer (RFC 6901) to the part of the record that is compared; the whole record when absent. */
  at?: string;
}

/** Any two different members are kept apart. */
export interface GroupRule {
  group: JsonValue[];
  at?: string;
}

/** Two records with the same value at this JSON Pointer are kept apart; `""` is the whole record. */
export interface DistinctRule {
  distinct: string;
}

/** Says which two records must never share a batch. Rules are data: they travel in workflow state. */
export type ConflictRule = PairRule | GroupRule | DistinctRule;

/** The JSON Pointer to the part of a record that a rule looks at. */
export function pointerOf(rule: ConflictRule): string {
  return 'distinct' in rule ? rule.distinct : (rule.at ?? '');
}

/** The values that a rule keeps apart from each other; undefined for `distinct`, which is about equal ones. */
export function membersOf(rule: ConflictRule): readonly JsonValue[] | undefined {
  if ('distinct' in rule) return undefined;
  return 'pair' in rule ? rule.pair : rule.group;
}

/**
 * Indices of the rules that keep two records apart, ascending: the plain definition that `partition` is tested against.
 * Equality is that of JSON values (`canonicalJson`). A rule whose pointer finds nothing in a record doesn't apply to it.
 */
export function conflictingRules(a: JsonValue, b: JsonValue, rules: readonly ConflictRule[]): number[] {
  return rules.flatMap((rule, index) => (keepsApart(rule, a, b) ? [index] : []));
}

/** Whether any rule keeps two records apart (G2). Symmetric; a record may well conflict with its own copy. */
export function conflicts(a: JsonValue, b: JsonValue, rules: readonly ConflictRule[]): boolean {
  return rules.some((rule) => keepsApart(rule, a, b));
}

function keepsApart(rule: ConflictRule, a: JsonValue, b: JsonValue): boolean {
  const tokens = parseJsonPointer(pointerOf(rule));
  const partA = valueAt(a, tokens);
  const partB = valueAt(b, tokens);
  if (partA === undefined || partB === undefined) return false;
  const textA = canonicalJson(partA);
  const textB = canonicalJson(partB);
  const members = membersOf(rule)?.map(canonicalJson);
  return members ? textA !== textB && members.includes(textA) && members.includes(textB) : textA === textB;
}

const KINDS = ['pair', 'group', 'distinct'] as const;
type Kind = (typeof KINDS)[number];

const EXPECTED = {
  rules: 'an array of rules, such as [{"pair":[1,2]}]',
  rule: 'an object with exactly one of pair, group, distinct',
  unknownKey: 'only the keys pair, group, distinct, at',
  atOfDistinct: 'no "at" beside distinct, which is a pointer itself',
  pointer: 'a JSON Pointer: "" or one that starts with "/", with "~" only as ~0 or ~1',
  pair: 'an array of exactly two values',
  pairOfEqual: 'two different values; to keep equal records apart, use {"distinct":"<pointer>"}',
  group: 'an array of at least two values',
  member: 'a JSON value',
  newMember: 'a value that is not in the group yet',
} as const;

/**
 * Checks conflict rules that came from outside, as `JSON.parse` gives them. Reports every problem at once, each at a JSON
 * Pointer into the input; `rules` is empty as soon as there is one, so that nobody runs with some of the rules. No rules
 * at all (`[]`) are fine.
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

function problem(field: string, expected: string, received: unknown): FieldProblem {
  return { field, expected, received: describeReceived(received) };
}

function problemsOfRule(rule: unknown, field: string): FieldProblem[] {
  if (!isObject(rule)) return [problem(field, EXPECTED.rule, rule)];
  const kinds = KINDS.filter((kind) => Object.hasOwn(rule, kind));
  const problems: FieldProblem[] = [];
  for (const [key, value] of Object.entries(rule)) {
    const at = field + jsonPointerToken(key);
    if (key === 'at') {
      if (kinds.includes('distinct')) problems.push(problem(at, EXPECTED.atOfDistinct, value));
      else problems.push(...problemsOfPointer(value, at));
    } else if (isKind(key)) problems.push(...CHECKS[key](value, at));
    else problems.push(problem(at, EXPECTED.unknownKey, value));
  }
  if (kinds.length !== 1) problems.push(problem(field, EXPECTED.rule, rule));
  return problems;
}

const CHECKS: Record<Kind, (value: unknown, field: string) => FieldProblem[]> = {
  distinct: problemsOfPointer,
  pair(value, field) {
    if (!Array.isArray(value) || value.length !== 2) return [problem(field, EXPECTED.pair, value)];
    const problems = problemsOfMembers(value, field);
    if (problems.length > 0) return problems;
    const [first, second] = (value as JsonValue[]).map(canonicalJson);
    return first === second ? [problem(field, EXPECTED.pairOfEqual, value)] : [];
  },
  group(value, field) {
    if (!Array.isArray(value) || value.length < 2) return [problem(field, EXPECTED.group, value)];
    const problems = problemsOfMembers(value, field);
    if (problems.length > 0) return problems;
    const texts = (value as JsonValue[]).map(canonicalJson);
    const seen = new Set<string>();
    texts.forEach((text, index) => {
      if (seen.has(text))
        problems.push(problem(field + jsonPointerToken(index), EXPECTED.newMember, value[index]));
      seen.add(text);
    });
    return problems;
  },
};

function problemsOfPointer(value: unknown, field: string): FieldProblem[] {
  return typeof value === 'string' && isJsonPointer(value) ? [] : [problem(field, EXPECTED.pointer, value)];
}

function problemsOfMembers(members: readonly unknown[], field: string): FieldProblem[] {
  return [...members].flatMap((member, index) =>
    isJson(member) ? [] : [problem(field + jsonPointerToken(index), EXPECTED.member, member)],
  );
}

/** The same text for rules that keep the same records apart: order of members and `pair` or `group` don't matter. */
function meaningOf(rule: ConflictRule): string {
  const members = membersOf(rule)?.map(canonicalJson).sort() ?? null;
  return canonicalJson([pointerOf(rule), members]);
}

function isKind(key: string): key is Kind {
  return (KINDS as readonly string[]).includes(key);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isJson(value: unknown): value is JsonValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return Array.from<unknown>(value).every(isJson);
  return isObject(value) && Object.values(value).every(isJson);
}
