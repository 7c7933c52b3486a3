import { listOf, listsBy } from './lists';

/** A partition of records, which are known by their indices. */
export interface Cut {
  /** Each oldest first; ordered by their oldest record. */
  batches: number[][];
  /** No partition has fewer batches than this. */
  lowerBound: number;
  /** Elementary steps of searches: what is linear or n log n isn't counted. */
  steps: number;
}

/** Which batch each record is in, by number, and how many batches there are. */
export interface Assignment {
  batchOf: Int32Array;
  count: number;
}

/** The batches of an assignment, in the order of their numbers. */
export function batchesOf({ batchOf, count }: Assignment): number[][] {
  const lists = listsBy(batchOf, count);
  return Array.from({ length: count }, (_, batch) => [...listOf(lists, batch)]);
}

/** A partition of which it is proved that none has fewer batches. */
export function fewest(batches: number[][]): Cut {
  return { batches, lowerBound: batches.length, steps: 0 };
}
