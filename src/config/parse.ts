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
  parse(raw: unknown): Parsed<T>;
}

/** A parser without detailed problems: `read` returns `undefined` for what it doesn't accept. */
function parser<T>(expected: string, read: (raw: unknown) => T | undefined): Parser<T> {
  return {
    expected,
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
  return parser(expectedInteger(min, max), (raw) => {
    const value = numberFrom(raw, /^-?\d+$/);
    return Number.isInteger(value) ? within(value, min, max) : undefined;
  });
}

/** A share, from 0 (none) to 1 (all). */
export function share(): Parser<number> {
  return parser('a number from 0 to 1', (raw) => within(numberFrom(raw, /^\d+(\.\d+)?$/), 0, 1));
}

/** A size in bytes, both bounds included: a whole number, optionally followed by KiB or MiB. */
export function bytes(min: number, max: number): Parser<number> {
  const expected = `a whole number of bytes, KiB or MiB, from ${formatBytes(min)} to ${formatBytes(max)}`;
  return parser(expected, (raw) => {
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
  return parser(expected, (raw) => (typeof raw === 'string' && form.test(raw) ? raw : undefined));
}

/** One of several words. */
export function oneOf<T extends string>(...words: readonly T[]): Parser<T> {
  return parser(`one of ${words.join(', ')}`, (raw) => words.find((word) => word === raw));
}
