import { describeReceived, type FieldProblem } from '../field-problems';
import { utf8Bytes } from '../json';
import { isJsonPointer } from '../json-pointer';

/** A rate at which records of one shard start being saved, for all of them or per value of a part of them. */
export interface PaceLimit {
  /**
   * JSON Pointer (RFC 6901): the rate holds for each value there by itself, and not at all for records that have nothing
   * there. Absent: the rate holds for all records together.
   */
  at?: string;
  /** Records per second: a whole number from 1 to {@link MAX_PER_SECOND}. */
  perSecond: number;
}

/**
 * `MAX_SAVES_PER_SECOND`: a number is a rate for all records together, 0 for none; a list has at most one rate for all
 * records and at most one per value.
 *
 * @example
 * [{ perSecond: 100 }, { at: '/tenant', perSecond: 10 }]
 */
export type MaxSavesPerSecond = number | PaceLimit[];

export const MAX_PER_SECOND = 100_000;

/** Pointers travel in the batcher's state, where each part has its bound. */
const MAX_POINTER_BYTES = 256;

export const EXPECTED_PACE =
  'an integer from 0 to 100000, or a JSON array of at most one {"perSecond":n} and one {"at":"/pointer","perSecond":n}';
const EXPECTED_RATE = 'an integer from 1 to 100000';
const EXPECTED_POINTER = 'a JSON Pointer of at most 256 bytes';

/** The two rates that `MAX_SAVES_PER_SECOND` can set. */
export interface PaceLimits {
  /** For all records together; undefined for no limit. */
  overall: number | undefined;
  perValue: { at: string; perSecond: number } | undefined;
}

/** @param setting absent in a run that began before there was this setting */
export function paceLimitsOf(setting: MaxSavesPerSecond = 0): PaceLimits {
  const limits = typeof setting !== 'number' ? setting : setting > 0 ? [{ perSecond: setting }] : [];
  const paced: PaceLimits = { overall: undefined, perValue: undefined };
  for (const { at, perSecond } of limits) {
    if (at === undefined) paced.overall = perSecond;
    else paced.perValue = { at, perSecond };
  }
  return paced;
}

/** Everything that is wrong with a {@link MaxSavesPerSecond}, each at a JSON Pointer into it. */
export function problemsOfPace(input: unknown): FieldProblem[] {
  if (isRate(input, 0)) return [];
  // Two limits of different kinds are the most; what a longer list holds isn't worth reading.
  if (!Array.isArray(input) || input.length > 2) return [problem('', EXPECTED_PACE, input)];
  const limits: readonly unknown[] = input;
  const problems = limits.flatMap((limit, index) =>
    problemsOfLimit(limit).map((found) => ({ ...found, field: `/${index}${found.field}` })),
  );
  if (problems.length > 0 || limits.length < 2) return problems;
  const [first, second] = (limits as PaceLimit[]).map(({ at }) => at !== undefined);
  return first === second ? [problem('', EXPECTED_PACE, input)] : [];
}

function problemsOfLimit(input: unknown): FieldProblem[] {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return [problem('', '{"perSecond":n} or {"at":"/pointer","perSecond":n}', input)];
  const { at, perSecond, ...others } = input as { at?: unknown; perSecond?: unknown };
  const problems = Object.entries(others).map(([key, value]) =>
    problem(`/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, 'only the keys at and perSecond', value),
  );
  if (at !== undefined && !isPointer(at)) problems.push(problem('/at', EXPECTED_POINTER, at));
  if (!isRate(perSecond, 1)) problems.push(problem('/perSecond', EXPECTED_RATE, perSecond));
  return problems;
}

function isRate(input: unknown, least: number): boolean {
  return typeof input === 'number' && Number.isInteger(input) && input >= least && input <= MAX_PER_SECOND;
}

function isPointer(input: unknown): boolean {
  return typeof input === 'string' && utf8Bytes(input) <= MAX_POINTER_BYTES && isJsonPointer(input);
}

function problem(field: string, expected: string, received: unknown): FieldProblem {
  return { field, expected, received: describeReceived(received) };
}
