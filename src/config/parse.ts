import { didYouMean } from '../domain/closest-name';
import { KIB, MIB } from '../domain/duration';
import { describeReceived, type FieldProblem } from '../domain/field-problems';
import { expectedInteger } from '../domain/limits';

/**
 * Either the value or what is wrong with it. The `field` of a problem is a JSON Pointer into what was written, empty for
 * the whole setting, so that the setting's name can be prepended.
 */
export type Parsed<T> = { value: T } | { problems: readonly FieldProblem[] };

/** Turns what a user wrote, text from the environment or a flag, or a JSON value from the file, into a setting's value. */
export interface Parser<T> {
  /** What is accepted, in words; the same text in error messages and in `docs/CONFIGURATION.md`. */
  expected: string;
  /** The words that are accepted, for suggestions and shell completion; undefined if there is no such list. */
  choices?: readonly string[];
  /**
   * The same as a JSON Schema, for tools that check settings before they reach a process. It may accept more than `parse`
   * does, never less. Undefined for what nothing but `parse` can judge.
   */
  schema?: JsonSchema;
  parse(raw: unknown): Parsed<T>;
}

/** The part of JSON Schema that settings need. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A parser without detailed problems: `read` returns `undefined` for what it doesn't accept. */
function parser<T>(expected: string, schema: JsonSchema, read: (raw: unknown) => T | undefined): Parser<T> {
  return {
    expected,
    schema,
    parse(raw) {
      const value = read(raw);
      if (value !== undefined) return { value };
      return { problems: [{ field: '', expected, received: describeReceived(raw) }] };
    },
  };
}

/** A JSON number, or text of the given form; `Number` alone would also accept `''`, `' 5 '`, `0x10` and `1e3`. */
function numberFrom(raw: unknown, form: RegExp): number {
  if (typeof raw === 'number') return raw;
  return typeof raw === 'string' && form.test(raw) ? Number(raw) : NaN;
}

function within(value: number, min: number, max: number): number | undefined {
  return value >= min && value <= max ? value : undefined;
}

/** A whole number; both bounds are included. */
export function integer(min: number, max: number): Parser<number> {
  return parser(expectedInteger(min, max), { type: 'integer', minimum: min, maximum: max }, (raw) => {
    const value = numberFrom(raw, /^-?\d+$/);
    return Number.isInteger(value) ? within(value, min, max) : undefined;
  });
}

/** A share, from 0 (none) to 1 (all). */
export function share(): Parser<number> {
  const schema = { type: 'number', minimum: 0, maximum: 1 };
  return parser('a number from 0 to 1', schema, (raw) => within(numberFrom(raw, /^\d+(\.\d+)?$/), 0, 1));
}

/** A size in bytes, both bounds included: a whole number, optionally followed by KiB or MiB. */
export function bytes(min: number, max: number): Parser<number> {
  const expected = `a whole number of bytes, KiB or MiB, from ${formatBytes(min)} to ${formatBytes(max)}`;
  const schema = {
    anyOf: [
      { type: 'integer', minimum: min, maximum: max },
      { type: 'string', pattern: '^[0-9]+ ?([kK][iI][bB]|[mM][iI][bB])?$' },
    ],
  };
  return parser(expected, schema, (raw) => {
    const [, digits = raw, unit = ''] = (typeof raw === 'string' && /^(\d+) ?(KiB|MiB)$/i.exec(raw)) || [];
    const value = numberFrom(digits, /^\d+$/) * ({ kib: KIB, mib: MIB }[unit.toLowerCase()] ?? 1);
    return Number.isInteger(value) ? within(value, min, max) : undefined;
  });
}

/** `65536` as `64 KiB`: in the largest unit that gives a whole number. */
export function formatBytes(size: number): string {
  if (size > 0 && size % MIB === 0) return `${size / MIB} MiB`;
  if (size > 0 && size % KIB === 0) return `${size / KIB} KiB`;
  return `${size} ${size === 1 ? 'byte' : 'bytes'}`;
}

/** Text of a given form, which `expected` describes in words. */
export function text(expected: string, form: RegExp): Parser<string> {
  return parser(expected, { type: 'string', pattern: form.source }, (raw) =>
    typeof raw === 'string' && form.test(raw) ? raw : undefined,
  );
}

/** One of several words. A word that is close to one of them is refused with a suggestion. */
export function oneOf<T extends string>(...words: readonly T[]): Parser<T> {
  return withChoices(
    words,
    parser(`one of ${words.join(', ')}`, { enum: words }, (raw) => words.find((word) => word === raw)),
  );
}

/** A parser that accepts these words, and perhaps others. */
export function withChoices<T>(choices: readonly string[], { expected, parse }: Parser<T>): Parser<T> {
  return {
    expected,
    choices,
    parse(raw) {
      const parsed = parse(raw);
      if ('value' in parsed || typeof raw !== 'string') return parsed;
      const hint = didYouMean(raw, choices);
      return { problems: parsed.problems.map((one) => ({ ...one, received: one.received + hint })) };
    },
  };
}
