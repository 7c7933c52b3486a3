import type { ConflictRule } from '../../rules';
import type { JsonValue } from '../../json';
import { columnsOf } from './columns';
import type { Column, Constraints } from './constraints';
import { listOf, listsBy, type Lists } from './lists';
import { NOT_NUMBERED, Numbers, Parts } from './values';

/**
 * The records of a buffer, by what they conflict with. A record is known by its index in the buffer, which is also its
 * order of age. Records of one class are under the same constraints: as far as conflicts go, they are interchangeable.
 */
export interface Classes extends Constraints {
  /** By class: its constraints, at most one per slot; none for the class of records that conflict with nothing. */
  constraints: Lists;
  /** By class: its records, oldest first; there is one at least. */
  members: Lists;
  /** By record. */
  classOf: Int32Array;
}

/** How many classes there are. */
export function countOf({ constraints }: Classes): number {
  return constraints.starts.length - 1;
}

/** The records that conflict with nothing, oldest first. */
export function freeRecords({ constraints: { starts }, members }: Classes): Int32Array {
  for (let each = 0; each + 1 < starts.length; each++)
    if (starts[each] === starts[each + 1]) return listOf(members, each);
  return new Int32Array();
}

/** Whether records of a class are kept apart from records of another; from each other, given the same class twice. */
export function areApart({ constraints, slotOf, isAlone }: Classes, a: number, b: number): boolean {
  return listOf(constraints, a).some((one) =>
    listOf(constraints, b).some(
      (other) => slotOf[other] === slotOf[one] && (other !== one || isAlone[other] === 1),
    ),
  );
}

/** Whether the records of a class are kept apart from each other. */
export function isAloneClass({ constraints, isAlone }: Classes, index: number): boolean {
  return listOf(constraints, index).some((constraint) => isAlone[constraint] === 1);
}

/** Goes through the constraints of all classes. */
export function forEachConstraint(
  { constraints: { starts, items } }: Classes,
  visit: (index: number, constraint: number) => void,
): void {
  let index = 0;
  for (let place = 0; place < items.length; place++) {
    while (place >= (starts[index + 1] ?? 0)) index++;
    visit(index, items[place] ?? 0);
  }
}

/** Sorts records into classes, without comparing any two of them: O(records × rules), less for rules that look alike. */
export function classify(records: readonly { value: JsonValue }[], rules: readonly ConflictRule[]): Classes {
  const { columns, tables } = columnsOf(new Parts(records), rules);
  const mattering = columns.filter(({ constraints }) => constraints.items.length > 0);
  const split = new Int32Array(records.length);
  let count = 1;
  for (const column of mattering) count = splitBy(column, split, count);
  // Numbered by their oldest records, as splitting leaves some without any.
  const numberOf = new Int32Array(count).fill(-1);
  const oldest: number[] = [];
  const classOf = split.map((index, record) => {
    if (numberOf[index] === -1) numberOf[index] = oldest.push(record) - 1;
    return numberOf[index] ?? 0;
  });
  const constraints = constraintsOf(oldest, classOf, mattering);
  return { ...tables, constraints, members: listsBy(classOf, oldest.length), classOf };
}

/**
 * Splits classes so that all records of one have the same constraints in one more column, in the time that its records
 * take. @returns how many numbers of classes are in use, some of them for none
 */
function splitBy({ records, states, constraints }: Column, classOf: Int32Array, count: number): number {
  const { starts } = constraints;
  const width = starts.length - 1;
  const pieces = new Numbers(count * width, states.length);
  for (let place = 0; place < states.length; place++) {
    const state = states[place] ?? 0;
    if (state === NOT_NUMBERED || starts[state] === starts[state + 1]) continue;
    const record = records === undefined ? place : (records[place] ?? 0);
    classOf[record] = count + pieces.of((classOf[record] ?? 0) * width + state);
  }
  return count + pieces.count;
}

/** By class: the constraints of its oldest record, column by column. */
function constraintsOf(oldest: readonly number[], classOf: Int32Array, columns: readonly Column[]): Lists {
  const starts = new Int32Array(oldest.length + 1);
  const forEach = (visit: (index: number, items: Int32Array, from: number, to: number) => void) => {
    for (const { records, states, constraints } of columns) {
      for (let place = 0; place < states.length; place++) {
        const state = states[place] ?? 0;
        if (state === NOT_NUMBERED) continue;
        const record = records === undefined ? place : (records[place] ?? 0);
        const index = classOf[record] ?? 0;
        if (oldest[index] !== record) continue;
        visit(index, constraints.items, constraints.starts[state] ?? 0, constraints.starts[state + 1] ?? 0);
      }
    }
  };
  forEach((index, _, from, to) => (starts[index + 1] = (starts[index + 1] ?? 0) + to - from));
  for (let index = 1; index < starts.length; index++)
    starts[index] = (starts[index] ?? 0) + (starts[index - 1] ?? 0);
  const items = new Int32Array(starts[oldest.length] ?? 0);
  const next = starts.slice();
  forEach((index, own, from, to) => {
    let into = next[index] ?? 0;
    for (let place = from; place < to; place++) items[into++] = own[place] ?? 0;
    next[index] = into;
  });
  return { starts, items };
}
