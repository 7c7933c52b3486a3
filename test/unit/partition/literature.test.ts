import { cellsOf } from '../../../bench/partition/cells';

/*
 * Against the heuristics that people know, on graphs as the literature has them (bench/partition; `cellsOf` holds every
 * result against the graph). Where nearly all pairs conflict, first fit and a search from there are worse than DSATUR.
 */
test('Needs no more batches than first fit by degree or DSATUR, where nine pairs of ten conflict.', () => {
  const [cell] = cellsOf({ family: 'uniform', size: 1000, percent: 90 }, [20], 1);
  const { keepapart, DSATUR, 'first fit by degree': firstFit } = cell!.batches;
  expect(keepapart[0]).toBeLessThanOrEqual(Math.min(DSATUR[0]!, firstFit[0]!));
});
