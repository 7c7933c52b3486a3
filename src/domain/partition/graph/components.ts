import { areApart, countOf, forEachConstraint, isAloneClass, type Classes } from './classes';
import { lengthOf, listOf, listsBy, type Lists } from './lists';

/** Not part of a component: a class, or a record, that conflicts with nothing. */
export const FREE = -1;

/** The connected components of the conflict graph. */
export interface Components {
  /** By component: its classes. */
  classes: Lists;
  /** By component: how many records it has. */
  sizes: Int32Array;
  /** By class; {@link FREE} where it conflicts with nothing. */
  ofClass: Int32Array;
}

/** Finds the components, near O(constraints): classes that are in one slot are connected, by others if not directly. */
export function componentsOf(classes: Classes): Components {
  const { constraints, members, slots, slotOf } = classes;
  const count = countOf(classes);
  const parents = new Int32Array(count).map((_, index) => index);
  const rootOf = (index: number) => {
    let root = index;
    while (parents[root] !== root) {
      parents[root] = parents[parents[root] ?? 0] ?? 0;
      root = parents[root] ?? 0;
    }
    return root;
  };
  const firstIn = new Int32Array(slots).fill(FREE);
  forEachConstraint(classes, (index, constraint) => {
    const slot = slotOf[constraint] ?? 0;
    const first = firstIn[slot] ?? 0;
    if (first === FREE) firstIn[slot] = index;
    // The smaller index becomes the root: it has been numbered by the time that it is asked for.
    else {
      const [a, b] = [rootOf(first), rootOf(index)];
      parents[Math.max(a, b)] = Math.min(a, b);
    }
  });
  const ofClass = new Int32Array(count).fill(FREE);
  const sizes: number[] = [];
  for (let index = 0; index < count; index++) {
    if (lengthOf(constraints, index) === 0) continue;
    const root = rootOf(index);
    const component = root === index ? sizes.push(0) - 1 : (ofClass[root] ?? 0);
    ofClass[index] = component;
    sizes[component] = (sizes[component] ?? 0) + lengthOf(members, index);
  }
  return { classes: listsBy(ofClass, sizes.length), sizes: Int32Array.from(sizes), ofClass };
}

/** Comparing classes is quadratic, and of many classes under several rules, some will not conflict anyway. */
const MAX_COMPARED_CLASSES = 64;

/**
 * The parts of a component, as lists of its classes, if it is complete multipartite: records of different parts are kept
 * apart, those of one part are not. A class whose own records are kept apart is one part for each of its records.
 */
export function partsOf(classes: Classes, component: Int32Array): number[][] | undefined {
  const { constraints, slotOf } = classes;
  const firstSlotOf = (index: number) => slotOf[constraints.items[constraints.starts[index] ?? 0] ?? 0];
  const first = firstSlotOf(component[0] ?? 0);
  if (component.every((index) => lengthOf(constraints, index) === 1 && firstSlotOf(index) === first)) {
    // Classes of one slot alone differ in their keys.
    return Array.from(component, (index) => [index]);
  }
  if (component.length > MAX_COMPARED_CLASSES) return undefined;
  const parts: number[][] = [];
  for (const index of component) {
    const joined = parts.filter((part) => part.some((other) => !areApart(classes, index, other)));
    const [part] = joined;
    if (part === undefined) parts.push([index]);
    else if (joined.length > 1 || part.some((other) => areApart(classes, index, other))) return undefined;
    else if ([index, ...part].some((each) => isScattered(classes, each))) return undefined;
    else part.push(index);
  }
  return parts;
}

/** Whether a class has several records, which are kept apart from each other. */
function isScattered(classes: Classes, index: number): boolean {
  return lengthOf(classes.members, index) > 1 && isAloneClass(classes, index);
}

/** Whether all records of a component conflict with each other. */
export function isClique(classes: Classes, { classes: lists }: Components, component: number): boolean {
  const isSingle = (index: number) => lengthOf(classes.members, index) === 1 || isScattered(classes, index);
  // Most often it is one value that is to be distinct.
  if (lengthOf(lists, component) === 1) return isSingle(lists.items[lists.starts[component] ?? 0] ?? 0);
  const parts = partsOf(classes, listOf(lists, component));
  return parts?.every(([first = FREE, ...others]) => others.length === 0 && isSingle(first)) ?? false;
}

/** By record: the number of its part; {@link FREE} outside of the parts. */
export function partOfRecords(
  classes: Classes,
  parts: readonly (readonly number[])[],
): { partOf: Int32Array; count: number } {
  const partOf = new Int32Array(classes.classOf.length).fill(FREE);
  let count = 0;
  for (const part of parts) {
    const scattered = isScattered(classes, part[0] ?? 0);
    for (const index of part) {
      for (const record of listOf(classes.members, index)) partOf[record] = scattered ? count++ : count;
    }
    if (!scattered) count++;
  }
  return { partOf, count };
}
