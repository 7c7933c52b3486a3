import type { Kernel } from './kernel';

/** Whole numbers as weights, so that sums are exact on every machine. */
export type Weights = Int32Array;

/**
 * The largest total weight of records that may share a batch, by branch and bound: records of the greatest weight first,
 * and none further than what is left can still add.
 *
 * @param weights by class, for each of its records; not negative
 * @param maxSteps elementary steps after which it gives up
 * @returns the weight, the classes of one such set (one entry for each record) and the steps taken; `weight` is undefined
 *   where the steps didn't suffice to prove that there is no larger one
 */
export function heaviestBatch(
  kernel: Kernel,
  weights: Weights,
  maxBatchSize: number,
  maxSteps: number,
): { weight: number | undefined; set: number[]; steps: number } {
  const search = new HeaviestBatch(kernel, weights, maxBatchSize, maxSteps);
  search.run();
  return {
    weight: search.steps < maxSteps ? search.best : undefined,
    set: search.bestSet,
    steps: search.steps,
  };
}

class HeaviestBatch {
  steps = 0;
  best = 0;
  bestSet: number[] = [];
  private readonly set: number[] = [];

  constructor(
    private readonly kernel: Kernel,
    private readonly weights: Weights,
    private readonly maxBatchSize: number,
    private readonly maxSteps: number,
  ) {}

  run(): void {
    const { weights, kernel } = this;
    const order = [...kernel.sizes.keys()].filter((each) => (weights[each] as number) > 0);
    order.sort((a, b) => (weights[b] as number) - (weights[a] as number) || a - b);
    this.steps += order.length;
    this.grow(0, this.maxBatchSize, order);
  }

  private grow(weight: number, room: number, candidates: readonly number[]): void {
    if (weight > this.best) {
      this.best = weight;
      this.bestSet = [...this.set];
    }
    if (room === 0) return;
    for (let place = 0; place < candidates.length && this.steps < this.maxSteps; place++) {
      if (weight + this.most(candidates, place, room) <= this.best) return;
      const candidate = candidates[place] as number;
      const taken = this.kernel.alone[candidate] ? 1 : Math.min(this.kernel.sizes[candidate] as number, room);
      const others: number[] = [];
      for (let other = place + 1; other < candidates.length; other++) {
        const each = candidates[other] as number;
        if (!this.kernel.conflict(candidate, each)) others.push(each);
      }
      this.steps += candidates.length - place;
      for (let each = 0; each < taken; each++) this.set.push(candidate);
      this.grow(weight + taken * (this.weights[candidate] as number), room - taken, others);
      this.set.length -= taken;
    }
  }

  /** No more than the heaviest of the candidates that there is room for, were there no conflicts among them. */
  private most(candidates: readonly number[], from: number, room: number): number {
    let [most, left] = [0, room];
    for (let place = from; place < candidates.length && left > 0; place++) {
      const each = candidates[place] as number;
      const taken = this.kernel.alone[each] ? 1 : Math.min(this.kernel.sizes[each] as number, left);
      most += taken * (this.weights[each] as number);
      left -= taken;
      this.steps++;
    }
    return most;
  }
}
