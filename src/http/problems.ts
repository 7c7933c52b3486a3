import type { z } from 'zod';
import { describeReceived, KeepapartError } from '../domain/errors';
import type { FieldProblem } from '../domain/errors';
import { jsonPointerToken } from '../domain/json-pointer';

/** More would not help anybody, and a list of a million bad records must not make an answer of that size. */
const MAX_LISTED = 20;

/** JSON Pointer (RFC 6901). */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => jsonPointerToken(String(key))).join('');
}

/** Collects problems, keeps the first twenty, and counts the rest. */
export function problemList() {
  const listed: FieldProblem[] = [];
  let count = 0;
  return {
    add(problem: FieldProblem): void {
      if (count++ < MAX_LISTED) listed.push(problem);
    },
    /** Throws `invalid-request` with what was collected. */
    throwIfAny(detail: string): void {
      if (count === 0) return;
      const more = count > listed.length ? ` (${count} problems, the first ${listed.length} are listed)` : '';
      throw new KeepapartError('invalid-request', `${detail}${more}`, { problems: listed });
    },
  };
}

/**
 * What the schema makes of `input`; throws `invalid-request` otherwise. Our schemas phrase every message as what is
 * expected, so that an issue and a {@link FieldProblem} say the same. `toField` names the place to the client.
 */
export function validate<T>(
  schema: z.ZodType<T>,
  input: unknown,
  detail: string,
  toField: (path: readonly PropertyKey[]) => string = jsonPointer,
): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const problems = problemList();
  for (const issue of result.error.issues) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const path = [...issue.path, key];
        problems.add({ field: toField(path), expected: 'no such key', received: describeAt(input, path) });
      }
    } else {
      problems.add({
        field: toField(issue.path),
        expected: issue.message,
        received: receivedOf(issue, input),
      });
    }
  }
  problems.throwIfAny(detail);
  throw new KeepapartError('invalid-request', detail);
}

function receivedOf(issue: z.core.$ZodIssue, input: unknown): string {
  if (issue.code === 'custom' && typeof issue.params?.['received'] === 'string')
    return issue.params['received'];
  return describeAt(input, issue.path);
}

function describeAt(input: unknown, path: readonly PropertyKey[]): string {
  let value = input;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
  return Array.isArray(value) && value.length > 0 ? `a list of ${value.length}` : describeReceived(value);
}
