import type { ConflictRule } from '../rules';
import { placesUnder, type Place } from '../rules/places';
import { membersOf } from '../rules/rule';
import { canonicalJson, isComposite, type JsonValue } from '../json';
import { parseJsonPointer, valueAt } from '../json-pointer';

/** Where one of several rules puts a record. */
export interface RulePlace extends Place {
  /** Index of the rule. */
  rule: number;
}

/** Rules that look at the same part of a record for one of their members. */
interface Members {
  tokens: readonly string[];
  /** By the canonical text of a member. */
  rules: Map<string, number[]>;
  /** Whether a list or object is among them: else the text of one, which costs the most, isn't looked for. */
  composite: boolean;
}

/**
 * Rules, made ready to tell which of them apply to a record. Those that have members are found by the member, so that a
 * record pays for the rules that apply to it and not for all of them; the others are asked one by one.
 */
export class RuleIndex {
  private readonly places: ((record: JsonValue) => Place | undefined)[];
  private readonly askedAlways: number[] = [];
  private readonly byMember = new Map<string, Members>();

  constructor(readonly rules: readonly ConflictRule[]) {
    this.places = rules.map(placesUnder);
    for (const [index, rule] of rules.entries()) {
      const members = membersOf(rule);
      if (members === undefined) this.askedAlways.push(index);
      else for (const value of members.values) this.add(members.at, value, index);
    }
  }

  /** In the order of the rules. */
  placesOf(record: JsonValue): RulePlace[] {
    return this.candidates(record).flatMap((rule) => {
      const place = this.places[rule]?.(record);
      return place === undefined ? [] : [{ rule, ...place }];
    });
  }

  /** The rules that apply to any of these records, in their order. */
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
    return found.length === 0 ? this.askedAlways : [...this.askedAlways, ...found].sort((a, b) => a - b);
  }
}

/** By the list itself: what is made ready from it never changes. */
const made = new WeakMap<readonly ConflictRule[], RuleIndex>();

/** The index of a list of rules that stays as it is; made once. */
export function ruleIndexOf(rules: readonly ConflictRule[]): RuleIndex {
  const known = made.get(rules) ?? new RuleIndex(rules);
  made.set(rules, known);
  return known;
}
