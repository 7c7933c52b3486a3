import { canonicalJson, type JsonValue } from '../json';
import { parseJsonPointer } from '../json-pointer';
import { membersOf, scopeOf, type AlikeRule, type ConflictRule, type NeverRule } from '../rules/rule';
import { selectorOf } from '../rules/selector';
import { atomsAt } from './atoms';
import { crossed, NOT_NUMBERED, Parts, ValueNumbers, type Numbered } from './values';

/**
 * What rules come down to. A batch has slots, one for every rule, or for every value that the rule is about separately
 * (`same`, `distinct`). A slot takes records with one key only: of one member of a `pair` or `group`, or of one side of
 * `never`; or one record alone ({@link ALONE}).
 */
export interface Constraint {
  slot: number;
  /** In one batch, all records in a slot have the same key. */
  key: number;
}

/** The key of a record that shares its slot with no other, not even with one of the same key. */
export const ALONE = -1;

/** What one rule, or several that look at the same parts, make of the records. */
export interface Column {
  /** The records it is about, ascending; all of them when undefined. */
  records?: readonly number[];
  /** By record of those: its state, {@link NOT_NUMBERED} where the rules leave it alone. */
  states: Int32Array;
  /** By state: the constraints that its records are under; none where no other record makes them matter. */
  constraints: readonly (readonly Constraint[])[];
}

/** Gives numbers to slots. */
type NewSlot = () => number;

/**
 * What the rules make of some records. What keeps no two of these records apart leaves no constraint (a member alone of
 * its rule, a value that occurs once), so that the structure of the constraints is that of the buffer, however many
 * rules there are.
 */
