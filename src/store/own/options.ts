import type { FieldProblem } from '../../domain/field-problems';
import { isObject } from '../../domain/json';

/** The part of Standard Schema that is used here (https://standardschema.dev). */
export interface StandardSchema<Options> {
  readonly '~standard': {
    readonly validate: (value: unknown) => StandardResult<Options> | Promise<StandardResult<Options>>;
  };
}

type StandardResult<Options> =
  { readonly value: Options; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Validates a store's options: a Standard Schema, or anything whose `parse` returns the options or throws. */
export type OptionsSchema<Options> = StandardSchema<Options> | { parse(value: unknown): Options };

/** The validated options, or problems. Values aren't repeated, because they may be secret. */
export async function validateOptions<Options>(
  schema: OptionsSchema<Options>,
  value: unknown,
): Promise<{ options: Options } | { problems: FieldProblem[] }> {
  if ('~standard' in schema) {
    const result = await schema['~standard'].validate(value);
    if (result.issues === undefined) return { options: result.value };
    return { problems: result.issues.map((issue) => problemOf(issue, value)) };
  }
  try {
    return { options: await schema.parse(value) };
  } catch (error) {
    const issues: unknown = isObject(error) ? error['issues'] : undefined;
    const found = Array.isArray(issues) ? (issues as unknown[]).filter(isIssue) : [];
    if (found.length > 0) return { problems: found.map((issue) => problemOf(issue, value)) };
    const message = error instanceof Error ? error.message : String(error);
    return { problems: [problemOf({ message }, value)] };
  }
}

function isIssue(issue: unknown): issue is StandardIssue {
  return isObject(issue) && typeof issue['message'] === 'string';
}

function problemOf({ message, path = [] }: StandardIssue, value: unknown): FieldProblem {
  const keys = path.map((part) => (typeof part === 'object' ? part.key : part));
  let at: unknown = value;
  for (const key of keys) at = isObject(at) || Array.isArray(at) ? Reflect.get(at, key) : undefined;
  const field = ['STORE_OPTIONS', ...keys.map(String)].join('/');
  // Only its type, because it may be or contain a secret.
  const received = kindOf(at);
  return { field, expected: `a value that the store's schema accepts: ${message}`, received };
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return `${Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`} (not shown)`;
}
