import type { Kernel } from '../graph/kernel';

/** So many classes fit into the bits of a number. */
const MAX_CLASSES = 32;

/** Records beyond which it would seldom come to an end. */
const MAX_RECORDS = 100;

/**
 * Looks for the fewest batches by trying all ways to put records into batches that aren't the same in other words
 * (branch and bound): records with many conflicts first, those of one class in the order of the batches, and no further
 * than there is room for what is left. For up to nine records it always comes to an end within 30,000 places, as there are
 * 26,441 ways to put them into batches (the Bell numbers, summed).
 *
 * @param best lists of classes, one entry for each record: a partition to beat
 * @param maxPlaces tried before it gives up
 * @returns the best that was found, whether no other has fewer, and the places tried; undefined when there are too many records to try
 */
export function searchFewest(
  best: readonly (readonly number[])[],
  kernel: Kernel,
  { maxBatchSize, enough, maxPlaces }: { maxBatchSize: number; enough: number; maxPlaces: number },
): { batches: readonly (readonly number[])[]; proved: boolean; places: number } | undefined {
  if (kernel.count > MAX_CLASSES || kernel.records > MAX_RECORDS) return undefined;
  const order = [...kernel.sizes.keys()]
    .sort((a, b) => (kernel.degrees[b] ?? 0) - (kernel.degrees[a] ?? 0) || a - b)
    .flatMap((each) => Array.from({ length: kernel.sizes[each] ?? 0 }, () => each));
  const search = new Search(order, kernel, maxBatchSize, maxPlaces);
  let batches = best;
  while (batches.length > enough && search.finds(batches.length - 1)) {
    const found: number[][] = [];
    for (const [place, each] of order.entries()) (found[search.batchAt[place] ?? 0] ??= []).push(each);
    batches = found;
  }
  return { batches, proved: search.placesLeft > 0, places: maxPlaces - search.placesLeft };
}

class Search {
  /** By place in the order: the batch of the record. */
  readonly batchAt: number[] = [];
  /** By batch: its classes as bits, and how many records it has. */
  private readonly held: number[] = [];
  private readonly sizes: number[] = [];

  constructor(
    private readonly classAt: readonly number[],
    private readonly kernel: Kernel,
    private readonly maxBatchSize: number,
    public placesLeft: number,
  ) {}

  /** Whether a partition into so many batches was found. */
  finds(most: number): boolean {
    this.held.length = 0;
    this.sizes.length = 0;
    return this.place(0, most, most * this.maxBatchSize);
  }

  private place(at: number, most: number, room: number): boolean {
    const { classAt, held, sizes, batchAt } = this;
    const recordClass = classAt[at];
    if (recordClass === undefined) return true;
    if (room < classAt.length - at) return false;
    const conflicts = this.kernel.row(recordClass)[0] ?? 0;
    const first = recordClass === classAt[at - 1] ? (batchAt[at - 1] ?? 0) : 0;
    for (let batch = first; batch <= held.length && batch < most; batch++) {
      const before = held[batch] ?? 0;
      const size = sizes[batch] ?? 0;
      if (size === this.maxBatchSize || (before & conflicts) !== 0) continue;
      if (--this.placesLeft <= 0) return false;
      const isNew = batch === held.length;
      held[batch] = before | (1 << recordClass);
      sizes[batch] = size + 1;
      batchAt[at] = batch;
      if (this.place(at + 1, most, room - 1)) return true;
      held[batch] = before;
      sizes[batch] = size;
      if (isNew) {
        held.length--;
        sizes.length--;
      }
    }
    return false;
  }
}
