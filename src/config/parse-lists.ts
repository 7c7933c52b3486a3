import type { ConflictRule } from '../domain/rules';
import type { FieldProblem } from '../domain/field-problems';
import { isObject } from '../domain/json';
import { EXPECTED_RULES, problemsOfRules } from '../domain/limits';
import { EXPECTED_PACE, problemsOfPace, type MaxSavesPerSecond } from '../domain/pace/pace-limits';
import { RIGHTS, type Right } from '../domain/rights';
import type { Parser } from './parse';

/** A client that may use the HTTP API. Only the client knows the key itself. */
export interface ApiKey {
  readonly name: string;
  /** SHA-256 of the key: 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** Its rights, in the order of {@link RIGHTS}. */
  readonly rights: readonly Right[];
}

/** Conflict rules: a JSON value, or its text. `parseConflictRules` decides which rules are valid. */
export function conflictRules(): Parser<readonly ConflictRule[]> {
  return {
    expected: EXPECTED_RULES,
    schema: { type: ['array', 'string'] },
    parse(raw) {
      const input = typeof raw === 'string' ? jsonOf(raw) : raw;
      const problems = problemsOfRules(input);
      return problems.length > 0 ? { problems } : { value: input as ConflictRule[] };
    },
  };
}

/** `MAX_SAVES_PER_SECOND`: a number, a list of limits, or one limit; JSON, or its text. */
export function savesPerSecond(): Parser<MaxSavesPerSecond> {
  return {
    expected: EXPECTED_PACE,
    schema: { type: ['number', 'array', 'object', 'string'] },
    parse(raw) {
      const value = typeof raw === 'string' ? jsonOf(raw) : raw;
      const input = isObject(value) ? [value] : value;
      const problems = problemsOfPace(input);
      return problems.length > 0 ? { problems } : { value: input as MaxSavesPerSecond };
    },
  };
}

/** The JSON value of a text; the text itself if it isn't JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const ENTRY = /^([A-Za-z0-9_-]{1,32}):([0-9a-f]{64})(?::([a-z+]+))?$/;
const ENTRY_EXPECTED =
  'name:hash or name:hash:rights, the hash being the SHA-256 of the key in 64 lower-case hexadecimal digits, never the ' +
  `key itself, and the rights some of ${RIGHTS.join(', ')}, joined by +`;
const NOT_SHOWN = 'something else (not shown, because it may be a secret)';

/**
 * `name:sha256-hex` and `name:sha256-hex:right+right` entries, separated by commas, or as an array in the file. An entry
 * without rights has all of them. Problems never repeat what was written, because what isn't a hash is probably the key
 * itself.
 */
export function apiKeys(): Parser<readonly ApiKey[]> {
  const expected =
    'name:hash or name:hash:rights entries separated by commas, the hash in 64 lower-case hexadecimal digits';
  return {
    expected,
    parse(raw) {
      const entries = typeof raw === 'string' ? raw.split(',') : raw;
      if (!Array.isArray(entries)) return { problems: [{ field: '', expected, received: NOT_SHOWN }] };
      const keys: ApiKey[] = [];
      const problems: FieldProblem[] = [];
      for (const [index, entry] of entries.entries()) {
        const key = apiKeyFrom(entry);
        const field = `/${index}`;
        if (key === undefined) {
          problems.push({ field, expected: ENTRY_EXPECTED, received: NOT_SHOWN });
        } else if (keys.some(({ name }) => name === key.name)) {
          problems.push({
            field,
            expected: 'a name that no earlier entry uses',
            received: 'the same name again',
          });
        } else {
          keys.push(key);
        }
      }
      return problems.length > 0 ? { problems } : { value: keys };
    },
  };
}

function apiKeyFrom(entry: unknown): ApiKey | undefined {
  const [, name, sha256, written] = (typeof entry === 'string' && ENTRY.exec(entry.trim())) || [];
  if (name === undefined || sha256 === undefined) return undefined;
  const words = written?.split('+') ?? RIGHTS;
  const rights = RIGHTS.filter((right) => words.includes(right));
  // Shorter if a word is not a right, or is repeated.
  return rights.length === words.length ? { name, sha256, rights } : undefined;
}
