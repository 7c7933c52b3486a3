import { canonicalJson, type JsonValue } from '../json';
import { membersOf, scopeOf, type ConflictRule, type NeverRule, type Selector } from './rule';
import { selectedValues } from './value-set';

/**
 * A text that is the same for rules with the same meaning. It doesn't depend on the order of members, sides and pointers,
 * nor on the choice between `pair`, `group` and a `never` of two values, between `equals` and `in` with one value, or
 * between `same` and `distinct`.
 */
export function meaningOf(rule: ConflictRule): string {
  const scope = [...new Set([...scopeOf(rule), ...('distinct' in rule ? [rule.distinct] : [])])].sort();
  return canonicalJson([scope, aboutOf(rule)]);
}

function aboutOf(rule: ConflictRule): JsonValue {
  if ('distinct' in rule) return null;
  if ('alike' in rule) return { alike: rule.alike };
  const members = membersOf(rule) ?? asPair(rule as NeverRule);
  if (members !== undefined) return [members.at, members.values.map(canonicalJson).sort()];
  const { left, right } = (rule as NeverRule).never;
  return { never: [left, right].map(selectorMeaning).sort() };
}

/** The members of a `never` rule that means the same as a `pair`; undefined for others. */
function asPair({ never: { left, right } }: NeverRule): ReturnType<typeof membersOf> {
  const [a, b] = [left, right].map(singleOf);
  if (a === undefined || b === undefined || canonicalJson(a) === canonicalJson(b)) return undefined;
  const at = left.at ?? '';
  return at === (right.at ?? '') ? { at, values: [a, b] } : undefined;
}

function singleOf({ equals, in: listed }: Selector): JsonValue | undefined {
  return listed?.length === 1 ? listed[0] : equals;
}

function selectorMeaning(selector: Selector): string {
  const set = selectedValues(selector);
  const at = selector.at ?? '';
  if (set.kind !== 'listed') return canonicalJson([at, set as unknown as JsonValue]);
  return canonicalJson([at, [...set.values.keys()].sort()]);
}
