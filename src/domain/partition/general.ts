import { lowerBoundOf } from './bounds/counting';
import type { Classes } from './graph/classes';
import { cliqueBound } from './bounds/clique-bound';
import type { Components } from './graph/components';
import { heaviestBatch } from './bounds/heaviest-batch';
import { byConflicts, conflictCounts, slotCounts, type SlotCounts } from './graph/conflict-counts';
import { ConflictGraph } from './graph/conflict-graph';
import type { Assignment } from './graph/cut';
import { searchFewest } from './exact/all-ways';
import { extract } from './search/extract';
import { firstFit } from './search/first-fit';
import { fractionalBound, MAX_CLASSES as MAX_FRACTIONAL } from './bounds/fractional-bound';
import { heaviestClique } from './bounds/heaviest-clique';
import { listsBy } from './graph/lists';
import { Kernel } from './graph/kernel';
import { tabuSearch } from './search/tabu';
import { cutTwoSided } from './exact/two-sides';

/** How much of the steps of a search each of its ways may take. */
const SHARES = { refit: 0.1, clique: 0.05, conflictFree: 0.25, extraction: 0.4, fractional: 0.5 } as const;

/** Fits in a row that may bring nothing. */
const MAX_IDLE = 4;

/**
 * Words that may be read to write all conflicts out, for each step of the search: up to 40 ms in all, and far less unless
 * records are in hundreds of slots each.
 */
const GRAPH_STEPS = 8 / 3;

/** Extraction goes through all classes for each record in a batch. */
const MAX_EXTRACTED = 2_000_000;

/** Searches that go one call deeper for each record of a batch, or of a clique. */
const MAX_DEPTH = 1000;

/** Always enough for nine records, see `searchFewest`. */
const LEAST_PLACES = 30_000;

/** The best partition found so far of records with any conflicts: one way after the other, until one meets the lower bound. */
export class General {
  best: Assignment;
  /** By first fit, oldest first. */
  readonly byAge: Assignment;
  /** No partition has fewer batches. */
  lowerBound: number;
  /** Elementary steps so far. */
  steps = 0;
  /** Words read to write the conflicts out: one after the other, so they don't count against the steps of the search. */
  graphSteps = 0;
  private readonly counts: SlotCounts;

  constructor(
    private readonly classes: Classes,
    private readonly components: Components,
    private readonly maxBatchSize: number,
    private readonly maxSteps: number,
  ) {
    this.counts = slotCounts(classes);
    this.lowerBound = lowerBoundOf(classes, this.counts, maxBatchSize);
    this.byAge = this.fit(classes.classOf.keys());
    this.best = this.byAge;
  }

  /** Whether there may be a partition with fewer batches. */
  isOpen(): boolean {
    return this.best.count > this.lowerBound;
  }

  search(): void {
    const { classes, components, maxBatchSize } = this;
    if (this.isOpen()) this.consider(cutTwoSided(classes, components, maxBatchSize));
    if (!this.isOpen()) return;
    const counts = conflictCounts(classes, this.counts);
    this.consider(this.fit(byConflicts(classes, counts)));
    this.refit();
    if (!this.isOpen()) return;
    const graph = new ConflictGraph(classes);
    const kernel = Kernel.of(classes, graph, GRAPH_STEPS * this.maxSteps);
    const forClique = (kernel === undefined ? 2 : 1) * SHARES.clique * this.maxSteps;
    this.prove(cliqueBound(classes, graph, counts, maxBatchSize, forClique));
    this.graphSteps = graph.steps;
    if (kernel !== undefined) this.searchIn(kernel);
  }

