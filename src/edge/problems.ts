import type { z } from 'zod';
import { KeepapartError } from '../domain/errors';
import { describeReceived } from '../domain/field-problems';
import type { FieldProblem } from '../domain/field-problems';
import { jsonPointerToken } from '../domain/json-pointer';

/** More would not help, and a list of a million bad records must not cause an answer of that size. */
const MAX_LISTED = 20;

/** Maximum length of a pointer, which consists of the client's own keys. */
const MAX_FIELD_LENGTH = 200;

/** JSON Pointer (RFC 6901). */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => jsonPointerToken(String(key))).join('');
}

/** Shortens a text whose length a client chose. */
export function shorten(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength - 3)}...` : text;
}

/** Keeps the first twenty problems and only counts the rest, because a body may contain a million. */
export class ProblemList {
  private readonly listed: FieldProblem[] = [];
  private count = 0;

  add(describe: () => FieldProblem): void {
    if (this.count++ >= MAX_LISTED) return;
    const problem = describe();
    this.listed.push({ ...problem, field: shorten(problem.field, MAX_FIELD_LENGTH) });
  }

  /** @throws `invalid-request` with the collected problems, if any */
  throwIfAny(detail: string): void {
    if (this.count === 0) return;
    const more =
      this.count > MAX_LISTED ? ` (${this.count} problems, the first ${MAX_LISTED} are listed)` : '';
    throw new KeepapartError('invalid-request', `${detail}${more}`, { problems: this.listed });
  }
}

/**
 * Validates `input` with a schema, and returns the result. Our schemas word every message as what is expected, so an issue
 * maps to a {@link FieldProblem}.
 * @param toField names the place for the client
 * @throws `invalid-request` with all problems
 */
export function validate<T>(
  schema: z.ZodType<T>,
  input: unknown,
  detail: string,
  toField: (path: readonly PropertyKey[]) => string = jsonPointer,
): T {
  const problems = new ProblemList();
  const data = check(problems, schema, input, toField);
  problems.throwIfAny(detail);
  return data as T;
}

/** Like {@link validate}, for input with further checks: collects the problems, and returns undefined if there are any. */
export function check<T>(
  problems: ProblemList,
  schema: z.ZodType<T>,
  input: unknown,
  toField: (path: readonly PropertyKey[]) => string = jsonPointer,
): T | undefined {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const path = [...issue.path, key];
        problems.add(() => ({
          field: toField(path),
          expected: 'no such key',
          received: describeAt(input, path),
        }));
      }
    } else {
      problems.add(() => ({
        field: toField(issue.path),
        expected: issue.message,
        received: receivedOf(issue, input),
      }));
    }
  }
  return undefined;
}

function receivedOf(issue: z.core.$ZodIssue, input: unknown): string {
  if (issue.code === 'custom' && typeof issue.params?.['received'] === 'string')
    return issue.params['received'];
  return describeAt(input, issue.path);
}

function describeAt(input: unknown, path: readonly PropertyKey[]): string {
  let value = input;
  for (const key of path)
    value = Object.hasOwn(Object(value) as object, key)
      ? (value as Record<PropertyKey, unknown>)[key]
      : undefined;
  return Array.isArray(value) && value.length > 0 ? `a list of ${value.length}` : describeReceived(value);
}
