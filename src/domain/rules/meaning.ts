import { canonicalJson, type JsonValue } from '../json';
import { membersOf, scopeOf, type ConflictRule, type NeverRule, type Selector } from './rule';
import { selectedValues } from './value-set';

/**
 * The same text for rules that keep the same records apart, in other words: the order of members, sides and pointers
 * doesn't matter, nor whether it is `pair` or `group`, `equals` or `in` with one value, `same` or `distinct`.
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
  return { never: [left, right].map(textOf).sort() };
}

/** What is a `pair` in other words. */
function asPair({ never: { left, right } }: NeverRule): ReturnType<typeof membersOf> {
  const [a, b] = [left, right].map(singleOf);
  if (a === undefined || b === undefined || canonicalJson(a) === canonicalJson(b)) return undefined;
  const at = left.at ?? '';
  return at === (right.at ?? '') ? { at, values: [a, b] } : undefined;
}

function singleOf({ equals, in: listed }: Selector): JsonValue | undefined {
  return listed?.length === 1 ? listed[0] : equals;
}

function textOf(selector: Selector): string {
  const set = selectedValues(selector);
  const at = selector.at ?? '';
  if (set.kind !== 'listed') return canonicalJson([at, set as unknown as JsonValue]);
  return canonicalJson([at, [...set.values.keys()].sort()]);
}
