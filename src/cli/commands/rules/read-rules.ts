import type { ConflictRule } from '../../../domain/rules';
import { KeepapartError } from '../../../domain/errors';
import { describeReceived, problemLines, type FieldProblem } from '../../../domain/field-problems';
import { isObject, type JsonValue } from '../../../domain/json';
import { problemsOfRules } from '../../../domain/limits';
import { plain } from '../../terminal/text';
import { readDocument, unusable } from './read-document';

/** Where an object has them. */
const KEYS = ['rules', 'CONFLICTS'];

/** Rules as somebody wrote them. */
export interface WrittenRules {
  /** Whatever stands there; nothing when there are none. */
  rules: JsonValue | undefined;
  /** JSON Pointer to where they stand in the file. */
  at: string;
}

/**
 * The rules that a file holds: the file itself, or `rules` of a file with tests, or `CONFLICTS` of a configuration.
 * Throws `invalid-config` when there are none; what is wrong with them is not looked at.
 */
export async function writtenRules(file: string): Promise<WrittenRules> {
  const document = await readDocument(file);
  if (Array.isArray(document)) return { rules: document, at: '' };
  const key = isObject(document) ? KEYS.find((key) => Object.hasOwn(document, key)) : undefined;
  if (key !== undefined) return { rules: asRules((document as Record<string, unknown>)[key]), at: `/${key}` };
  const expected = `a list of rules, or an object that has it as ${KEYS.join(' or ')}`;
  throw unusable(file, [{ field: 'the file', expected, received: describeReceived(document) }]);
}

/** The rules of a file, all of them right. Throws `invalid-config` otherwise. */
export async function rulesOfFile(file: string): Promise<ConflictRule[]> {
  const written = await writtenRules(file);
  const problems = problemsOf(written);
  if (problems.length > 0) throw wrongRules(file, written, problems);
  return written.rules as unknown as ConflictRule[];
}

/** A list of rules, which a configuration may also have as text. */
export function asRules(raw: unknown): JsonValue {
  if (typeof raw !== 'string') return raw as JsonValue;
  try {
    return JSON.parse(raw) as JsonValue;
  } catch {
    return raw;
  }
}

/** What is wrong with rules, each at its place in the file. */
export function problemsOf({ rules, at }: WrittenRules): FieldProblem[] {
  return problemsOfRules(rules).map(({ field, ...problem }) => ({
    field: at + field || 'the list',
    ...problem,
  }));
}

/** Shows each rule that is wrong, with what is expected in its place. */
export function wrongRules(
  source: string,
  { rules, at }: WrittenRules,
  problems: readonly FieldProblem[],
): KeepapartError {
  const byRule = new Map<string, FieldProblem[]>();
  for (const problem of problems) {
    const rule = /^\/\d+/.exec(problem.field.slice(at.length))?.[0] ?? '';
    byRule.set(rule, [...(byRule.get(rule) ?? []), problem]);
  }
  const told = [...byRule].map(([pointer, ofRule]) => {
    const index = Number(pointer.slice(1));
    const head = pointer === '' ? '' : `\n  rule ${index + 1}: ${ruleText((rules as JsonValue[])[index])}`;
    return head + problemLines(ofRule).replaceAll('\n', '\n  ');
  });
  return new KeepapartError('invalid-config', `Rules of ${source} have to be changed:${told.join('')}`, {
    problems,
  });
}

/** Longer rules are cut where they are shown. */
const MAX_RULE_LENGTH = 200;

/** A rule as it may stand in a terminal. */
export function ruleText(rule: unknown): string {
  const text = plain(JSON.stringify(rule));
  return text.length > MAX_RULE_LENGTH ? `${text.slice(0, MAX_RULE_LENGTH - 1)}…` : text;
}
