import { parseArgs } from 'node:util';
import { cellsOf, renderCells, type Cell } from './cells';
import { FAMILIES, type FamilyName } from './families';
import { renderSpeed } from './speed';

const HELP = `npm run bench -- partition [options]

How many batches the partitioner needs on graphs of the literature on bin packing with conflicts, against the best lower
bound known, first fit by degree and DSATUR; then how long it takes under common rules. Every result is checked. The
graphs come from seeds: the same everywhere.

  --family <names>      threshold, uniform (default both)
  --sizes <n,…>         records of a graph (default 120,250,500,1000)
  --densities <n,…>     in per cent (default 0,10,20,30,40,50,60,70,80,90)
  --batch-sizes <n,…>   most records of a batch (default 5,20)
  --seeds <n>           graphs of each size and density (default 2)
  --runs <n>            timed runs under each common rule (default 7); 0 leaves them out
  --no-times            leaves the milliseconds out of the tables of graphs
`;

const numbers = (list: string) => list.split(',').map(Number);

/** `npm run bench -- partition`. @returns the exit code */
export function partitionBench(args: string[]): number {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', default: false },
      family: { type: 'string', default: Object.keys(FAMILIES).join(',') },
      sizes: { type: 'string', default: '120,250,500,1000' },
      densities: { type: 'string', default: '0,10,20,30,40,50,60,70,80,90' },
      'batch-sizes': { type: 'string', default: '5,20' },
      seeds: { type: 'string', default: '2' },
      runs: { type: 'string', default: '7' },
      'no-times': { type: 'boolean', default: false },
    },
  });
  const families = values.family.split(',');
  if (values.help || !families.every((name): name is FamilyName => Object.hasOwn(FAMILIES, name))) {
    process.stdout.write(HELP);
    return values.help ? 0 : 2;
  }
  for (const family of families) {
    const cells: Cell[] = [];
    for (const size of numbers(values.sizes)) {
      for (const percent of numbers(values.densities)) {
        process.stderr.write(`${family}, ${size} records, ${percent} %\n`);
        const graphs = { family, size, percent };
        cells.push(...cellsOf(graphs, numbers(values['batch-sizes']), Number(values.seeds)));
      }
    }
    process.stdout.write(`${family}:\n\n${renderCells(cells, !values['no-times'])}\n\n`);
  }
  if (Number(values.runs) > 0) process.stdout.write(`${renderSpeed(Number(values.runs))}\n`);
  return 0;
}
