import { canonicalJson } from '../json';
import { membersOf, scopeOf, type ConflictRule, type NeverRule } from '../conflict-rules/rule';
import { selectorOf } from '../conflict-rules/selector';
import { crossed, NOT_NUMBERED, ValueNumbers, type Parts } from './values';

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
  /** By record: its state, {@link NOT_NUMBERED} where the rules leave it alone. */
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
  const columns: Column[] = [];
  for (const rule of rules) {
    if ('distinct' in rule) columns.push(distinctColumn(parts, [...scopeOf(rule), rule.distinct], newSlot));
    else if ('never' in rule) columns.push(neverColumn(parts, rule, newSlot));
    else {
      // Thousands of pairs at one place are one column.
      const where = canonicalJson([membersOf(rule)?.at ?? '', ...scopeOf(rule)]);
      const known = byWhere.get(where);
      if (known) known.push(rule);
      else byWhere.set(where, [rule]);
    }
  }
  for (const group of byWhere.values()) columns.push(membersColumn(parts, group, newSlot));
  return { columns, slots };
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
  const placeOf = Array.from({ length: size }, () => NOWHERE);
  for (let i = 0; i < states.length; i++) {
    const state = states[i] as number;
    if (state === NOT_NUMBERED || placeOf[state] !== NOWHERE) continue;
    placeOf[state] = { scope: scopes.numbers[i] as number, member: found.numbers[i] as number };
  }
  // By rule and scope: how many members there are, then the slot if there are several.
  const slots = new Map<number, { members: number; slot: number }>();
  const keyOf = (rule: number, scope: number) => scope * rules.length + rule;
  for (const { scope, member } of placeOf) {
    for (const rule of rulesOf[member] ?? []) {
      const slot = slots.get(keyOf(rule, scope));
      if (slot === undefined) slots.set(keyOf(rule, scope), { members: 1, slot: -1 });
      else if (slot.members++ === 1) slot.slot = newSlot();
    }
  }
  const constraints = placeOf.map(({ scope, member }) =>
    (rulesOf[member] ?? []).flatMap((rule) => {
      const { slot = -1 } = slots.get(keyOf(rule, scope)) ?? {};
      return slot === -1 ? [] : [{ slot, key: member }];
    }),
  );
  return { states, constraints };
}

const NOWHERE = { scope: NOT_NUMBERED, member: NOT_NUMBERED };

const LEFT = 0;
const RIGHT = 1;
const BOTH = 2;

function neverColumn(parts: Parts, rule: NeverRule, newSlot: NewSlot): Column {
  const isLeft = selectorOf(rule.never.left);
  const isRight = selectorOf(rule.never.right);
  const sides = Int32Array.from(parts.records, ({ value }) => {
    if (!isRight(value)) return isLeft(value) ? LEFT : NOT_NUMBERED;
    return isLeft(value) ? BOTH : RIGHT;
  });
  const scopes = parts.together(scopeOf(rule));
  const states = sides.map((side, i) => {
    const scope = scopes.numbers[i] as number;
    return side === NOT_NUMBERED || scope === NOT_NUMBERED ? NOT_NUMBERED : 3 * scope + side;
  });
  const counts = countsOf(states, 3 * scopes.size);
  const constraints: Constraint[][] = [];
  for (let first = 0; first < counts.length; first += 3) {
    const [left, right, both] = [LEFT, RIGHT, BOTH].map((side) => counts[first + side] as number) as [
      number,
      number,
      number,
    ];
    const matters = (left > 0 && right > 0) || (both > 0 && left + right + both > 1);
    const slot = matters ? newSlot() : -1;
    for (const key of [LEFT, RIGHT, ALONE]) constraints.push(matters ? [{ slot, key }] : []);
  }
  return { states, constraints };
}

function countsOf(states: Int32Array, size: number): Uint32Array {
  const counts = new Uint32Array(size);
  for (const state of states) if (state !== NOT_NUMBERED) counts[state] = (counts[state] as number) + 1;
  return counts;
}
