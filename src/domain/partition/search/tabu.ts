import type { Kernel } from '../graph/kernel';

/** Tables of conflicts have at most this many cells: 8 MB each. */
const MAX_CELLS = 2_000_000;

/** Records in the wrong place that are considered for one move. With all of them, there would be fewer moves. */
const MAX_CONSIDERED = 16;

/** A record stays away from the batch that it left for up to this many moves, plus some for each record in conflict. */
const TABU_MOVES = 10;
const TABU_MOVES_PER_RESTLESS = 0.5;

/**
 * Looks for a partition with fewer batches: moves the records of the smallest batch into others, whether they conflict
 * there or not, and then moves one record at a time out of a conflict, or out of a batch that is too large, to where the
 * fewest conflicts arise, until none is left or the steps are used up. When it succeeds, it dissolves the next batch.
 *
 * This is tabu colouring (Hertz and de Werra, Using tabu search techniques for graph coloring, 1987) for colours that may
 * be used `maxBatchSize` times; a record beyond that counts as a conflict. The number of conflicts of each class with
 * each batch is kept up to date. Where most pairs conflict, the pairs that do not are counted instead, since they are
 * fewer. Ties are broken by numbers from a fixed seed: the same records give the same batches.
 *
 * @param batches lists of classes, one entry for each record
 * @param enough it stops at this number of batches
 * @param maxSteps elementary steps, of which 100,000 to 200,000 take a millisecond; it ends with the move that exceeds them
 * @returns the best that was found, and the steps taken
 */
export function tabuSearch(
  batches: readonly (readonly number[])[],
  kernel: Kernel,
  { maxBatchSize, enough, maxSteps }: { maxBatchSize: number; enough: number; maxSteps: number },
): { batches: readonly (readonly number[])[]; steps: number } {
  const least = Math.max(enough, 1);
  const cells = kernel.count * batches.length;
  if (batches.length <= least || cells > MAX_CELLS || cells > maxSteps) return { batches, steps: 0 };
  const search = new TabuSearch(batches, kernel, maxBatchSize);
  let best = batches;
  while (best.length > least && search.steps < maxSteps) {
    search.dissolveSmallest();
    while (search.wrong > 0 && search.steps < maxSteps) search.move();
    if (search.wrong > 0) break;
    best = search.batches();
  }
  return { batches: best, steps: search.steps };
}

class TabuSearch {
  /** Pairs that conflict within a batch, and records beyond the size of one. */
  wrong = 0;
  steps = 0;
  private count: number;
  /** How many cells a row has: as many as there were batches at first. */
  private readonly width: number;
  private readonly classOf: Int32Array;
  private readonly batchOf: Int32Array;
  /** By record: its place among the members of its batch. */
  private readonly placeOf: Int32Array;
  private readonly members: number[][];
  /** By class and batch: the conflicts with records there, or where most pairs conflict, minus the pairs that do not. */
  private readonly cells: Int32Array;
  /** By batch: what to add to a cell, to get what is wrong once a record is put there. */
  private readonly extra: Int32Array;
  private readonly tabuUntil: Int32Array;
  /** Records in conflict, or in a batch that is too large; and by record, its place among them, or -1. */
  private readonly restless: number[] = [];
  private readonly restlessAt: Int32Array;
  private readonly countsPairsThatFit: boolean;
  private readonly counted: { starts: Int32Array; items: Int32Array };
  private leastWrong = 0;
  private moves = 0;
  private random = 0x2545f491;

  constructor(
    batches: readonly (readonly number[])[],
    private readonly kernel: Kernel,
    private readonly maxBatchSize: number,
  ) {
    const { count, records } = kernel;
    this.width = this.count = batches.length;
    this.countsPairsThatFit = kernel.isDense();
    this.counted = this.countsPairsThatFit ? kernel.fitting() : kernel.lists();
    this.classOf = Int32Array.from(batches.flat());
    this.batchOf = new Int32Array(records);
    this.placeOf = new Int32Array(records);
    this.restlessAt = new Int32Array(records).fill(-1);
    this.cells = new Int32Array(count * this.width);
    this.tabuUntil = new Int32Array(count * this.width);
    this.extra = new Int32Array(this.width);
    this.members = batches.map(() => []);
    let record = 0;
    for (const [batch, { length }] of batches.entries())
      for (let each = 0; each < length; each++) this.put(record++, batch);
    this.steps += 2 * this.cells.length + this.counted.items.length;
  }

  batches(): number[][] {
    const batches = this.members.map((members) => members.map((record) => this.classOf[record] ?? 0));
    return batches.filter(({ length }) => length > 0);
  }

  dissolveSmallest(): void {
    const sizeOf = (batch: number) => this.members[batch]?.length ?? 0;
    let smallest = 0;
    for (let batch = 1; batch < this.count; batch++) if (sizeOf(batch) <= sizeOf(smallest)) smallest = batch;
    const leaving = [...(this.members[smallest] ?? [])];
    for (const record of leaving) this.take(record, smallest);
    this.dropEmpty(smallest);
    for (const record of leaving) {
      const row = (this.classOf[record] ?? 0) * this.width;
      let [best, least] = [0, Infinity];
      for (let batch = 0; batch < this.count; batch++) {
        const wrong = (this.cells[row + batch] ?? 0) + (this.extra[batch] ?? 0);
        if (wrong < least) [best, least] = [batch, wrong];
      }
      this.wrong += least;
      this.steps += this.count;
      this.put(record, best);
    }
    for (let batch = 0; batch < this.count; batch++) this.updateRestless(batch);
    this.leastWrong = this.wrong;
  }

