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
  const { columns, slots } = columnsOf(new Parts(records), rules);
  const mattering = columns.filter(({ constraints }) => constraints.some(({ length }) => length > 0));
  let classOf = new Int32Array(records.length);
  let count = Math.min(records.length, 1);
  for (const column of mattering) ({ classOf, count } = split(classOf, count, column));
  const members = listsBy(classOf, count);
  const constraints = Array.from({ length: count }, (_, index) =>
    constraintsOf(members.items[members.starts[index] as number] as number, mattering),
  );
  return { constraints, members, classOf, slots };
}

/** Splits classes so that all records of one have the same constraints in one more column; numbered as they come. */
function split(
  classOf: Int32Array,
  count: number,
  column: Column,
): { classOf: Int32Array<ArrayBuffer>; count: number } {
  const width = column.constraints.length + 1;
  const pieces = new Numbers(count * width, classOf.length);
  const next = new Int32Array(classOf.length);
  for (let record = 0; record < classOf.length; record++) {
    const state = constraintsIn(column, record).length > 0 ? (column.states[record] as number) + 1 : 0;
    next[record] = pieces.of((classOf[record] as number) * width + state);
  }
  return { classOf: next, count: pieces.count };
}

/** Of several columns together. Lists are shared with the columns where one says it all. */
function constraintsOf(record: number, columns: readonly Column[]): readonly Constraint[] {
  let all = NONE;
  let own: Constraint[] | undefined;
  for (const column of columns) {
    const more = constraintsIn(column, record);
    if (more.length === 0) continue;
    if (all.length === 0) all = more;
    else if (own === undefined) all = own = [...all, ...more];
    else own.push(...more);
  }
  return all;
}

function constraintsIn({ states, constraints }: Column, record: number): readonly Constraint[] {
  const state = states[record] as number;
  return state === NOT_NUMBERED ? NONE : (constraints[state] ?? NONE);
}

const NONE: readonly Constraint[] = [];

/** Numbers ids, 0, 1, 2 … as they come: in a table where that isn't much larger than all there is, as a Map is slow. */
class Numbers {
  private readonly table: Int32Array | undefined;
  private readonly map = new Map<number, number>();
  count = 0;

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
