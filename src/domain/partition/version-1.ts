import { arrange } from './arrange';
import { lowerBoundOf } from './bounds';
import { freeRecords, type Classes } from './classes';
import { partitionCliques } from './cliques';
import { ALONE } from './columns';
import { FREE, partOfRecords, partsOf } from './components';
import { byConflicts, conflictCounts } from './conflict-counts';
import { batchesOf, fewest, type Cut } from './cut';
import { firstFit } from './first-fit';
import { partitionGroups } from './groups';
import { listsBy } from './lists';

/*
 * The partitioner of 0.1.0 and 0.2.0: batchers whose run began under it replay it to their end (G4, G8). Nothing in this
 * file may change. What it calls may become faster, but must give the same: the fewest batches, oldest first, are one
 * partition only, and so is first fit in a given order. `test/unit/partition/version-1.test.ts` holds all of it
 * against what those versions gave.
 */

export function cutAsVersion1(classes: Classes, maxBatchSize: number): Cut {
  const batches = cutGroups(classes, maxBatchSize) ?? cutCliques(classes, maxBatchSize);
  if (batches) return fewest(batches);
  const lowerBound = lowerBoundOf(classes, maxBatchSize);
  const byAge = firstFit(classes, classes.classOf.keys(), maxBatchSize);
  if (byAge.count === lowerBound) return { batches: batchesOf(byAge), lowerBound };
  const others = firstFit(classes, byConflicts(classes, conflictCounts(classes)), maxBatchSize);
  return { batches: others.count < byAge.count ? arrange(others, classes) : batchesOf(byAge), lowerBound };
}

function cutGroups(classes: Classes, maxBatchSize: number): number[][] | undefined {
  const { constraints } = classes;
  const constrained = Int32Array.from(constraints.keys()).filter((index) => constraints[index]?.length);
  const isAlone = (index: number) => constraints[index]?.some(({ key }) => key === ALONE);
  const parts = constrained.some(isAlone) ? undefined : partsOf(classes, constrained);
  if (parts === undefined) return undefined;
  const { partOf, count } = partOfRecords(classes, parts);
  return partitionGroups(listsBy(partOf, count), freeRecords(classes), maxBatchSize);
}

function cutCliques(classes: Classes, maxBatchSize: number): number[][] | undefined {
  const { constraints, classOf } = classes;
  const disjoint = constraints.every(
    ({ length, 0: only }) => length === 0 || (length === 1 && only?.key === ALONE),
  );
  if (!disjoint) return undefined;
  const cliqueOf = classOf.map((index) => (constraints[index]?.length ? index : FREE));
  return partitionCliques(listsBy(cliqueOf, constraints.length), freeRecords(classes), maxBatchSize);
}
