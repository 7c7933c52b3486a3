import { partition } from '../../src/domain/partition';
import { createRandom } from '../../test/chaos/random';
import { markdownTable, median } from '../harness/figures';
import { firstFitByDegree, saturationFirst } from './baselines';
import { checkBatches, checkRules } from './checks';
import { FAMILIES, type FamilyName, type Instance } from './families';
import { yardstick } from './yardstick';
import { YARDSTICK_RESULTS } from './yardstick-results';

/** The ways that are compared, the partitioner first; each gives batches of vertices, and a bound if it knows one. */
const WAYS = {
  keepapart: (instance: Instance, maxBatchSize: number) => byPartitioner(instance, maxBatchSize),
  'first fit by degree': ({ graph }: Instance, maxBatchSize: number) => ({
    batches: firstFitByDegree(graph, maxBatchSize),
    lowerBound: 0,
  }),
  DSATUR: ({ graph }: Instance, maxBatchSize: number) => ({
    batches: saturationFirst(graph, maxBatchSize),
    lowerBound: 0,
  }),
} as const;
type Way = keyof typeof WAYS;
const NAMES = Object.keys(WAYS) as Way[];

function byPartitioner({ values, rules }: Instance, maxBatchSize: number) {
  const records = values.map((value, vertex) => ({ value, vertex }));
  const { batches, lowerBound } = partition(records, { rules, maxBatchSize });
  return { batches: batches.map((batch) => batch.map(({ vertex }) => vertex)), lowerBound };
}

/** Graphs of one family, size and density, one per seed, cut into batches of one size. */
export interface Cell {
  family: FamilyName;
  size: number;
  percent: number;
  maxBatchSize: number;
  /** By instance. */
  densities: number[];
  /** By instance: the most batches that anything in this run has proved to be needed. */
  bounds: number[];
  /** By instance: what the partitioner itself said is needed. */
  ownBounds: number[];
  /** By instance: the best that the tabu search of `yardstick.ts` found; undefined where it wasn't run. */
  yardsticks: (number | undefined)[];
  /** By way and instance. */
  batches: Record<Way, number[]>;
  ms: Record<Way, number[]>;
}

/** Cuts instances of all batch sizes by all ways. @throws Error when a result is wrong */
export function cellsOf(
  { family, size, percent }: Pick<Cell, 'family' | 'size' | 'percent'>,
  batchSizes: readonly number[],
  seeds: number,
  yardstickSeconds = 0,
): Cell[] {
  const byWay = () =>
    Object.fromEntries(NAMES.map((name) => [name, [] as number[]])) as Record<Way, number[]>;
  const cells = batchSizes.map((maxBatchSize): Cell => ({
    ...{ family, size, percent, maxBatchSize, densities: [], bounds: [], ownBounds: [], yardsticks: [] },
    ...{ batches: byWay(), ms: byWay() },
  }));
  for (let seed = 1; seed <= seeds; seed++) {
    const instance = FAMILIES[family](createRandom(seed, 1000 * size + percent), size, percent);
    checkRules(instance.values, instance.rules, instance.graph);
    for (const cell of cells) cut(instance, cell, seed, yardstickSeconds);
  }
  return cells;
}

function cut(instance: Instance, cell: Cell, seed: number, yardstickSeconds: number): void {
  const { maxBatchSize, densities, bounds, ownBounds, yardsticks, batches, ms } = cell;
  const given = instance.boundFor(maxBatchSize);
  const proved = NAMES.map((name) => {
    const startedAtMs = performance.now();
    const result = WAYS[name](instance, maxBatchSize);
    ms[name].push(performance.now() - startedAtMs);
    checkBatches(result.batches, instance.graph, maxBatchSize);
    batches[name].push(result.batches.length);
    return result.lowerBound;
  });
  const fewest = Math.min(...NAMES.map((name) => batches[name].at(-1) ?? Infinity));
  const bound = Math.max(given, ...proved);
  if (fewest < bound)
    throw new Error(`${fewest} batches are fewer than the ${bound} that are needed at least`);
  densities.push(instance.graph.density());
  bounds.push(bound);
  ownBounds.push(proved[0] ?? 0);
  yardsticks.push(yardstickOf(instance, cell, seed, yardstickSeconds, bound));
}

/** As stored, ten seconds for each instance, unless it is to be run. */
function yardstickOf(
  { graph }: Instance,
  { family, size, percent, maxBatchSize }: Cell,
  seed: number,
  seconds: number,
  bound: number,
): number | undefined {
  if (family !== 'uniform') return undefined;
  if (seconds === 0) return YARDSTICK_RESULTS[`${size} ${percent} ${maxBatchSize}`]?.[seed - 1];
  const batches = yardstick(graph, maxBatchSize, { seconds, bound });
  checkBatches(batches, graph, maxBatchSize);
  return batches.length;
}

const mean = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
const percent = (share: number) => String(Math.round(100 * share));

/** By how much the partitioner's batches are more than others, in per cent; below 0 where they are fewer. */
function beyond(own: readonly number[], others: readonly number[]): string {
  return (100 * (mean(own) / mean(others) - 1)).toFixed(1);
}

/** A row for each cell: density, bound, mean batches of each way, and the partitioner's distance from the bound. */
export function renderCells(cells: readonly Cell[], withTimes: boolean): string {
  const header = [
    'records',
    'd %',
    'of pairs %',
    'batches of',
    'bound',
    ...NAMES,
    'ratio',
    'best other',
    'yardstick',
    'beyond it %',
    'fill %',
  ];
  header.push('optimal %', 'proved %');
  if (withTimes) header.push(...NAMES.map((name) => `ms: ${name}`));
  const rows = cells.map(
    ({ size, maxBatchSize, bounds, ownBounds, yardsticks, batches, ms, densities, ...cell }) => {
      const own = batches.keepapart;
      const best = Math.min(...NAMES.slice(2).map((name) => mean(batches[name])));
      const row = [String(size), String(cell.percent), percent(mean(densities)), String(maxBatchSize)];
      row.push(mean(bounds).toFixed(1), ...NAMES.map((name) => mean(batches[name]).toFixed(1)));
      row.push((mean(own) / mean(bounds)).toFixed(3), (best / mean(bounds)).toFixed(3));
      const known = yardsticks.filter((each) => each !== undefined);
      row.push(...(known.length < own.length ? ['', ''] : [mean(known).toFixed(1), beyond(own, known)]));
      row.push(percent(size / (mean(own) * maxBatchSize)));
      row.push(percent(mean(own.map((count, at) => (count === bounds[at] ? 1 : 0)))));
      row.push(percent(mean(own.map((count, at) => (count === ownBounds[at] ? 1 : 0)))));
      if (withTimes) row.push(...NAMES.map((name) => median(ms[name]).toFixed(1)));
      return row;
    },
  );
  return markdownTable(header, rows);
}
