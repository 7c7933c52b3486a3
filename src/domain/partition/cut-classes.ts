import { arrange } from './arrange';
import { lowerBoundOf } from './bounds';
import { freeRecords, type Classes } from './classes';
import { cliqueBound } from './clique-bound';
import { partitionCliques } from './cliques';
import { componentsOf, isClique, partOfRecords, partsOf, type Components } from './components';
import { ConflictGraph } from './conflict-graph';
import { byConflicts, conflictCounts } from './conflict-counts';
import { batchesOf, fewest, type Assignment, type Cut } from './cut';
import { searchFewest } from './exact';
import { firstFit } from './first-fit';
import { partitionGroups } from './groups';
import { improve } from './improve';
import { listOf, listsBy } from './lists';
import { saturationFirst } from './saturation-first';
import { cutTwoSided } from './two-sides';

/** Cuts classified records: the first strategy that fits the structure of their conflicts. */
export function cutClasses(classes: Classes, maxBatchSize: number): Cut {
  const components = componentsOf(classes);
  return (
    cutGroups(classes, components, maxBatchSize) ??
    cutCliques(classes, components, maxBatchSize) ??
    new General(classes, components, maxBatchSize).cut()
  );
}

/** Where there is one component at most, and that is complete multipartite. */
function cutGroups(classes: Classes, components: Components, maxBatchSize: number): Cut | undefined {
  const { sizes } = components;
  if (sizes.length > 1) return undefined;
  const parts = sizes.length === 0 ? [] : partsOf(classes, listOf(components.classes, 0));
  if (parts === undefined) return undefined;
  const { partOf, count } = partOfRecords(classes, parts);
  return fewest(partitionGroups(listsBy(partOf, count), freeRecords(classes), maxBatchSize));
}

/** Where every component is a clique. */
function cutCliques(classes: Classes, components: Components, maxBatchSize: number): Cut | undefined {
  for (let each = 0; each < components.sizes.length; each++) {
    if (!isClique(classes, components, each)) return undefined;
  }
  return cutAsCliques(classes, components, maxBatchSize);
}

/** Never puts two records of a component together, whether they conflict or not. */
function cutAsCliques(classes: Classes, { ofClass, sizes }: Components, maxBatchSize: number): Cut {
  const componentOf = classes.classOf.map((index) => ofClass[index] as number);
  return fewest(partitionCliques(listsBy(componentOf, sizes.length), freeRecords(classes), maxBatchSize));
}

/** Bounds on the steps of a search: a multiple of the records, and some 50 ms. */
const STEPS_PER_RECORD = 1000;
const MAX_STEPS = 3_000_000;

/** Any other conflicts: one way after the other, until one meets the lower bound. */
class General {
  private readonly byAge: Assignment;
  private best: Assignment;

  constructor(
    private readonly classes: Classes,
    private readonly components: Components,
    private readonly maxBatchSize: number,
    private lowerBound = lowerBoundOf(classes, maxBatchSize),
  ) {
    this.byAge = firstFit(classes, classes.classOf.keys(), maxBatchSize);
    this.best = this.byAge;
  }

  cut(): Cut {
    const { classes, components, maxBatchSize } = this;
    if (this.isOpen() && Math.max(...components.sizes) <= this.lowerBound) {
      return cutAsCliques(classes, components, maxBatchSize);
    }
    if (this.isOpen()) this.consider(cutTwoSided(classes, components, maxBatchSize));
    if (this.isOpen()) this.search();
    const { best, byAge, lowerBound } = this;
    return { batches: best === byAge ? batchesOf(byAge) : arrange(best, classes), lowerBound };
  }

  private search(): void {
    const { classes, maxBatchSize } = this;
    const counts = conflictCounts(classes);
    this.consider(firstFit(classes, byConflicts(classes, counts), maxBatchSize));
    if (!this.isOpen()) return;
    const graph = new ConflictGraph(classes);
    const maxSteps = Math.min(STEPS_PER_RECORD * classes.classOf.length, MAX_STEPS);
    if (classes.classOf.length * classes.constraints.length <= MAX_STEPS) {
      this.consider(saturationFirst(classes, graph, counts, maxBatchSize));
      if (!this.isOpen()) return;
    }
    this.lowerBound = Math.max(this.lowerBound, cliqueBound(classes, graph, counts, maxBatchSize, maxSteps));
    this.best = improve(this.best, classes, graph, { maxBatchSize, enough: this.lowerBound, maxSteps });
    if (!this.isOpen()) return;
    const found = searchFewest(this.best, classes, graph, counts, maxBatchSize);
    if (found === undefined) return;
    this.best = found.best;
    if (found.proved) this.lowerBound = found.best.count;
  }

  /** Whether there may be a partition with fewer batches. */
  private isOpen(): boolean {
    return this.best.count > this.lowerBound;
  }

  private consider(other: Assignment | undefined): void {
    if (other !== undefined && other.count < this.best.count) this.best = other;
  }
}