  /** Moves one record to where the least is wrong then. */
  move(): void {
    const { count, width, batchOf, classOf, cells, extra, tabuUntil, restless } = this;
    this.moves++;
    const considered = Math.min(MAX_CONSIDERED, restless.length);
    let place = considered < restless.length ? this.below(restless.length) : 0;
    const bestYet = this.leastWrong - this.wrong;
    let [record, to, least, ties] = [-1, -1, Infinity, 0];
    for (let each = 0; each < considered; each++) {
      const candidate = restless[place++] ?? 0;
      if (place === restless.length) place = 0;
      const from = batchOf[candidate] ?? 0;
      const row = (classOf[candidate] ?? 0) * width;
      const now = this.wrongBy(candidate);
      let bar = least + now;
      for (let batch = 0; batch < count; batch++) {
        const then = (cells[row + batch] ?? 0) + (extra[batch] ?? 0);
        if (then > bar || batch === from) continue;
        if ((tabuUntil[row + batch] ?? 0) > this.moves && then - now >= bestYet) continue;
        ties = then < bar ? 1 : ties + 1;
        bar = then;
        if (ties > 1 && this.below(ties) > 0) continue;
        record = candidate;
        to = batch;
      }
      least = bar - now;
    }
    this.steps += considered * count + 1;
    if (record === -1) return;
    const from = batchOf[record] ?? 0;
    this.take(record, from);
    this.put(record, to);
    this.updateRestless(from);
    this.updateRestless(to);
    this.wrong += least;
    this.leastWrong = Math.min(this.leastWrong, this.wrong);
    const wait = this.below(TABU_MOVES) + Math.floor(TABU_MOVES_PER_RESTLESS * restless.length);
    tabuUntil[(classOf[record] ?? 0) * width + from] = this.moves + wait + 1;
  }

  /** What is less wrong once a record has left its batch. */
  private wrongBy(record: number): number {
    const recordClass = this.classOf[record] ?? 0;
    const batch = this.batchOf[record] ?? 0;
    const { length } = this.members[batch] ?? [];
    // A record of a class that conflicts with itself doesn't conflict with itself.
    const conflicts =
      (this.cells[recordClass * this.width + batch] ?? 0) + (this.countsPairsThatFit ? length : 0);
    return conflicts - (this.kernel.alone[recordClass] ?? 0) + (length > this.maxBatchSize ? 1 : 0);
  }

  private updateRestless(batch: number): void {
    const { restless, restlessAt } = this;
    const members = this.members[batch] ?? [];
    for (const record of members) {
      const place = restlessAt[record] ?? -1;
      const isRestless = this.wrongBy(record) > 0;
      if (isRestless === place >= 0) continue;
      if (isRestless) restlessAt[record] = restless.push(record) - 1;
      else {
        removeAt(restless, place, restlessAt);
        restlessAt[record] = -1;
      }
    }
    this.steps += 2 * members.length;
  }

  /** Gives the last batch the number of one without members. */
  private dropEmpty(batch: number): void {
    const { cells, width, members, extra } = this;
    const last = --this.count;
    const moved = members.pop() ?? [];
    if (batch !== last) {
      members[batch] = moved;
      for (const record of moved) this.batchOf[record] = batch;
      extra[batch] = extra[last] ?? 0;
      for (let row = 0; row < cells.length; row += width) cells[row + batch] = cells[row + last] ?? 0;
    }
    this.tabuUntil.fill(0);
    this.steps += this.kernel.count + (cells.length >> 3);
  }

  private take(record: number, batch: number): void {
    removeAt(this.members[batch] ?? [], this.placeOf[record] ?? 0, this.placeOf);
    this.countIn(record, batch, -1);
  }

  private put(record: number, batch: number): void {
    this.batchOf[record] = batch;
    this.placeOf[record] = (this.members[batch]?.push(record) ?? 0) - 1;
    this.countIn(record, batch, 1);
  }

  private countIn(record: number, batch: number, by: number): void {
    const { cells, width, countsPairsThatFit } = this;
    const { starts, items } = this.counted;
    const change = countsPairsThatFit ? -by : by;
    const recordClass = this.classOf[record] ?? 0;
    const start = starts[recordClass] ?? 0;
    const end = starts[recordClass + 1] ?? 0;
    for (let place = start; place < end; place++) {
      const cell = (items[place] ?? 0) * width + batch;
      cells[cell] = (cells[cell] ?? 0) + change;
    }
    this.steps += end - start;
    const { length } = this.members[batch] ?? [];
    this.extra[batch] = (countsPairsThatFit ? length : 0) + (length >= this.maxBatchSize ? 1 : 0);
  }

  /** A whole number from 0 to before `end`, by Marsaglia's xorshift. */
  private below(end: number): number {
    this.random ^= this.random << 13;
    this.random ^= this.random >>> 17;
    this.random ^= this.random << 5;
    return (this.random >>> 0) % end;
  }
}

/** Removes an item, and puts the last one in its place. @param placeOf by item */
function removeAt(items: number[], place: number, placeOf: Int32Array): void {
  const last = items.pop() ?? 0;
  if (place >= items.length) return;
  items[place] = last;
  placeOf[last] = place;
}
