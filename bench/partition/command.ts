import { parseArgs } from 'node:util';
import { cellsOf, renderCells, type Cell } from './cells';
import { climb } from './climb';
import { FAMILIES, type FamilyName } from './families';
import { renderSpeed } from './speed';

const HELP = `npm run bench -- partition [options]

How many batches the partitioner needs on graphs of the literature on bin packing with conflicts, against the best lower
bound known, first fit by degree and DSATUR; then how long it takes under common rules. Every result is checked. The
graphs come from seeds: the same everywhere.

  --family <names>      threshold, uniform (default both)
  --sizes <n,…>         records of a graph (default 120,250,500; 1000 takes two minutes more)
  --densities <n,…>     in per cent (default 0,10,20,30,40,50,60,70,80,90)
  --batch-sizes <n,…>   most records of a batch (default 5,20)
  --seeds <n>           graphs of each size and density (default 2)
  --runs <n>            timed runs under each common rule (default 7); 0 leaves them out
  --yardstick <s>       seconds of tabu search for each uniform graph (default 0: what ten seconds found, as stored)
  --climb <n>           instead of all that: tries so many shapes of 10,000 records, and prints the slowest that it found
  --climb-by <what>     steps (the same on every machine) or loops (CPU time; default)
  --no-times            leaves the milliseconds out of the tables of graphs
`;

/** @throws for what isn't a list of whole numbers from `least` to `most` */
function wholeNumbers(option: string, list: string, least: number, most: number): number[] {
  return list.split(',').map((text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw new RangeError(`--${option}: expected whole numbers from ${least} to ${most}, received "${text}"`);
  });
}

/** `npm run bench -- partition`. @returns the exit code */
export function partitionBench(args: string[]): number {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', default: false },
      family: { type: 'string', default: Object.keys(FAMILIES).join(',') },
      sizes: { type: 'string', default: '120,250,500' },
      densities: { type: 'string', default: '0,10,20,30,40,50,60,70,80,90' },
      'batch-sizes': { type: 'string', default: '5,20' },
      seeds: { type: 'string', default: '2' },
      runs: { type: 'string', default: '7' },
      yardstick: { type: 'string', default: '0' },
      climb: { type: 'string', default: '0' },
      'climb-by': { type: 'string', default: 'loops' },
      'no-times': { type: 'boolean', default: false },
    },
  });
  const families = values.family.split(',');
  if (values.help || !families.every((name): name is FamilyName => Object.hasOwn(FAMILIES, name))) {
    process.stdout.write(HELP);
    return values.help ? 0 : 2;
  }
  let sizes, densities, batchSizes, seeds, runs, yardstick, tries;
  try {
    sizes = wholeNumbers('sizes', values.sizes, 1, 100_000);
    densities = wholeNumbers('densities', values.densities, 0, 100);
    batchSizes = wholeNumbers('batch-sizes', values['batch-sizes'], 1, 100_000);
    [seeds = 1] = wholeNumbers('seeds', values.seeds, 1, 1000);
    [yardstick = 0] = wholeNumbers('yardstick', values.yardstick, 0, 1000);
    [tries = 0] = wholeNumbers('climb', values.climb, 0, 1_000_000);
    [runs = 0] = wholeNumbers('runs', values.runs, 0, 1000);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 2;
  }
  if (tries > 0) {
    const by = values['climb-by'] === 'steps' ? 'steps' : 'loops';
    climb({ size: 10_000, tries, seed: seeds, by }, (line) => process.stdout.write(`${line}\n`));
    return 0;
  }
  for (const family of families) {
    const cells: Cell[] = [];
    for (const size of sizes) {
      for (const percent of densities) {
        process.stderr.write(`${family}, ${size} records, ${percent} %\n`);
        cells.push(...cellsOf({ family, size, percent }, batchSizes, seeds, yardstick));
      }
    }
    process.stdout.write(`${family}:\n\n${renderCells(cells, !values['no-times'])}\n\n`);
  }
  if (runs > 0) process.stdout.write(`${renderSpeed(runs)}\n`);
  return 0;
}
