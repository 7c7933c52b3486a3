import { ALONE, classesConflict, type RecordClass } from './partition-classes';

/** Conflicts that form a complete multipartite graph, beside records that conflict with nothing. */
export interface Groups {
  /** Records of different parts are kept apart, records of one part are not. Oldest first, none empty. */
  parts: number[][];
  free: number[];
}

/** Comparing classes is quadratic; with more of them than this, complete multipartite by chance is not to be expected. */
const MAX_COMPARED_CLASSES = 64;

/**
 * The parts, if conflicts of these classes form a complete multipartite graph. That is so for one `pair` or `group`
 * rule, and for several that come to the same, such as `{"pair":[1,2]}` with `{"pair":[1,3]}`.
 */
export function asGroups(classes: readonly RecordClass[]): Groups | undefined {
  const bound = classes.filter(({ constraints }) => constraints.length > 0);
  const free = classes
    .filter(({ constraints }) => constraints.length === 0)
    .flatMap(({ records }) => records);
  if (bound.some(({ constraints }) => constraints.some(({ key }) => key === ALONE))) return undefined;
  const slot = bound[0]?.constraints[0]?.slot;
  if (bound.every(({ constraints }) => constraints.length === 1 && constraints[0]?.slot === slot)) {
    return { parts: bound.map(({ records }) => records), free };
  }
  if (bound.length > MAX_COMPARED_CLASSES) return undefined;

  const parts: RecordClass[][] = [];
  for (const each of bound) {
    const joined = parts.filter((part) => part.some((other) => !classesConflict(each, other)));
    if (joined.length > 1) return undefined;
    const [part] = joined;
    if (part === undefined) parts.push([each]);
    else if (part.some((other) => classesConflict(each, other))) return undefined;
    else part.push(each);
  }
  const inOrder = (part: RecordClass[]) => part.flatMap(({ records }) => records).sort((a, b) => a - b);
  return { parts: parts.map(inOrder), free };
}

interface Part {
  records: readonly number[];
  taken: number;
}

/**
 * Cuts groups into the fewest batches, max(⌈records / maxBatchSize⌉, sum over the parts of ⌈records / maxBatchSize⌉),
 * in O(records + batches × parts).
 *
 * Whenever `left` batches are left to cut, at most `left` × maxBatchSize records remain, and the parts need at most
 * `left` batches by themselves. A batch serves one part and free records. As long as the parts need fewer than `left`,
 * nothing else matters; when they need all of them, the batch has to take so much of its part that the part needs one
 * batch less, and only the room that this leaves is for free records. Then both conditions hold for `left` − 1: the
 * batch is full; or its part and the free records are used up, so that the rest needs what the other parts need.
 *
 * Each batch is the oldest that can be had without a batch more: of two candidates, the older is the one with the
 * oldest record that is not in both. So it holds the oldest record that remains.
 */
export function partitionGroups(groups: Groups, maxBatchSize: number): number[][] {
  const { free } = groups;
  const batchesFor = (records: number) => Math.ceil(records / maxBatchSize);
  let parts: Part[] = groups.parts.map((records) => ({ records, taken: 0 }));
  let freeTaken = 0;
  let needed = parts.reduce((sum, part) => sum + batchesFor(remaining(part)), 0);
  const total = parts.reduce((sum, part) => sum + remaining(part), free.length);

  const batches: number[][] = [];
  for (let left = Math.max(batchesFor(total), needed); left > 0; left--) {
    /** How many free records a batch that serves the part may hold. */
    const room = (part: Part) =>
      needed < left ? maxBatchSize : maxBatchSize * batchesFor(remaining(part)) - remaining(part);
    const part = choosePart(parts, room, free, freeTaken);
    const batch: number[] = [];
    let freeAllowed = part === undefined ? maxBatchSize : room(part);
    if (part) needed -= batchesFor(remaining(part));
    while (batch.length < maxBatchSize) {
      const nextFree = freeAllowed > 0 ? (free[freeTaken] ?? Infinity) : Infinity;
      const nextOfPart = part?.records[part.taken] ?? Infinity;
      if (nextFree === Infinity && nextOfPart === Infinity) break;
      batch.push(Math.min(nextFree, nextOfPart));
      if (part && nextOfPart < nextFree) part.taken++;
      else {
        freeTaken++;
        freeAllowed--;
      }
    }
    if (part) needed += batchesFor(remaining(part));
    if (part && remaining(part) === 0) parts = parts.filter((each) => each !== part);
    batches.push(batch);
  }
  return batches;
}

/**
 * The part that the oldest possible batch serves. Going through the records by age, a batch takes free ones until one
 * of a part comes that leaves room for the free ones it holds already; it never holds more than the roomiest part allows.
 */
function choosePart(
  parts: readonly Part[],
  room: (part: Part) => number,
  free: readonly number[],
  freeTaken: number,
): Part | undefined {
  const roomiest = parts.reduce((most, part) => Math.max(most, room(part)), 0);
  let chosen: Part | undefined;
  for (const part of parts) {
    const firstTooMany = free[freeTaken + room(part)] ?? Infinity;
    if (firstTooMany < head(part) && room(part) < roomiest) continue;
    if (chosen === undefined || head(part) < head(chosen)) chosen = part;
  }
  return chosen;
}

function remaining(part: Part): number {
  return part.records.length - part.taken;
}

function head(part: Part): number {
  return part.records[part.taken] ?? Infinity;
}
