import { canonicalJson, type JsonValue } from '../json';

/** What every rule may say besides. */
interface Scope {
  /**
   * JSON Pointer, or several: the rule holds only between two records that have the same value there. A record that has
   * none there isn't touched by the rule.
   */
  same?: string | string[];
}

/** Values equal to the first and values equal to the second are kept apart. */
export interface PairRule extends Scope {
  pair: [JsonValue, JsonValue];
  /** JSON Pointer (RFC 6901) to the part of the record that is compared; the whole record when absent. */
  at?: string;
}

/** Any two different members are kept apart. */
export interface GroupRule extends Scope {
  group: JsonValue[];
  at?: string;
}

/** Two records with the same value at this JSON Pointer are kept apart; `""` is the whole record. */
export interface DistinctRule extends Scope {
  distinct: string;
}

/**
 * A record that `left` selects and another one that `right` selects are kept apart. So a record that both select is kept
 * apart from every other that either selects, its own twin included.
 */
export interface NeverRule extends Scope {
  never: { left: Selector; right: Selector };
}

/**
 * Two records that differ at this JSON Pointer are kept apart, so that a batch holds one value only: the batch key of
 * other systems. A record that has nothing there differs from every record that has something, null included, and not from
 * another that has nothing. `""` is the whole record: a batch then holds equal records only.
 */
export interface AlikeRule extends Scope {
  alike: string;
}

/** Says which two records must never share a batch. Rules are data: they travel in workflow state. */
export type ConflictRule = PairRule | GroupRule | DistinctRule | NeverRule | AlikeRule;

/**
 * Selects records by the part at `at` (the whole record when absent): one that is there at all, or that is equal to a
 * value or to one of several, or in a range, or a text with a beginning. A range is of numbers or of texts, and holds
 * only what is of its kind; texts are in the order of their UTF-16 code units, which is that of dates as in ISO 8601.
 */
export interface Selector {
  at?: string;
  equals?: JsonValue;
  in?: JsonValue[];
  atLeast?: number | string;
  above?: number | string;
  atMost?: number | string;
  below?: number | string;
  prefix?: string;
}

/** The values that a rule keeps apart from each other, and where; undefined for what is no `pair` or `group`. */
export function membersOf(rule: ConflictRule): { values: readonly JsonValue[]; at: string } | undefined {
  if ('pair' in rule) return { values: rule.pair, at: rule.at ?? '' };
  return 'group' in rule ? { values: rule.group, at: rule.at ?? '' } : undefined;
}

/** The pointers at which two records must have the same values for a rule to hold between them. */
export function scopeOf({ same }: ConflictRule): readonly string[] {
  return same === undefined ? [] : typeof same === 'string' ? [same] : same;
}

/** The text that equal rules share, and equal lists of rules. Rules that say the same in other words have others. */
export function ruleKey(rules: ConflictRule | readonly ConflictRule[]): string {
  // Rules are JSON by what they are made of, which the compiler doesn't take from interfaces.
  return canonicalJson(rules as unknown as JsonValue);
}
