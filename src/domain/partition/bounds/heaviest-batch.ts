import type { Kernel } from '../graph/kernel';

/** Whole numbers as weights, so that sums are exact on every machine. */
export type Weights = Int32Array;

/**
 * The largest total weight of records that may share a batch, by branch and bound: records of the greatest weight first,
 * and none further than what is left can still add: by its weights, and by how many cliques cover it, which is how colours
 * bound a clique (Tomita and Seki, An efficient branch-and-bound algorithm for finding a maximum clique, 2003).
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
    const order = [...kernel.sizes.keys()].filter((each) => (weights[each] ?? 0) > 0);
    order.sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0) || a - b);
    this.steps += order.length;
    this.grow(0, this.maxBatchSize, order);
  }

  private grow(weight: number, room: number, candidates: readonly number[]): void {
    if (weight > this.best) {
      this.best = weight;
      this.bestSet = [...this.set];
    }
    if (room === 0 || candidates.length === 0) return;
    if (weight + this.most(candidates, 0, room) <= this.best) return;
    const bounds = candidates.length > 2 ? this.bounds(candidates, room) : undefined;
    for (let place = 0; place < candidates.length && this.steps < this.maxSteps; place++) {
      if (weight + (bounds?.[place] ?? Infinity) <= this.best) return;
      if (weight + this.most(candidates, place, room) <= this.best) return;
      const candidate = candidates[place] ?? 0;
      const taken = this.taking(candidate, room);
      const others: number[] = [];
      const row = this.kernel.row(candidate);
      for (let other = place + 1; other < candidates.length; other++) {
        const each = candidates[other] ?? 0;
        if (((row[each >> 5] ?? 0) & (1 << (each & 31))) === 0) others.push(each);
      }
      this.steps += candidates.length - place;
      for (let each = 0; each < taken; each++) this.set.push(candidate);
      this.grow(weight + taken * (this.weights[candidate] ?? 0), room - taken, others);
      this.set.length -= taken;
    }
  }

  /**
   * By place: no more than the heaviest set of the candidates from there on. They are sorted into groups in which all
   * conflict with each other; a set has one class of each group at most. Where that takes more groups than twice the room,
   * it says nothing.
   */
  private bounds(candidates: readonly number[], room: number): Float64Array {
    const bounds = new Float64Array(candidates.length).fill(Infinity);
    const groups: number[][] = [];
    const heaviest: number[] = [];
    let sum = 0;
    for (let place = candidates.length - 1; place >= 0; place--) {
      const candidate = candidates[place] ?? 0;
      const row = this.kernel.row(candidate);
      let group = 0;
      for (; group < groups.length; group++) {
        let met = 0;
        const members = groups[group] ?? [];
        while (met < members.length && conflicts(row, members[met] ?? 0)) met++;
        this.steps += met + 1;
        if (met === members.length) break;
      }
      if (group === groups.length) {
        if (groups.length >= 2 * room) return bounds;
        groups.push([]);
        heaviest.push(0);
      }
      groups[group]?.push(candidate);
      const own = this.taking(candidate, room) * (this.weights[candidate] ?? 0);
      sum += Math.max(0, own - (heaviest[group] ?? 0));
      heaviest[group] = Math.max(heaviest[group] ?? 0, own);
      bounds[place] = sum;
    }
    return bounds;
  }

  /** How many records of a class there is room for in one batch. */
  private taking(recordClass: number, room: number): number {
    return this.kernel.alone[recordClass] ? 1 : Math.min(this.kernel.sizes[recordClass] ?? 0, room);
  }

  /** No more than the heaviest of the candidates that there is room for, were there no conflicts among them. */
  private most(candidates: readonly number[], from: number, room: number): number {
    let [most, left] = [0, room];
    for (let place = from; place < candidates.length && left > 0; place++) {
      const each = candidates[place] ?? 0;
      const taken = this.taking(each, left);
      most += taken * (this.weights[each] ?? 0);
      left -= taken;
      this.steps++;
    }
    return most;
  }
}

function conflicts(row: Int32Array, other: number): boolean {
  return ((row[other >> 5] ?? 0) & (1 << (other & 31))) !== 0;
}
