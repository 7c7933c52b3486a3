import { canonicalJson, type JsonValue } from '../json';
import { parseJsonPointer, valueAt } from '../json-pointer';
import { membersOf, scopeOf, type ConflictRule } from './rule';
import { selects } from './selector';

/**
 * Indices of the rules that keep two records apart, ascending. This is the definition of a conflict, which everything
 * else is tested against. Values are compared as JSON (`canonicalJson`). A rule doesn't apply to a record in which its
 * pointer finds nothing, except for `alike`, which treats nothing as a value. Rules are independent: adding a rule never
 * removes a conflict.
 *
 * @example
 * const rules = [{ pair: [1, 2], at: '/id' }, { distinct: '/tenant' }, { distinct: '/id' }];
 * conflictingRules({ id: 1, tenant: 'a' }, { id: 2, tenant: 'a' }, rules); // [0, 1]
 */
export function conflictingRules(a: JsonValue, b: JsonValue, rules: readonly ConflictRule[]): number[] {
  return rules.flatMap((rule, index) => (keepsApart(rule, a, b) ? [index] : []));
}

/**
 * Whether any rule keeps two records apart (G2). Symmetric, but not irreflexive: a record may conflict with a copy of
 * itself.
 *
 * @example
 * conflicts(1, 2, [{ pair: [1, 2] }]); // true
 */
export function conflicts(a: JsonValue, b: JsonValue, rules: readonly ConflictRule[]): boolean {
  return rules.some((rule) => keepsApart(rule, a, b));
}

function keepsApart(rule: ConflictRule, a: JsonValue, b: JsonValue): boolean {
  if (!scopeOf(rule).every((pointer) => sameAt(pointer, a, b))) return false;
  if ('alike' in rule) return textAt(rule.alike, a) !== textAt(rule.alike, b);
  if ('distinct' in rule) return sameAt(rule.distinct, a, b);
  if ('never' in rule) {
    const { left, right } = rule.never;
    return (selects(left, a) && selects(right, b)) || (selects(left, b) && selects(right, a));
  }
  const { values, at } = membersOf(rule) ?? { values: [], at: '' };
  const [textA, textB] = [textAt(at, a), textAt(at, b)];
  const members = values.map(canonicalJson);
  return textA !== textB && [textA, textB].every((text) => text !== undefined && members.includes(text));
}

function sameAt(pointer: string, a: JsonValue, b: JsonValue): boolean {
  const text = textAt(pointer, a);
  return text !== undefined && text === textAt(pointer, b);
}

function textAt(pointer: string, record: JsonValue): string | undefined {
  const part = valueAt(record, parseJsonPointer(pointer));
  return part === undefined ? undefined : canonicalJson(part);
}
