import type { ConflictRule } from '../rules';
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
  const split = new Int32Array(records.length);
  let count = 1;
  for (const column of mattering) count = splitBy(column, split, count);
  // Numbered by their oldest records, as splitting leaves some without any.
  const numberOf = new Int32Array(count).fill(-1);
  const oldest: number[] = [];
  const classOf = split.map((index, record) => {
    if (numberOf[index] === -1) numberOf[index] = oldest.push(record) - 1;
    return numberOf[index] as number;
  });
  const constraints = constraintsOf(oldest, classOf, mattering);
  return { constraints, members: listsBy(classOf, oldest.length), classOf, slots };
}

/**
 * Splits classes so that all records of one have the same constraints in one more column, in the time that its records
 * take. @returns how many numbers of classes are in use, some of them for none
 */
function splitBy({ records, states, constraints }: Column, classOf: Int32Array, count: number): number {
  const width = constraints.length;
  const pieces = new Numbers(count * width, states.length);
  for (let place = 0; place < states.length; place++) {
    const state = states[place] as number;
    if (state === NOT_NUMBERED || (constraints[state] ?? NONE).length === 0) continue;
    const record = records === undefined ? place : (records[place] as number);
    classOf[record] = count + pieces.of((classOf[record] as number) * width + state);
  }
  return count + pieces.count;
}

/** By class, of its oldest record. Lists are shared with the columns where one says it all. */
function constraintsOf(
  oldest: readonly number[],
  classOf: Int32Array,
  columns: readonly Column[],
): (readonly Constraint[])[] {
  const all: (readonly Constraint[])[] = oldest.map(() => NONE);
  const own: (Constraint[] | undefined)[] = [];
  for (const { records, states, constraints } of columns) {
    for (let place = 0; place < states.length; place++) {
      const record = records === undefined ? place : (records[place] as number);
      const index = classOf[record] as number;
      const state = states[place] as number;
      if (oldest[index] !== record || state === NOT_NUMBERED) continue;
      const more = constraints[state] ?? NONE;
      if (all[index]?.length === 0) all[index] = more;
      else if (more.length > 0) {
        const list = (own[index] ??= [...(all[index] ?? NONE)]);
        for (const constraint of more) list.push(constraint);
        all[index] = list;
      }
    }
  }
  return all;
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