export function columnsOf(
  parts: Parts,
  rules: readonly ConflictRule[],
): { columns: Column[]; slots: number } {
  let slots = 0;
  const newSlot = () => slots++;
  const byWhere = new Map<string, ConflictRule[]>();
  const nevers = new Map<string, NeverRule[]>();
  const columns: Column[] = [];
  for (const rule of rules) {
    if ('distinct' in rule) columns.push(distinctColumn(parts, [...scopeOf(rule), rule.distinct], newSlot));
    else if ('alike' in rule) columns.push(alikeColumn(parts, rule, newSlot));
    // Thousands of rules that look at the same parts are one column.
    else if ('never' in rule) {
      const { left, right } = rule.never;
      addTo(nevers, canonicalJson([left.at ?? '', right.at ?? '', ...scopeOf(rule)]), rule);
    } else addTo(byWhere, canonicalJson([membersOf(rule)?.at ?? '', ...scopeOf(rule)]), rule);
  }
  for (const group of nevers.values()) columns.push(neverColumn(parts, group, newSlot));
  const holding = byWhere.size > MANY_PARTS ? parts.holding(firstTokensOf(byWhere.values())) : undefined;
  for (const group of byWhere.values()) {
    const records = holding?.get(firstTokenOf(group[0] as ConflictRule) ?? '');
    if (records === undefined) columns.push(membersColumn(parts, group, newSlot));
    else if (records.length > 1) {
      const some = new Parts(records.map((record) => parts.records[record] as { value: JsonValue }));
      columns.push({ records, ...membersColumn(some, group, newSlot) });
    }
  }
  return { columns, slots };
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
function alikeColumn(parts: Parts, rule: AlikeRule, newSlot: NewSlot): Column {
  const { numbers, size } = parts.at(rule.alike);
  const scopes = parts.together(scopeOf(rule));
  const keys = {
    numbers: numbers.map((number) => (number === NOT_NUMBERED ? size : number)),
    size: size + 1,
  };
  const { numbers: states, size: count } = crossed(scopes, keys);
  const at = placesOfStates(states, count, scopes, keys);
  const values = new Int32Array(scopes.size);
  for (const { scope } of at) values[scope] = (values[scope] as number) + 1;
  const slots = Array.from(values, (different) => (different > 1 ? newSlot() : -1));
  const constraints = at.map(({ scope, key }) => {
    const slot = slots[scope] as number;
    return slot === -1 ? [] : [{ slot, key }];
  });
  return { states, constraints };
}

/** By state: the scope and the key of its records. */
function placesOfStates(
  states: Int32Array,
  count: number,
  scopes: Numbered,
  keys: Numbered,
): { scope: number; key: number }[] {
  const at = Array.from({ length: count }, () => NOWHERE);
  for (let i = 0; i < states.length; i++) {
    const state = states[i] as number;
    if (state === NOT_NUMBERED || at[state] !== NOWHERE) continue;
    at[state] = { scope: scopes.numbers[i] as number, key: keys.numbers[i] as number };
  }
  return at;
}

function distinctColumn(parts: Parts, pointers: readonly string[], newSlot: NewSlot): Column {
  const { numbers: states, size } = parts.together(pointers);
  const constraints = [...countsOf(states, size)].map((count) =>
    count > 1 ? [{ slot: newSlot(), key: ALONE }] : [],
  );
  return { states, constraints };
}

/** `pair` and `group` rules that look at the same part, and hold between records with the same values. */
function membersColumn(parts: Parts, rules: readonly ConflictRule[], newSlot: NewSlot): Column {
  const at = membersOf(rules[0] as ConflictRule)?.at ?? '';
  const members = new ValueNumbers();
  const rulesOf: number[][] = [];
  for (const [index, rule] of rules.entries()) {
    for (const value of membersOf(rule)?.values ?? []) (rulesOf[members.add(value)] ??= []).push(index);
  }
  const found = { numbers: parts.map(at, (part) => members.find(part)), size: members.size };
  const pointers = scopeOf(rules[0] as ConflictRule);
  const scopes = parts.together(pointers);
  const { numbers: states, size } = pointers.length === 0 ? found : crossed(scopes, found);
  const placeOf = placesOfStates(states, size, scopes, found);
  // By rule and scope: how many members there are, then the slot if there are several.
  const slots = new Map<number, { members: number; slot: number }>();
  const keyOf = (rule: number, scope: number) => scope * rules.length + rule;
  for (const { scope, key: member } of placeOf) {
    for (const rule of rulesOf[member] ?? []) {
      const slot = slots.get(keyOf(rule, scope));
      if (slot === undefined) slots.set(keyOf(rule, scope), { members: 1, slot: -1 });
      else if (slot.members++ === 1) slot.slot = newSlot();
    }
  }
  const constraints = placeOf.map(({ scope, key: member }) =>
    (rulesOf[member] ?? []).flatMap((rule) => {
      const { slot = -1 } = slots.get(keyOf(rule, scope)) ?? {};
      return slot === -1 ? [] : [{ slot, key: member }];
    }),
  );
  return { states, constraints };
}

const NOWHERE = { scope: NOT_NUMBERED, key: NOT_NUMBERED };

const LEFT = 0;
const RIGHT = 1;
const BOTH = 2;

/**
 * `never` rules whose selectors look at the same two parts, and hold between records with the same values. What the rules
 * say of a record hangs on two atoms alone, so that each is asked once for a pair of atoms and not for every record.
 */
function neverColumn(parts: Parts, rules: readonly NeverRule[], newSlot: NewSlot): Column {
  const [{ never: first }] = rules as [NeverRule];
  const [leftAt, rightAt] = [first.left.at ?? '', first.right.at ?? ''];
  const selectors = rules.flatMap(({ never: { left, right } }) => [left, right]);
  const lefts = atomsAt(parts, leftAt, leftAt === rightAt ? selectors : rules.map(({ never }) => never.left));
  const rights =
    leftAt === rightAt
      ? lefts
      : atomsAt(
          parts,
          rightAt,
          rules.map(({ never }) => never.right),
        );
  const pairs = leftAt === rightAt ? lefts : crossed(lefts, rights);
  const { numbers, sides } = bySides(pairs, parts, rules);
  const found = { numbers, size: sides.length };
  const scopes = parts.together(scopeOf(rules[0] as NeverRule));
  const { numbers: states, size } = crossed(scopes, found);
  const at = placesOfStates(states, size, scopes, found);
  const counts = countsOf(states, size);
  const inSlots = new Map<number, { slot: number; bySide: [number, number, number] }>();
  const idOf = (rule: number, scope: number) => scope * rules.length + rule;
  for (const [state, { scope, key }] of at.entries()) {
    for (const { rule, side } of sides[key] ?? []) {
      const id = idOf(rule, scope);
      const known = inSlots.get(id) ?? { slot: -1, bySide: [0, 0, 0] };
      inSlots.set(id, known);
      known.bySide[side] = (known.bySide[side] as number) + (counts[state] as number);
    }
  }
  for (const known of inSlots.values()) {
    const [left, right, both] = known.bySide;
    if ((left > 0 && right > 0) || (both > 0 && left + right + both > 1)) known.slot = newSlot();
  }
  const constraints = at.map(({ scope, key }) =>
    (sides[key] ?? []).flatMap(({ rule, side }) => {
      const { slot = -1 } = inSlots.get(idOf(rule, scope)) ?? {};
      return slot === -1 ? [] : [{ slot, key: side === BOTH ? ALONE : side }];
    }),
  );
  return rules.length === 1 ? { states, constraints } : merged(states, constraints);
}

interface Sided {
  rule: number;
  side: number;
}

/** Numbers records by the sides that they are on, so that atoms on the same sides are one; none where there is no side. */
function bySides(
  atoms: Numbered,
  parts: Parts,
  rules: readonly NeverRule[],
): { numbers: Int32Array; sides: readonly (readonly Sided[])[] } {
  const sample = Array.from({ length: atoms.size }, (): JsonValue => null);
  for (let i = 0; i < atoms.numbers.length; i++)
    sample[atoms.numbers[i] as number] = (parts.records[i] as { value: JsonValue }).value;
  const all = sample.map((): Sided[] => []);
  for (const [rule, { never }] of rules.entries()) {
    const isLeft = selectorOf(never.left);
    const isRight = selectorOf(never.right);
    for (let atom = 0; atom < sample.length; atom++) {
      const value = sample[atom] as JsonValue;
      const left = isLeft(value);
      if (isRight(value)) all[atom]?.push({ rule, side: left ? BOTH : RIGHT });
      else if (left) all[atom]?.push({ rule, side: LEFT });
    }
  }
  const sides: (readonly Sided[])[] = [];
  const known = new Map<string, number>();
  const numberOf = Int32Array.from(all, (own) => {
    if (own.length === 0) return NOT_NUMBERED;
    const text = own.map(({ rule, side }) => `${rule}:${side}`).join();
    const before = known.get(text);
    if (before !== undefined) return before;
    known.set(text, sides.length);
    return sides.push(own) - 1;
  });
  return { numbers: atoms.numbers.map((atom) => numberOf[atom] as number), sides };
}

/** States with the same constraints become one: what told them apart are rules that keep none of these records apart. */
function merged(states: Int32Array, constraints: readonly (readonly Constraint[])[]): Column {
  const known = new Map<string, number>();
  const different: (readonly Constraint[])[] = [];
  const numberOf = constraints.map((own) => {
    const text = own.map(({ slot, key }) => `${slot}:${key}`).join();
    const before = known.get(text);
    if (before !== undefined) return before;
    known.set(text, different.length);
    return different.push(own) - 1;
  });
  return {
    states: states.map((state) => (state === NOT_NUMBERED ? state : (numberOf[state] as number))),
    constraints: different,
  };
}

function countsOf(states: Int32Array, size: number): Uint32Array {
  const counts = new Uint32Array(size);
  for (const state of states) if (state !== NOT_NUMBERED) counts[state] = (counts[state] as number) + 1;
  return counts;
}
