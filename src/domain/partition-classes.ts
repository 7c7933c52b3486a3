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
  for (const [pointer, rulesHere] of byPointer(rules)) {
    const numbers = new ValueNumbers(pointer);
    const memberNumbers = rulesHere.map((rule) => membersOf(rule)?.map((member) => numbers.add(member)));
    const parts = numbers.ofRecords(records, memberNumbers.includes(undefined));
    const counts = new Uint32Array(numbers.size);
    for (const part of parts) if (part !== NOT_NUMBERED) counts[part] = (counts[part] as number) + 1;

    const constraints = new Map<number, Constraint[]>();
    const constrain = (part: number, constraint: Constraint) => {
      const known = constraints.get(part);
      if (known) known.push(constraint);
      else constraints.set(part, [constraint]);
    };
    for (const members of memberNumbers) {
      if (members === undefined) {
        counts.forEach((count, part) => count > 1 && constrain(part, { slot: slots++, key: ALONE }));
      } else {
        const present = members.filter((member) => (counts[member] as number) > 0);
        if (present.length > 1) {
          for (const member of present) constrain(member, { slot: slots, key: member });
          slots++;
        }
      }
    }
    if (constraints.size > 0) classes = classes.flatMap((each) => split(each, parts, constraints));
  }
  return classes;
}

function byPointer(rules: readonly ConflictRule[]): Map<string, ConflictRule[]> {
  const groups = new Map<string, ConflictRule[]>();
  for (const rule of rules) {
    const pointer = pointerOf(rule);
    groups.set(pointer, [...(groups.get(pointer) ?? []), rule]);
  }
  return groups;
}

function split(
  { records, constraints }: RecordClass,
  parts: Int32Array,
  added: ReadonlyMap<number, readonly Constraint[]>,
): RecordClass[] {
  const pieces = new Map<readonly Constraint[] | undefined, RecordClass>();
  for (const record of records) {
    const more = added.get(parts[record] as number);
    const piece = pieces.get(more);
    if (piece) piece.records.push(record);
    else pieces.set(more, { records: [record], constraints: more ? [...constraints, ...more] : constraints });
  }
  return [...pieces.values()];
}
