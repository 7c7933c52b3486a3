import type { JsonValue } from '../../json';
import { scopeOf, type NeverRule, type Selector } from '../../rules/rule';
import { selectorOf } from '../../rules/selector';
import { atomsAt } from './atoms';
import type { Column, NewConstraints } from './constraints';
import { firstWith, lengthOf, listOf, listsBy, listsFrom, type Lists } from './lists';
import { countsOf, crossed, NOT_NUMBERED, type Numbered, type Parts } from './values';

/** The sides of a rule that a record can be on: 1 is left, 2 is right, 3 both; 0 is neither. */
const BOTH = 3;
const SIDES = 4;

/**
 * `never` rules whose selectors look at the same two parts, and hold between records with the same values. What the rules
 * say of a record hangs on two atoms alone, so that each rule is asked once for an atom and not for every record.
 */
export function neverColumn(parts: Parts, rules: readonly NeverRule[], made: NewConstraints): Column {
  const [{ never: first }] = rules as [NeverRule];
  const [leftAt, rightAt] = [first.left.at ?? '', first.right.at ?? ''];
  const lefts = rules.map(({ never }) => never.left);
  const rights = rules.map(({ never }) => never.right);
  const isOnePart = leftAt === rightAt;
  const leftAtoms = atomsAt(parts, leftAt, isOnePart ? [...lefts, ...rights] : lefts);
  const rightAtoms = isOnePart ? leftAtoms : atomsAt(parts, rightAt, rights);
  const pairs = isOnePart ? leftAtoms : crossed(leftAtoms, rightAtoms);
  const { numbers, sides } = bySides(
    pairs,
    rules.length,
    selectedBy(leftAtoms, parts, lefts),
    selectedBy(rightAtoms, parts, rights),
  );
  const found = { numbers, size: sides.starts.length - 1 };
  const pointers = scopeOf(rules[0] as NeverRule);
  const scopes = parts.together(pointers);
  const { numbers: states, size } = pointers.length === 0 ? found : crossed(scopes, found);
  const sample = firstWith(states, size);
  const counts = countsOf(states, size);
  const lists = sample.map((record) => found.numbers[record] ?? 0);
  const starts = new Int32Array(size + 1);
  for (let state = 0; state < size; state++)
    starts[state + 1] = (starts[state] ?? 0) + lengthOf(sides, lists[state] ?? 0);
  const most = starts[size] ?? 0;
  // By state, one after the other: where the records of the state are, as a rule within a scope, and a side.
  const cells = new Int32Array(most);
  // By rule and scope: how many records are on its left, on its right, and on both sides.
  const bySide = new Int32Array(SIDES * most);
  let count = 0;
  const numberOf = new Int32Array(rules.length);
  const lastScope = new Int32Array(rules.length).fill(-1);
  const byScope = listsBy(
    sample.map((record) => scopes.numbers[record] ?? 0),
    scopes.size,
  );
  for (let scope = 0; scope < scopes.size; scope++) {
    for (const state of listOf(byScope, scope)) {
      let next = starts[state] ?? 0;
      for (const code of listOf(sides, lists[state] ?? 0)) {
        const rule = Math.floor(code / SIDES);
        if (lastScope[rule] !== scope) {
          lastScope[rule] = scope;
          numberOf[rule] = count++;
        }
        const cell = SIDES * (numberOf[rule] ?? 0) + (code % SIDES);
        bySide[cell] = (bySide[cell] ?? 0) + (counts[state] ?? 0);
        cells[next++] = cell;
      }
    }
  }
  const constraintOf = numberSides(bySide, count, made);
  return under(states, { starts, items: cells.map((cell) => constraintOf[cell] ?? 0) }, rules.length > 1);
}

/** By rule within a scope, and side: its constraint, or -1 where it keeps no two of these records apart. */
function numberSides(bySide: Int32Array, count: number, made: NewConstraints): Int32Array {
  const constraintOf = new Int32Array(SIDES * count).fill(-1);
  for (let id = 0; id < count; id++) {
    const [, left = 0, right = 0, both = 0] = bySide.subarray(SIDES * id, SIDES * (id + 1));
    if ((left === 0 || right === 0) && (both === 0 || left + right + both === 1)) continue;
    const slot = made.newSlot();
    // A constraint that no record is under would still be seen in the tables.
    for (let cell = SIDES * id; cell < SIDES * (id + 1); cell++)
      if ((bySide[cell] ?? 0) > 0) constraintOf[cell] = made.add(slot, cell % SIDES === BOTH);
  }
  return constraintOf;
}

