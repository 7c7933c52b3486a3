import { canonicalJson, type JsonValue } from '../json';

/** Members that every kind of rule has. */
interface Scope {
  /**
   * JSON Pointer, or several: the rule applies only between two records that have equal values there. It doesn't apply to
   * records that have no value there.
   */
  same?: string | string[];
}

/** Values equal to the first and values equal to the second are kept apart. */
export interface PairRule extends Scope {
  pair: [JsonValue, JsonValue];
  /** JSON Pointer (RFC 6901) to the part of the record that is compared; the whole record when absent. */
  at?: string;
}

/** Any two different values of the group are kept apart. */
export interface GroupRule extends Scope {
  group: JsonValue[];
  /** See {@link PairRule}. */
  at?: string;
}

/** Two records with equal values at this JSON Pointer are kept apart; `""` is the whole record. */
export interface DistinctRule extends Scope {
  distinct: string;
}

/**
 * A record that `left` selects and another record that `right` selects are kept apart. So a record that both select is
 * kept apart from every other record that either selects, including a copy of itself.
 */
export interface NeverRule extends Scope {
  never: { left: Selector; right: Selector };
}

/**
 * Two records that differ at this JSON Pointer are kept apart, so that all records of a batch have the same value there,
 * as with the batch key of other systems. A record without a value there differs from every record with one, including
 * null, and is equal to other records without one. `""` is the whole record: a batch then has equal records only.
 */
export interface AlikeRule extends Scope {
  alike: string;
}

/** States which two records must never share a batch. Plain JSON, because workflow state carries it. */
export type ConflictRule = PairRule | GroupRule | DistinctRule | NeverRule | AlikeRule;

/**
 * Selects records by their value at a JSON Pointer. At most one condition: `equals`, `in`, `prefix`, or a range with one
 * or two bounds; without a condition, any value. A range of numbers contains only numbers, a range of strings only
 * strings. Strings are ordered by UTF-16 code units, so dates in ISO 8601 are ordered by time.
 */
export interface Selector {
  /** Default: the whole record. */
  at?: string;
  equals?: JsonValue;
  in?: JsonValue[];
  /** Lower bound of a range, included. */
  atLeast?: number | string;
  /** Lower bound, excluded. */
  above?: number | string;
  /** Upper bound, included. */
  atMost?: number | string;
  /** Upper bound, excluded. */
  below?: number | string;
  /** Selects strings that start with this. */
  prefix?: string;
}

/** The values of a `pair` or `group`, and the pointer to the compared part; undefined for other kinds of rules. */
export function membersOf(rule: ConflictRule): { values: readonly JsonValue[]; at: string } | undefined {
  if ('pair' in rule) return { values: rule.pair, at: rule.at ?? '' };
  return 'group' in rule ? { values: rule.group, at: rule.at ?? '' } : undefined;
}

/** The pointers of `same`: where two records must have equal values for the rule to apply between them. */
export function scopeOf({ same }: ConflictRule): readonly string[] {
  return same === undefined ? [] : typeof same === 'string' ? [same] : same;
}

/** A text that is the same for equal rules, or equal lists of rules. Different rules with the same meaning have different texts. */
export function ruleKey(rules: ConflictRule | readonly ConflictRule[]): string {
  // Rules are JSON values, which the compiler can't infer for interfaces.
  return canonicalJson(rules as unknown as JsonValue);
}
