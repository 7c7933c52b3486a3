import type { Lists } from '../graph/lists';
import { WaitingParts } from './waiting-parts';

/**
 * Cuts records whose conflicts are a complete multipartite graph (records of different parts are kept apart, those of one
 * part are not), and free records, into the fewest batches: max(⌈records / maxBatchSize⌉, sum over the parts of
 * ⌈records / maxBatchSize⌉). In O(n log n) but for the number of different rooms beside parts, of which there are less
 * than √(2n).
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
 *
 * @param parts the records of each, oldest first, none empty
 * @param free oldest first
 */
export function partitionGroups(parts: Lists, free: Int32Array, maxBatchSize: number): number[][] {
  const waiting = new WaitingParts(parts, maxBatchSize);
  const total = parts.items.length + free.length;
  let freeTaken = 0;

  const batches: number[][] = [];
  for (let left = Math.max(Math.ceil(total / maxBatchSize), waiting.batchesNeeded); left > 0; left--) {
    const tight = waiting.batchesNeeded === left;
    const { roomiest } = waiting;
    const part = waiting.take((room, head) => {
      const firstTooMany = free[freeTaken + room] ?? Infinity;
      return !tight || room === roomiest || head < firstTooMany;
    });
    const freeEnd = freeTaken + (part !== undefined && tight ? waiting.roomBeside(part) : maxBatchSize);
    const batch: number[] = [];
    while (batch.length < maxBatchSize) {
      const nextFree = freeTaken < freeEnd ? (free[freeTaken] ?? Infinity) : Infinity;
      const nextOfPart = part === undefined ? Infinity : waiting.headOf(part);
      if (nextFree === Infinity && nextOfPart === Infinity) break;
      batch.push(Math.min(nextFree, nextOfPart));
      if (part !== undefined && nextOfPart < nextFree) waiting.useHead(part);
      else freeTaken++;
    }
    if (part !== undefined) waiting.put(part);
    batches.push(batch);
  }
  return batches;
}
