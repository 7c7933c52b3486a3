import { arrange } from './arrange';
import { freeRecords, type Classes } from './graph/classes';
import { partitionCliques } from './exact/cliques';
import { componentsOf, isClique, partOfRecords, partsOf, type Components } from './graph/components';
import { batchesOf, fewest, type Cut } from './graph/cut';
import { General } from './general';
import { partitionGroups } from './exact/groups';
import { partsBy, slotOfAll } from './exact/parts';
import { listOf, listsBy } from './graph/lists';

/**
 * Cuts classified records: the first strategy that fits the structure of their conflicts.
 * @param searchSteps elementary steps for searches, of which no more than 12 million are taken
 */
export function cutClasses(classes: Classes, maxBatchSize: number, searchSteps = stepsFor(classes)): Cut {
  return cutWithin(classes, maxBatchSize, {
    steps: Math.min(searchSteps, MAX_STEPS),
    records: classes.classOf.length,
  });
}

function cutWithin(classes: Classes, maxBatchSize: number, budget: Budget): Cut {
  if (classes.slots === 0) return fewest(batchesInOrder(classes.classOf.length, maxBatchSize));
  const components = componentsOf(classes);
  return (
    cutGroups(classes, components, maxBatchSize) ??
    cutCliques(classes, components, maxBatchSize) ??
    cutParts(classes, maxBatchSize, budget) ??
    cutAny(classes, components, maxBatchSize, budget)
  );
}

/** Where nothing conflicts. */
function batchesInOrder(records: number, maxBatchSize: number): number[][] {
  const batches: number[][] = [];
  for (let record = 0; record < records; record++) {
    if (record % maxBatchSize === 0) batches.push([]);
    batches.at(-1)?.push(record);
  }
  return batches;
}

/** Elementary steps of searches, shared by the records that are still to be cut. */
interface Budget {
  steps: number;
  records: number;
}

/** Bounds on the steps of a search: for each record, and in all, which takes some 40 ms. */
const LEAST_STEPS = 200_000;
const STEPS_PER_RECORD = 150_000;
const MAX_STEPS = 12_000_000;

function stepsFor({ classOf: { length: records } }: Classes): number {
  return Math.min(LEAST_STEPS + STEPS_PER_RECORD * records, MAX_STEPS);
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
  const componentOf = classes.classOf.map((index) => ofClass[index] ?? 0);
  return fewest(partitionCliques(listsBy(componentOf, sizes.length), freeRecords(classes), maxBatchSize));
}

/** Where records fall into parts of which no two records share a batch: each part by itself. */
function cutParts(classes: Classes, maxBatchSize: number, budget: Budget): Cut | undefined {
  const slot = slotOfAll(classes);
  if (slot === undefined) return undefined;
  const cut: Cut = { batches: [], lowerBound: 0, steps: 0 };
  for (const { classes: own, records } of partsBy(classes, slot)) {
    const share = { steps: (budget.steps * records.length) / budget.records, records: records.length };
    const { batches, lowerBound, steps } = cutWithin(own, maxBatchSize, share);
    budget.steps = Math.max(0, budget.steps - Math.min(steps, share.steps));
    budget.records -= records.length;
    cut.lowerBound += lowerBound;
    cut.steps += steps;
    for (const batch of batches) cut.batches.push(batch.map((index) => records[index] ?? 0));
  }
  cut.batches.sort(([a = 0], [b = 0]) => a - b);
  return cut;
}

/** Any other conflicts. */
function cutAny(classes: Classes, components: Components, maxBatchSize: number, budget: Budget): Cut {
  const general = new General(classes, components, maxBatchSize, budget.steps);
  const largest = components.sizes.reduce((most, size) => Math.max(most, size), 0);
  // Where none has more records than batches are needed anyway, one of each to a batch is the fewest.
  if (general.isOpen() && largest <= general.lowerBound)
    return { ...cutAsCliques(classes, components, maxBatchSize), steps: general.steps + general.graphSteps };
  general.search();
  const { best, byAge, lowerBound } = general;
  const steps = general.steps + general.graphSteps;
  return { batches: best === byAge ? batchesOf(byAge) : arrange(best, classes), lowerBound, steps };
}
