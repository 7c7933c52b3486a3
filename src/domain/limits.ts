import { parseConflictRules, type ConflictRule } from './rules';
import { DAY, KIB } from './duration';
import { describeReceived, type FieldProblem } from './field-problems';
import { isDeeperThan, utf8Bytes } from './json';
import { jsonPointerToken } from './json-pointer';
import { problemsOfPace, type MaxSavesPerSecond } from './pace/pace-limits';

/** The settings that can be changed at runtime. Units and meanings: `docs/CONFIGURATION.md`. */
export interface Limits {
  maxBatchSize: number;
  conflicts: ConflictRule[];
  flushIntervalMs: number;
  batchSpacingMs: number;
  maxSavesPerSecond: MaxSavesPerSecond;
  maxInFlight: number;
  maxAttempts: number;
  retryIntervalMs: number;
}

export type LimitKey = keyof Limits;

/**
 * Least and greatest value of each integer limit. The configuration, the API and the batcher all check these ranges, so
 * that they accept the same values.
 */
export const LIMIT_RANGES = {
  maxBatchSize: [1, 1000],
  flushIntervalMs: [1, DAY],
  batchSpacingMs: [0, DAY],
  maxInFlight: [1, 10_000],
  maxAttempts: [1, 100],
  retryIntervalMs: [1, DAY],
} as const satisfies Partial<Record<LimitKey, readonly [least: number, greatest: number]>>;

/** Upper bound of `SHARDS`. */
export const MAX_SHARDS = 64;

/** Upper bound of the Idempotency-Keys that a shard remembers: 43 bytes each of carried state. */
export const MAX_WINDOW_KEYS = 4000;

/** In the order of the documentation. */
export const LIMIT_KEYS: readonly LimitKey[] = [
  'maxBatchSize',
  'conflicts',
  'flushIntervalMs',
  'batchSpacingMs',
  'maxSavesPerSecond',
  'maxInFlight',
  'maxAttempts',
  'retryIntervalMs',
];

/**
 * A change of limits, as a JSON merge patch (RFC 7396): limits that aren't named stay as they are, `null` resets a limit
 * to the configured value, and a list of rules replaces the whole previous list.
 */
export type LimitsPatch = { [Key in LimitKey]?: Limits[Key] | null };

/** Bound of the configured rules, and of an override, in the batcher's carried state. */
const MAX_RULES_BYTES = 64 * KIB;

/** Deeper input is refused unseen: no valid rule nests that deep, and JSON.stringify still handles it. */
const MAX_RULES_DEPTH = 100;

export const EXPECTED_RULES = 'a JSON array of conflict rules, at most 64 KiB';

/** Text for `expected` of a problem with an integer limit. */
export function expectedInteger(least: number, greatest: number): string {
  return `an integer from ${least} to ${greatest}`;
}

/** Validates a list of conflict rules. Returns all problems, each with a JSON Pointer into the list; none if valid. */
export function problemsOfRules(input: unknown): FieldProblem[] {
  const isList = Array.isArray(input) && !isDeeperThan(input, MAX_RULES_DEPTH);
  if (!isList || utf8Bytes(JSON.stringify(input)) > MAX_RULES_BYTES)
    return [{ field: '', expected: EXPECTED_RULES, received: describeReceived(input) }];
  return parseConflictRules(input).problems;
}

/** Validates a parsed {@link LimitsPatch}. Returns all problems, each with a JSON Pointer into it; none if valid. */
export function problemsOfLimitsPatch(input: unknown): FieldProblem[] {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return [{ field: '', expected: 'an object with limits', received: describeReceived(input) }];
  return Object.entries(input).flatMap(([key, value]) => {
    const field = jsonPointerToken(key);
    if (!isLimitKey(key)) {
      const expected = `one of ${LIMIT_KEYS.join(', ')}`;
      return [{ field, expected, received: 'a name that is not a limit' }];
    }
    if (value === null) return [];
    return problemsOfLimit(key, value).map((problem) => ({ ...problem, field: field + problem.field }));
  });
}

function problemsOfLimit(key: LimitKey, value: unknown): FieldProblem[] {
  if (key === 'conflicts') return problemsOfRules(value);
  if (key === 'maxSavesPerSecond') return problemsOfPace(value);
  const [least, greatest] = LIMIT_RANGES[key];
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= greatest) return [];
  return [{ field: '', expected: expectedInteger(least, greatest), received: describeReceived(value) }];
}

function isLimitKey(key: string): key is LimitKey {
  return (LIMIT_KEYS as readonly string[]).includes(key);
}

/** Picks the limits from settings. */
export function limitsOf(settings: Limits): Limits {
  return Object.fromEntries(LIMIT_KEYS.map((key) => [key, settings[key]])) as unknown as Limits;
}