  /**
   * First fit again, with the records of the last batch first: never more batches, as each batch fits into a new one at the
   * latest, and often fewer (Culberson and Luo, Exploring the k-colorable landscape with iterated greedy, 1996).
   */
  private refit(): void {
    const end = this.steps + SHARES.refit * this.maxSteps;
    let last = this.best;
    for (let idle = 0; this.isOpen() && idle < MAX_IDLE && this.steps < end; idle++) {
      const { batchOf, count } = last;
      last = this.fit(
        listsBy(
          batchOf.map((batch) => count - 1 - batch),
          count,
        ).items,
      );
      if (last.count < this.best.count) idle = -1;
      this.consider(last);
    }
  }

  private searchIn(kernel: Kernel): void {
    const { maxBatchSize, maxSteps } = this;
    const depth = Math.min(maxBatchSize, kernel.count);
    let extracted = 0;
    if (depth <= MAX_DEPTH && kernel.records * kernel.count <= MAX_EXTRACTED) {
      const { batches, steps } = extract(kernel, maxBatchSize, SHARES.extraction * maxSteps);
      extracted = steps;
      this.steps += steps;
      this.considerIn(kernel, batches);
    }
    if (this.isOpen() && kernel.count <= MAX_DEPTH) {
      const clique = heaviestClique(kernel, maxBatchSize, SHARES.clique * maxSteps);
      this.steps += clique.steps;
      this.prove(clique.weight);
    }
    if (this.isOpen() && depth <= MAX_DEPTH) this.proveByLargestBatch(kernel);
    if (this.isOpen()) {
      const share = kernel.count <= MAX_FRACTIONAL ? 1 - SHARES.fractional : 1;
      const found = tabuSearch(this.batchesIn(kernel), kernel, {
        maxBatchSize,
        enough: this.lowerBound,
        maxSteps: share * (maxSteps - extracted),
      });
      this.steps += found.steps;
      this.considerIn(kernel, found.batches);
    }
    if (this.isOpen()) {
      const maxForBound = Math.max(0, SHARES.fractional * (maxSteps - extracted));
      const fractional = fractionalBound(kernel, {
        maxBatchSize,
        enough: this.best.count,
        maxSteps: maxForBound,
      });
      this.steps += fractional.steps;
      this.prove(fractional.bound);
    }
    if (this.isOpen()) this.searchAll(kernel);
  }

  /** As many records as the largest possible batch holds, none can hold more of: ⌈records ÷ that⌉ batches are needed. */
  private proveByLargestBatch(kernel: Kernel): void {
    const ones = new Int32Array(kernel.count).fill(1);
    const { weight, steps } = heaviestBatch(
      kernel,
      ones,
      this.maxBatchSize,
      SHARES.conflictFree * this.maxSteps,
    );
    this.steps += steps;
    if (weight !== undefined && weight > 0) this.prove(Math.ceil(kernel.records / weight));
  }

  private searchAll(kernel: Kernel): void {
    const { maxBatchSize, lowerBound: enough } = this;
    const maxPlaces = Math.max(LEAST_PLACES, 0.1 * this.maxSteps);
    const found = searchFewest(this.batchesIn(kernel), kernel, { maxBatchSize, enough, maxPlaces });
    if (found === undefined) return;
    this.considerIn(kernel, found.batches);
    this.steps += found.places;
    if (found.proved) this.prove(this.best.count);
  }

  private batchesIn(kernel: Kernel): number[][] {
    return kernel.batchesOf(this.best).filter(({ length }) => length > 0);
  }

  private considerIn(kernel: Kernel, batches: readonly (readonly number[])[]): void {
    if (batches.length < this.best.count) this.consider(kernel.assignment(batches, this.maxBatchSize));
  }

  private fit(order: Iterable<number>): Assignment {
    const { steps, ...assignment } = firstFit(this.classes, this.counts, order, this.maxBatchSize);
    this.steps += steps;
    return assignment;
  }

  private prove(bound: number): void {
    this.lowerBound = Math.max(this.lowerBound, bound);
  }

  private consider(other: Assignment | undefined): void {
    if (other !== undefined && other.count < this.best.count) this.best = other;
  }
}
