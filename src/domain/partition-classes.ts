import { membersOf, pointerOf, type ConflictRule } from './conflict-rules';
import type { JsonValue } from './json';
import { NOT_NUMBERED, ValueNumbers } from './partition-values';

/**
 * What rules come down to. A batch has slots: a `pair` or `group` rule is one slot, which takes records of one member
 * only; each repeated value of a `distinct` rule is a slot, which takes one record only ({@link ALONE}).
 */
export interface Constraint {
  slot: number;
  /** In one batch, all records in a slot have the same key. */
  key: number;
}

/** The key of a record that shares its slot with no other, not even with one of the same key. */
export const ALONE = -1;

/**
 * Records under the same constraints; as far as conflicts go, they are interchangeable.
 * A record is known by its index in the buffer, which is also its order of age.
 */
export interface RecordClass {
  /** Oldest first; never empty. */
  records: number[];
  /** At most one per slot; none when the records conflict with nothing. */
  constraints: readonly Constraint[];
}

/** Whether the records of one class are kept apart from the records of another (or from each other, given twice). */
export function classesConflict(a: RecordClass, b: RecordClass): boolean {
  return a.constraints.some(({ slot, key }) =>
    b.constraints.some((other) => other.slot === slot && (other.key !== key || key === ALONE)),
  );
}

/**
 * Sorts records into classes. What keeps no two of these records apart leaves no constraint (a member alone of its rule,
 * a value that occurs once), so that the structure of the constraints is that of the buffer, however many rules there
 * are.
 */
export function classify(
  records: readonly { value: JsonValue }[],
  rules: readonly ConflictRule[],
): RecordClass[] {
  let classes: RecordClass[] = [{ records: [...records.keys()], constraints: [] }];
  let slots = 0;
  for (const pointer of new Set(rules.map(pointerOf))) {
    const rulesHere = rules.filter((rule) => pointerOf(rule) === pointer);
    const numbers = new ValueNumbers(pointer);
    const members = rulesHere.map((rule) => membersOf(rule)?.map((member) => numbers.add(member)));
    const parts = numbers.ofRecords(records, members.includes(undefined));
    const constraints = constraintsOfParts(members, countsOf(parts, numbers.size), () => slots++);
    classes = split(classes, parts, constraints);
  }
  return classes;
}

function countsOf(parts: Int32Array, size: number): Uint32Array {
  const counts = new Uint32Array(size);
  for (const part of parts) if (part !== NOT_NUMBERED) counts[part] = (counts[part] as number) + 1;
  return counts;
}

/** By part: the constraints from rules at one pointer, each given by the parts that are its members, if it has any. */
function constraintsOfParts(
  rules: readonly (readonly number[] | undefined)[],
  counts: Uint32Array,
  newSlot: () => number,
): Map<number, Constraint[]> {
  const constraints = new Map<number, Constraint[]>();
  const constrain = (part: number, constraint: Constraint) => {
    const known = constraints.get(part);
    if (known) known.push(constraint);
    else constraints.set(part, [constraint]);
  };
  for (const members of rules) {
    if (members === undefined) {
      counts.forEach((count, part) => count > 1 && constrain(part, { slot: newSlot(), key: ALONE }));
      continue;
    }
    const present = members.filter((member) => (counts[member] as number) > 0);
    if (present.length < 2) continue;
    const slot = newSlot();
    for (const member of present) constrain(member, { slot, key: member });
  }
  return constraints;
}

/** Splits classes so that the parts of all records of one have the same constraints, which are added. */
function split(
  classes: RecordClass[],
  parts: Int32Array,
  added: ReadonlyMap<number, readonly Constraint[]>,
): RecordClass[] {
  if (added.size === 0) return classes;
  // By class and part in one number: a Map for each class would cost more than all the rest.
  const pieces = new Map<number, RecordClass>();
  classes.forEach(({ records, constraints }, index) => {
    for (const record of records) {
      const part = parts[record] as number;
      const more = added.get(part);
      const id = index + classes.length * (more ? part + 1 : 0);
      const piece = pieces.get(id);
      if (piece) piece.records.push(record);
      else pieces.set(id, { records: [record], constraints: more ? [...constraints, ...more] : constraints });
    }
  });
  return [...pieces.values()];
}
