import { ALONE, classesConflict, type RecordClass } from './partition-classes';
import { WaitingParts } from './partition-parts';

/** Conflicts that form a complete multipartite graph, beside records that conflict with nothing. */
export interface Groups {
  /** Records of different parts are kept apart, records of one part are not. Oldest first, none empty. */
  parts: number[][];
  free: number[];
}

/** Comparing classes is quadratic, and of many classes under several rules, some will not conflict anyway. */
const MAX_COMPARED_CLASSES = 64;

/**
 * The parts, if the conflicts of these classes form a complete multipartite graph. That is so when there are none, for
 * one `pair` or `group` rule, and for several that come to one, such as `{"pair":[1,2]}` with `{"pair":[1,3]}`.
 */
export function asGroups(classes: readonly RecordClass[]): Groups | undefined {
  const constrained = classes.filter(({ constraints }) => constraints.length > 0);
  const free = classes.find(({ constraints }) => constraints.length === 0)?.records ?? [];
  if (constrained.some(({ constraints }) => constraints.some(({ key }) => key === ALONE))) return undefined;
  const slot = constrained[0]?.constraints[0]?.slot;
  if (constrained.every(({ constraints }) => constraints.length === 1 && constraints[0]?.slot === slot)) {
    return { parts: constrained.map(({ records }) => records), free };
  }
  if (constrained.length > MAX_COMPARED_CLASSES) return undefined;

  const parts: RecordClass[][] = [];
  for (const each of constrained) {
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

/**
 * Cuts groups into the fewest batches, max(⌈records / maxBatchSize⌉, sum over the parts of ⌈records / maxBatchSize⌉),
 * in O(n log n) but for the number of different rooms beside parts, of which there are less than √(2n).
 *
 * Whenever `left` batches are left to cut, at most `left` × maxBatchSize records remain, and the parts need at most
 * `left` batches by themselves. A batch serves one part, and free records. As long as the parts need fewer than `left`,
 * any does. When they need them all, the batch has to take so much of its part that the part needs one batch less, and
 * only the room that this leaves is for free records. Then both conditions hold for `left` − 1: either the batch is
 * full, or its part and the free records are used up, and what remains is what the other parts need.
 *
 * Each batch is the oldest that can be had without a batch more: of two candidates, the older is the one with the
 * oldest record that is not in both. So it holds the oldest record that remains. Going through the records by age, it
 * takes free ones, until a part comes that leaves room for as many as there are by then; beside the roomiest part, there
 * never are too many.
 */
export function partitionGroups({ parts, free }: Groups, maxBatchSize: number): number[][] {
  const waiting = new WaitingParts(parts, maxBatchSize);
  const total = parts.reduce((sum, { length }) => sum + length, free.length);
  let freeTaken = 0;

  const batches: number[][] = [];
  for (let left = Math.max(Math.ceil(total / maxBatchSize), waiting.batchesNeeded); left > 0; left--) {
    const tight = waiting.batchesNeeded === left;
    const { roomiest } = waiting;
    const part = waiting.take((room, head) => {
      const firstTooMany = free[freeTaken + room] ?? Infinity;
      return !tight || room === roomiest || head < firstTooMany;
    });
    const freeEnd = freeTaken + (part && tight ? waiting.roomBeside(part) : maxBatchSize);
    const batch: number[] = [];
    while (batch.length < maxBatchSize) {
      const nextFree = freeTaken < freeEnd ? (free[freeTaken] ?? Infinity) : Infinity;
      const nextOfPart = part?.records[part.taken] ?? Infinity;
      if (nextFree === Infinity && nextOfPart === Infinity) break;
      batch.push(Math.min(nextFree, nextOfPart));
      if (part && nextOfPart < nextFree) part.taken++;
      else freeTaken++;
    }
    if (part) waiting.put(part);
    batches.push(batch);
  }
  return batches;
}
