import type { Kernel } from '../graph/kernel';

/** Sets that are tried for one batch, when there are steps enough. */
const MAX_SETS = 100_000;

/**
 * Builds one batch after the other, each as good as a bounded search finds it: it begins with a record that conflicts
 * with the most of those that are left, and takes the largest set beside it in which nothing conflicts; of equally large
 * ones, the one with the most conflicts outside, so that what is left conflicts least.
 *
 * Leighton (A graph coloring algorithm for large scheduling problems, 1979) introduced colouring class by class (RLF), and
 * Johnson, Aragon, McGeoch and Schevon (Optimization by simulated annealing, part II, 1991) trying several sets for each
 * (XRLF). Where nine of ten pairs conflict it needs a sixth fewer batches than DSATUR.
 *
 * @param maxSteps elementary steps; when they are used up, the remaining batches are made of the first set found
 * @returns lists of classes, one entry for each record, and the steps taken
 */
export function extract(
  kernel: Kernel,
  maxBatchSize: number,
  maxSteps: number,
): { batches: number[][]; steps: number } {
  const extraction = new Extraction(kernel, maxBatchSize, maxSteps);
  const batches: number[][] = [];
  while (extraction.recordsLeft > 0) batches.push(extraction.next());
  return { batches, steps: extraction.steps };
}

class Extraction {
  steps = 0;
  recordsLeft: number;
  /** By class: records that are in no batch yet, and with how many of those it conflicts. */
  private readonly left: Int32Array;
  private readonly degrees: Int32Array;
  private classesLeft: number[];
  private setsLeft = 0;
  private endsAt = 0;
  private best: number[] = [];
  private readonly set: number[] = [];
  /** The candidates of each batch that is being built, and behind them those that are left after each choice. */
  private stack = new Int32Array(64);
  private bestSize = 0;
  private bestWeight = 0;

  constructor(
    private readonly kernel: Kernel,
    private readonly maxBatchSize: number,
    private readonly maxSteps: number,
  ) {
    this.recordsLeft = kernel.records;
    this.left = kernel.sizes.slice();
    this.degrees = kernel.degrees.slice();
    this.classesLeft = [...kernel.sizes.keys()];
  }

  next(): number[] {
    const { degrees, left, kernel } = this;
    const seed = this.classesLeft.reduce((most, each) =>
      (degrees[each] ?? 0) > (degrees[most] ?? 0) ? each : most,
    );
    const candidates = this.classesLeft
      .filter((each) => each !== seed && !kernel.conflict(seed, each))
      .sort((a, b) => (degrees[b] ?? 0) - (degrees[a] ?? 0) || a - b);
    this.steps += this.classesLeft.length + 8 * candidates.length;
    this.best = [];
    this.bestSize = 0;
    this.setsLeft = MAX_SETS;
    // What is left of the steps, spread over the batches that may still come.
    const share = (this.maxSteps - this.steps) * (this.maxBatchSize / Math.max(this.recordsLeft, 1));
    this.endsAt = this.steps + Math.max(0, Math.min(share, (this.maxSteps - this.steps) / 8));
    this.reserve(candidates.length);
    this.stack.set(candidates);
    this.grow(0, 0, seed, 0, candidates.length);
    const batch = this.best.flatMap((each) => Array.from({ length: this.taking(each, 0) }, () => each));
    const full = batch.slice(0, this.maxBatchSize);
    for (const each of full) this.take(each);
    this.recordsLeft -= full.length;
    this.classesLeft = this.classesLeft.filter((each) => (left[each] ?? 0) > 0);
    return full;
  }

  /** Tries the sets that hold `set`, `next`, and some of the candidates, which are on the stack between two places. */
  private grow(size: number, weight: number, next: number, from: number, to: number): void {
    this.setsLeft--;
    const taken = this.taking(next, size);
    const [ownSize, ownWeight] = [size + taken, weight + taken * (this.degrees[next] ?? 0)];
    this.set.push(next);
    if (ownSize > this.bestSize || (ownSize === this.bestSize && ownWeight > this.bestWeight)) {
      this.best = [...this.set];
      this.bestSize = ownSize;
      this.bestWeight = ownWeight;
    }
    if (ownSize < this.maxBatchSize && from < to) this.growBy(ownSize, ownWeight, from, to);
    this.set.pop();
  }

  private growBy(size: number, weight: number, from: number, to: number): void {
    let room = 0;
    for (let place = from; place < to; place++) room += this.taking(this.stack[place] ?? 0, 0);
    this.steps += to - from;
    for (let place = from; place < to; place++) {
      // Nothing larger can come, and what is as large was tried with records of more conflicts.
      if (size + room < this.bestSize) break;
      // The first way down is always gone to its end, so that there is a set to take.
      if (this.bestSize > size && (this.setsLeft <= 0 || this.steps >= this.endsAt)) break;
      const candidate = this.stack[place] ?? 0;
      room -= this.taking(candidate, 0);
      this.reserve(2 * to - place);
      const { stack } = this;
      const row = this.kernel.row(candidate);
      let end = to;
      for (let other = place + 1; other < to; other++) {
        const each = stack[other] ?? 0;
        if (((row[each >> 5] ?? 0) & (1 << (each & 31))) === 0) stack[end++] = each;
      }
      this.steps += to - place + 1;
      this.grow(size, weight, candidate, to, end);
    }
  }

  private reserve(length: number): void {
    if (this.stack.length >= length) return;
    const larger = new Int32Array(2 * length);
    larger.set(this.stack);
    this.stack = larger;
  }

  /** How many records of a class a batch takes that has so many already. */
  private taking(recordClass: number, size: number): number {
    if (this.kernel.alone[recordClass]) return 1;
    return Math.min(this.left[recordClass] ?? 0, this.maxBatchSize - size);
  }

  private take(recordClass: number): void {
    this.left[recordClass] = (this.left[recordClass] ?? 0) - 1;
    const { starts, items } = this.kernel.lists();
    const end = starts[recordClass + 1] ?? 0;
    for (let place = starts[recordClass] ?? 0; place < end; place++) {
      const other = items[place] ?? 0;
      this.degrees[other] = (this.degrees[other] ?? 0) - 1;
    }
    this.steps += end - (starts[recordClass] ?? 0);
  }
}
