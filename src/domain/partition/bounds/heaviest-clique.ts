import type { Kernel } from '../graph/kernel';

/**
 * A number of batches that some classes need because all of them conflict with each other: the sum of what each needs by
 * itself, for the heaviest clique that branch and bound finds. A clique is where Gendreau, Laporte and Semet (Heuristics
 * and lower bounds for the bin packing problem with conflicts, 2004) begin, and Muritiba, Iori, Malaguti and Toth
 * (Algorithms for the bin packing problem with conflicts, 2010). What is left is bounded by colouring it: a clique takes
 * one class of a colour at most.
 *
 * @param maxSteps elementary steps with which it stops; what it has found by then is a bound as well
 */
export function heaviestClique(
  kernel: Kernel,
  maxBatchSize: number,
  maxSteps: number,
): { weight: number; steps: number } {
  const needs = kernel.sizes.map((records, each) =>
    kernel.alone[each] ? records : Math.ceil(records / maxBatchSize),
  );
  const search = new CliqueSearch(kernel, needs, maxSteps);
  const order = [...needs.keys()].sort(
    (a, b) => (kernel.degrees[b] ?? 0) - (kernel.degrees[a] ?? 0) || a - b,
  );
  search.steps += order.length;
  search.grow(0, order);
  return { weight: search.heaviest, steps: search.steps };
}

class CliqueSearch {
  steps = 0;
  heaviest = 0;

  constructor(
    private readonly kernel: Kernel,
    private readonly needs: Int32Array,
    private readonly maxSteps: number,
  ) {}

  /** @param candidates classes that conflict with all that were chosen before, in the order in which colours are given */
  grow(weight: number, candidates: readonly number[]): void {
    this.heaviest = Math.max(this.heaviest, weight);
    if (candidates.length === 0 || this.steps >= this.maxSteps) return;
    const { ordered, bounds } = this.coloured(candidates);
    for (let place = ordered.length - 1; place >= 0 && this.steps < this.maxSteps; place--) {
      if (weight + (bounds[place] ?? 0) <= this.heaviest) return;
      const chosen = ordered[place] ?? 0;
      const joining: number[] = [];
      // Those behind it have been tried.
      for (let other = 0; other < place; other++) {
        const each = ordered[other] ?? 0;
        if (this.kernel.conflict(chosen, each)) joining.push(each);
      }
      this.steps += place;
      this.grow(weight + (this.needs[chosen] ?? 0), joining);
    }
  }

  /** The candidates colour by colour, and for each what a clique among it and those before can weigh at most. */
  private coloured(candidates: readonly number[]): { ordered: number[]; bounds: number[] } {
    const ordered: number[] = [];
    const bounds: number[] = [];
    let left = [...candidates];
    let sum = 0;
    while (left.length > 0) {
      const colour: number[] = [];
      const others: number[] = [];
      let heaviest = 0;
      for (const each of left) {
        this.steps += colour.length + 1;
        if (colour.some((other) => this.kernel.conflict(each, other))) others.push(each);
        else {
          colour.push(each);
          heaviest = Math.max(heaviest, this.needs[each] ?? 0);
          ordered.push(each);
          bounds.push(sum + heaviest);
        }
      }
      sum += heaviest;
      left = others;
    }
    return { ordered, bounds };
  }
}
