import { parseConflictRules, type ConflictRule } from './rules';
import { DAY, KIB } from './duration';
import { describeReceived, type FieldProblem } from './errors';
import { isDeeperThan, utf8Bytes } from './json';
import { jsonPointerToken } from './json-pointer';
import { problemsOfPace, type MaxSavesPerSecond } from './pace/pace-limits';

/** The part of the settings that can also be changed while everything runs. Units and meaning: `docs/CONFIGURATION.md`. */
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
 * Least and greatest value of each limit that is a whole number. The configuration, the API and the batcher all go by
 * these: what one of them takes, the others take too.
 */
export const LIMIT_RANGES = {
  maxBatchSize: [1, 1000],
  flushIntervalMs: [1, DAY],
  batchSpacingMs: [0, DAY],
  maxInFlight: [1, 10_000],
  maxAttempts: [1, 100],
  retryIntervalMs: [1, DAY],
} as const satisfies Partial<Record<LimitKey, readonly [least: number, greatest: number]>>;

/** The most that `SHARDS` may be. */
export const MAX_SHARDS = 64;

/** How many Idempotency-Keys a shard may remember: 43 bytes each in what its batcher hands over. */
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
 * A change of limits, as a JSON merge patch (RFC 7396): a limit that isn't named stays as it is, `null` gives it back to
 * the configuration, and a list of rules takes the place of the whole list before.
 */
export type LimitsPatch = { [Key in LimitKey]?: Limits[Key] | null };

/** The rules travel in the batcher's state, where each part has its bound: those configured, and those set later. */
const MAX_RULES_BYTES = 64 * KIB;

/** Levels of rules that are looked at: far more than rules can have, far fewer than JSON.stringify can bear. */
const MAX_RULES_DEPTH = 100;

export const EXPECTED_RULES = 'a JSON array of conflict rules, at most 64 KiB';

export function expectedInteger(least: number, greatest: number): string {
  return `an integer from ${least} to ${greatest}`;
}

/** What is wrong with a list of conflict rules, each at a JSON Pointer into it. */
export function problemsOfRules(input: unknown): FieldProblem[] {
  const isList = Array.isArray(input) && !isDeeperThan(input, MAX_RULES_DEPTH);
  if (!isList || utf8Bytes(JSON.stringify(input)) > MAX_RULES_BYTES)
    return [{ field: '', expected: EXPECTED_RULES, received: describeReceived(input) }];
  return parseConflictRules(input).problems;
}

/** Everything that is wrong with a {@link LimitsPatch}, as `JSON.parse` gives it; each at a JSON Pointer into it. */
export function problemsOfLimitsPatch(input: unknown): FieldProblem[] {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return [{ field: '', expected: 'an object with limits', received: describeReceived(input) }];
  return Object.entries(input).flatMap(([key, value]) => {
    const field = jsonPointerToken(key);
    if (!isLimitKey(key)) {
      const expected = `one of ${LIMIT_KEYS.join(', ')}`;
      return [{ field, expected, received: 'what is no limit that can be changed while keepapart runs' }];
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

/** The limits among settings, and nothing else of them. */
export function limitsOf(settings: Limits): Limits {
  return Object.fromEntries(LIMIT_KEYS.map((key) => [key, settings[key]])) as unknown as Limits;
}
