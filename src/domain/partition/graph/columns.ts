import { canonicalJson } from '../../json';
import { parseJsonPointer } from '../../json-pointer';
import { membersOf, scopeOf, type AlikeRule, type ConflictRule, type NeverRule } from '../../rules/rule';
import { NewConstraints, type Column, type Constraints } from './constraints';
import { firstWith, listsFrom } from './lists';
import { neverColumn } from './never-column';
import { countsOf, crossed, NOT_NUMBERED, Numbers, Parts, ValueNumbers } from './values';

/**
 * What the rules make of some records. What keeps no two of these records apart leaves no constraint (a member alone of
 * its rule, a value that occurs once), so that the structure of the constraints is that of the buffer, however many
 * rules there are.
 */
export function columnsOf(
  parts: Parts,
  rules: readonly ConflictRule[],
): { columns: Column[]; tables: Constraints } {
  const made = new NewConstraints();
  const byWhere = new Map<string, ConflictRule[]>();
  const nevers = new Map<string, NeverRule[]>();
  const columns: Column[] = [];
  for (const rule of rules) {
    if ('distinct' in rule) columns.push(distinctColumn(parts, [...scopeOf(rule), rule.distinct], made));
    else if ('alike' in rule) columns.push(alikeColumn(parts, rule, made));
    // Thousands of rules that look at the same parts are one column.
    else if ('never' in rule) {
      const { left, right } = rule.never;
      addTo(nevers, canonicalJson([left.at ?? '', right.at ?? '', ...scopeOf(rule)]), rule);
    } else addTo(byWhere, canonicalJson([membersOf(rule)?.at ?? '', ...scopeOf(rule)]), rule);
  }
  for (const group of nevers.values()) columns.push(neverColumn(parts, group, made));
  const holding = byWhere.size > MANY_PARTS ? parts.holding(firstTokensOf(byWhere.values())) : undefined;
  for (const group of byWhere.values()) {
    const some = holding?.get(firstTokenOf(group[0] as ConflictRule) ?? '');
    if (some === undefined) columns.push(membersColumn(parts, group, made));
    else if (some.at.length > 1)
      columns.push({ records: some.at, ...membersColumn(new Parts(some.records), group, made) });
  }
  return { columns, tables: made.tables() };
}

/** With rules that look at more parts than this, it pays to know which records have them. */
const MANY_PARTS = 16;

function firstTokenOf(rule: ConflictRule): string | undefined {
  return parseJsonPointer(membersOf(rule)?.at ?? '')[0];
}

function firstTokensOf(groups: Iterable<readonly ConflictRule[]>): Set<string> {
  const tokens = new Set<string>();
  for (const [rule] of groups) {
    const token = rule && firstTokenOf(rule);
    if (token !== undefined) tokens.add(token);
  }
  return tokens;
}

function addTo<T>(groups: Map<string, T[]>, key: string, item: T): void {
  const known = groups.get(key);
  if (known) known.push(item);
  else groups.set(key, [item]);
}

/** A slot for each scope, with a key for each value; what has no value has a key of its own. */
function alikeColumn(parts: Parts, rule: AlikeRule, made: NewConstraints): Column {
  const { numbers, size } = parts.at(rule.alike);
  const pointers = scopeOf(rule);
  const scopes = parts.together(pointers);
  const keys = {
    numbers: numbers.map((number) => (number === NOT_NUMBERED ? size : number)),
    size: size + 1,
  };
  const { numbers: states, size: count } = crossed(scopes, keys);
  const scopeOfState = firstWith(states, count).map((record) => scopes.numbers[record] ?? 0);
  const values = countsOf(scopeOfState, scopes.size);
  const slots = Array.from(values, (different) => (different > 1 ? made.newSlot() : -1));
  const constraints = listsFrom(count, (state, add) => {
    const slot = slots[scopeOfState[state] ?? 0] ?? -1;
    if (slot !== -1) add(made.add(slot));
  });
  return { states, constraints };
}

function distinctColumn(parts: Parts, pointers: readonly string[], made: NewConstraints): Column {
  const { numbers: states, size } = parts.together(pointers);
  const counts = countsOf(states, size);
  const constraints = listsFrom(size, (state, add) => {
    if ((counts[state] ?? 0) > 1) add(made.add(made.newSlot(), true));
  });
  return { states, constraints };
}

/** `pair` and `group` rules that look at the same part, and hold between records with the same values. */
function membersColumn(parts: Parts, rules: readonly ConflictRule[], made: NewConstraints): Column {
  const at = membersOf(rules[0] as ConflictRule)?.at ?? '';
  const members = new ValueNumbers();
  const rulesOf: number[][] = [];
  for (const [index, rule] of rules.entries()) {
    for (const value of membersOf(rule)?.values ?? []) (rulesOf[members.add(value)] ??= []).push(index);
  }
  const found = { numbers: parts.map(at, (part) => members.find(part)), size: members.size };
  const pointers = scopeOf(rules[0] as ConflictRule);
  const scopes = parts.together(pointers);
  const { numbers: states, size } = crossed(scopes, found);
  const sample = firstWith(states, size);
  const memberOf = sample.map((record) => found.numbers[record] ?? 0);
  const most = memberOf.reduce((sum, member) => sum + (rulesOf[member] ?? []).length, 0);
  // By rule within a scope: how many different members there are, then the slot if there are several.
  const inScopes = new Numbers(scopes.size * rules.length, most);
  const different = new Int32Array(most);
  const cells = listsFrom(size, (state, add) => {
    const scope = scopes.numbers[sample[state] ?? 0] ?? 0;
    for (const rule of rulesOf[memberOf[state] ?? 0] ?? []) {
      const cell = inScopes.of(scope * rules.length + rule);
      different[cell] = (different[cell] ?? 0) + 1;
      add(cell);
    }
  });
  const slots = different.subarray(0, inScopes.count).map((count) => (count > 1 ? made.newSlot() : -1));
  const constraints = listsFrom(size, (state, add) => {
    for (let place = cells.starts[state] ?? 0; place < (cells.starts[state + 1] ?? 0); place++) {
      const slot = slots[cells.items[place] ?? 0] ?? -1;
      if (slot !== -1) add(made.add(slot));
    }
  });
  return { states, constraints };
}
