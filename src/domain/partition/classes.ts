import type { ConflictRule } from '../conflict-rules';
import type { JsonValue } from '../json';
import { ALONE, columnsOf, type Column, type Constraint } from './columns';
import { listOf, listsBy, type Lists } from './lists';
import { NOT_NUMBERED, Parts } from './values';

/**
 * The records of a buffer, by what they conflict with. A record is known by its index in the buffer, which is also its
 * order of age. Records of one class are under the same constraints: as far as conflicts go, they are interchangeable.
 */
export interface Classes {
  /** By class: its constraints, at most one per slot; none for the class of records that conflict with nothing. */
  constraints: readonly (readonly Constraint[])[];
  /** By class: its records, oldest first; there is one at least. */
  members: Lists;
  /** By record. */
  classOf: Int32Array;
  /** How many slots there are. */
  slots: number;
}

/** The records that conflict with nothing, oldest first. */
export function freeRecords({ constraints, members }: Classes): Int32Array {
  const free = constraints.findIndex(({ length }) => length === 0);
  return free === -1 ? new Int32Array() : listOf(members, free);
}

/** Whether records under some constraints are kept apart from records under others; a class from itself, given twice. */
export function areApart(a: readonly Constraint[], b: readonly Constraint[]): boolean {
  return a.some(({ slot, key }) =>
    b.some((other) => other.slot === slot && (other.key !== key || key === ALONE)),
  );
}

/** Sorts records into classes, without comparing any two of them: O(records × rules), less for rules that look alike. */
export function classify(records: readonly { value: JsonValue }[], rules: readonly ConflictRule[]): Classes {
  let classOf = new Int32Array(records.length);
  let constraints: (readonly Constraint[])[] = [[]];
  const { columns, slots } = columnsOf(new Parts(records), rules);
  for (const column of columns) ({ classOf, constraints } = split(classOf, constraints, column));
  if (records.length === 0) constraints = [];
  return { constraints, members: listsBy(classOf, constraints.length), classOf, slots };
}

/** Splits classes so that all records of one have the same constraints in one more column. */
function split(
  classOf: Int32Array,
  constraints: readonly (readonly Constraint[])[],
  column: Column,
): { classOf: Int32Array<ArrayBuffer>; constraints: (readonly Constraint[])[] } {
  const width = column.constraints.length + 1;
  const pieces = new Numbers(constraints.length * width, classOf.length);
  const split: (readonly Constraint[])[] = [];
  const next = new Int32Array(classOf.length);
  for (let record = 0; record < classOf.length; record++) {
    const before = classOf[record] as number;
    const state = column.states[record] as number;
    const more = state === NOT_NUMBERED ? NONE : (column.constraints[state] ?? NONE);
    const piece = pieces.of(before * width + (more.length > 0 ? state + 1 : 0));
    next[record] = piece;
    if (piece < split.length) continue;
    const already = constraints[before] ?? NONE;
    split.push(already.length === 0 ? more : more.length === 0 ? already : [...already, ...more]);
  }
  return { classOf: next, constraints: split };
}

const NONE: readonly Constraint[] = [];

/** Numbers ids, 0, 1, 2 … as they come: in a table where that isn't much larger than all there is, as a Map is slow. */
class Numbers {
  private readonly table: Int32Array | undefined;
  private readonly map = new Map<number, number>();
  private count = 0;

  constructor(ids: number, most: number) {
    if (ids <= 4 * most) this.table = new Int32Array(ids);
  }

  of(id: number): number {
    const known = this.table ? (this.table[id] as number) : this.map.get(id);
    if (known) return known - 1;
    this.count++;
    if (this.table) this.table[id] = this.count;
    else this.map.set(id, this.count);
    return this.count - 1;
  }
}