/**
 * Leaves out what is -1. With `merge`, states under the same constraints become one: what told them apart are rules that
 * keep none of these records apart.
 */
function under(states: Int32Array, { starts, items }: Lists, merge: boolean): Column {
  let kept = 0;
  for (let state = 0; state + 1 < starts.length; state++) {
    const from = starts[state] ?? 0;
    starts[state] = kept;
    for (let place = from; place < (starts[state + 1] ?? 0); place++) {
      const constraint = items[place] ?? 0;
      if (constraint !== -1) items[kept++] = constraint;
    }
  }
  starts[starts.length - 1] = kept;
  const constraints = { starts, items: items.subarray(0, kept) };
  if (!merge) return { states, constraints };
  const { numbers, lists } = withoutTwins(constraints);
  return {
    states: states.map((state) => (state === NOT_NUMBERED ? state : (numbers[state] ?? NOT_NUMBERED))),
    constraints: lists,
  };
}

/** By record and selector: whether it selects the record; asked once for each atom. */
function selectedBy(atoms: Numbered, parts: Parts, selectors: readonly Selector[]) {
  const all = selectors.map(selectorOf);
  const selected = new Uint8Array(atoms.size * all.length);
  for (const [atom, record] of firstWith(atoms.numbers, atoms.size).entries()) {
    const { value } = parts.records[record] as { value: JsonValue };
    for (const [rule, selects] of all.entries()) selected[atom * all.length + rule] = selects(value) ? 1 : 0;
  }
  return (record: number, rule: number) => selected[(atoms.numbers[record] ?? 0) * all.length + rule] ?? 0;
}

/** Numbers records by the sides that they are on, so that pairs on the same sides are one; none where there is no side. */
function bySides(
  pairs: Numbered,
  rules: number,
  left: (record: number, rule: number) => number,
  right: (record: number, rule: number) => number,
): { numbers: Int32Array; sides: Lists } {
  const sample = firstWith(pairs.numbers, pairs.size);
  const all = listsFrom(pairs.size, (pair, add) => {
    const record = sample[pair] ?? 0;
    for (let rule = 0; rule < rules; rule++) {
      const side = left(record, rule) + 2 * right(record, rule);
      if (side > 0) add(SIDES * rule + side);
    }
  });
  const { numbers: numberOf, lists } = withoutTwins(all);
  return { numbers: pairs.numbers.map((pair) => numberOf[pair] ?? NOT_NUMBERED), sides: lists };
}

/** Each different list once; by list as it was, its number among these, {@link NOT_NUMBERED} for an empty one. */
function withoutTwins({ starts, items }: Lists): { numbers: Int32Array; lists: Lists } {
  const byHash = new Map<number, number[]>();
  const first: number[] = [];
  const isSame = (list: number, other: number) => {
    const [from, to, start] = [starts[list] ?? 0, starts[list + 1] ?? 0, starts[other] ?? 0];
    if ((starts[other + 1] ?? 0) - start !== to - from) return false;
    for (let place = from; place < to; place++)
      if (items[place] !== items[start + place - from]) return false;
    return true;
  };
  const numbers = new Int32Array(starts.length - 1);
  for (let list = 0; list < numbers.length; list++) {
    numbers[list] = NOT_NUMBERED;
    const to = starts[list + 1] ?? 0;
    if (starts[list] === to) continue;
    let hash = 0;
    for (let place = starts[list] ?? 0; place < to; place++) {
      hash = Math.imul(hash ^ (items[place] ?? 0), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    const known = byHash.get(hash) ?? [];
    const same = known.find((number) => isSame(list, first[number] ?? 0));
    numbers[list] = same ?? first.length;
    if (same !== undefined) continue;
    known.push(first.length);
    byHash.set(hash, known);
    first.push(list);
  }
  const lists = listsFrom(first.length, (number, add) => {
    const list = first[number] ?? 0;
    for (let place = starts[list] ?? 0; place < (starts[list + 1] ?? 0); place++) add(items[place] ?? 0);
  });
  return { numbers, lists };
}
