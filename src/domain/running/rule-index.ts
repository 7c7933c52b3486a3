import type { ConflictRule } from '../rules';
import { placesUnder, type Place } from '../rules/places';
import { membersOf } from '../rules/rule';
import { canonicalJson, isComposite, type JsonValue } from '../json';
import { parseJsonPointer, valueAt } from '../json-pointer';

/** The place of a record under one of several rules. */
export interface RulePlace extends Place {
  /** Index of the rule. */
  rule: number;
}

/** The members of all rules that compare the same part of a record. */
interface Members {
  tokens: readonly string[];
  /** Indexes of the rules, by the canonical text of a member. */
  rules: Map<string, number[]>;
  /** Whether any member is an array or object. If not, no canonical text is made of one in a record, which is expensive. */
  composite: boolean;
}

/**
 * An index of rules that finds the rules that apply to a record. Rules with members (`pair`, `group`) are looked up by
 * member, so that a record costs time for the rules that apply to it, not for all; other rules are evaluated one by one.
 */
export class RuleIndex {
  private readonly places: ((record: JsonValue) => Place | undefined)[];
  private readonly withoutMembers: number[] = [];
  private readonly byMember = new Map<string, Members>();

  constructor(readonly rules: readonly ConflictRule[]) {
    this.places = rules.map(placesUnder);
    for (const [index, rule] of rules.entries()) {
      const members = membersOf(rule);
      if (members === undefined) this.withoutMembers.push(index);
      else for (const value of members.values) this.add(members.at, value, index);
    }
  }

  /** The places of a record under all rules that apply to it, in the order of the rules. */
  placesOf(record: JsonValue): RulePlace[] {
    return this.candidates(record).flatMap((rule) => {
      const place = this.places[rule]?.(record);
      return place === undefined ? [] : [{ rule, ...place }];
    });
  }

  /** The rules that apply to any of these records, in the order of the rules. */
  applyingTo(records: readonly { value: JsonValue }[]): ConflictRule[] {
    const applying = new Set(records.flatMap(({ value }) => this.placesOf(value).map(({ rule }) => rule)));
    return this.rules.filter((_, index) => applying.has(index));
  }

  private add(at: string, member: JsonValue, rule: number): void {
    const known = this.byMember.get(at);
    const members = known ?? {
      tokens: parseJsonPointer(at),
      rules: new Map<string, number[]>(),
      composite: false,
    };
    if (known === undefined) this.byMember.set(at, members);
    members.composite ||= isComposite(member);
    const text = canonicalJson(member);
    const rules = members.rules.get(text);
    if (rules === undefined) members.rules.set(text, [rule]);
    else rules.push(rule);
  }

  private candidates(record: JsonValue): number[] {
    const found: number[] = [];
    for (const { tokens, rules, composite } of this.byMember.values()) {
      const part = valueAt(record, tokens);
      if (part === undefined || (isComposite(part) && !composite)) continue;
      found.push(...(rules.get(canonicalJson(part)) ?? []));
    }
    if (found.length === 0) return this.withoutMembers;
    return [...this.withoutMembers, ...found].sort((a, b) => a - b);
  }
}

const indexes = new WeakMap<readonly ConflictRule[], RuleIndex>();

/** The index of a list of rules, cached by the list, which must not be modified. */
export function ruleIndexOf(rules: readonly ConflictRule[]): RuleIndex {
  const index = indexes.get(rules) ?? new RuleIndex(rules);
  indexes.set(rules, index);
  return index;
}
