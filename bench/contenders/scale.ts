import { parseArgs } from 'node:util';
import { SECOND } from '../../src/domain/duration';
import { markdownTable, spread } from '../harness/figures';
import { USUAL_WORK, runCell, type CellResult } from './cell';
import { keepapart } from './contenders';
import { cpuPerRecord, figureOf, judgement } from './report';
import { ROLES } from './stage';
import { findTemporalServer, startTemporalOnPostgres } from './servers/temporal-on-postgres';

const HELP = `npm run bench -- scale [options]

What more shards and worker processes give, against Temporal's server on Postgres, all on this machine. The server is built
from the Go module proxy the first time, which takes minutes.

  --records <n>     records of a run (default 2000)
  --rounds <n>      rounds (default 3)
  --sizes <list>    shards, and as many workers (default 1,2,4)
  --save <mode>     SAVE_ACTIVITY: auto, record or batch (default auto)
  --timeout <s>     a run that takes longer is no result (default 180)
  --node <version>  runs every Node program on this version: 20, 22, 24, 26 or an exact one (default this Node)
`;

/** `npm run bench -- scale`. @returns the exit code: 1 when any run was no result */
export async function scaleBench(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', default: false },
      records: { type: 'string', default: '2000' },
      rounds: { type: 'string', default: '3' },
      sizes: { type: 'string', default: '1,2,4' },
      save: { type: 'string', default: 'auto' },
      timeout: { type: 'string', default: '180' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  await findTemporalServer();
  const sizes = values.sizes.split(',').map((size) => ({
    size: Number(size),
    contender: keepapart(
      `keepapart ${values.save}, ${size} shards`,
      { KEEPAPART_SHARDS: size, KEEPAPART_SAVE_ACTIVITY: values.save },
      { startTemporal: startTemporalOnPostgres, workers: Number(size) },
    ),
  }));
  const settings = {
    ...USUAL_WORK,
    records: Number(values.records),
    failureRate: 0,
    timeoutMs: Number(values.timeout) * SECOND,
  };
  const results: CellResult[][] = sizes.map(() => []);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [i, { size, contender }] of sizes.entries()) {
      const result = await runCell(contender, settings);
      process.stderr.write(
        `round ${round + 1}, ${size} shards and workers: ${result.perSecond.toFixed(1)}/s ${result.problems.join('; ')}\n`,
      );
      results[i]?.push(result);
    }
  }
  const header = [
    'shards and workers',
    'records/s',
    'from to',
    ...ROLES.map((role) => `${role} ms/record`),
    'others %',
    'output',
  ];
  const rows = sizes.map(({ size }, i) => rowOf(size, results[i] ?? []));
  process.stdout.write(`Node ${process.versions.node}\n\n${markdownTable(header, rows)}\n`);
  return results.flat().some(({ problems }) => problems.length > 0) ? 1 : 0;
}

function rowOf(size: number, runs: readonly CellResult[]): string[] {
  const good = runs.filter(({ problems }) => problems.length === 0);
  const figure = (of: (run: CellResult) => number | undefined, digits: number) => figureOf(good, of, digits);
  return [
    String(size),
    figure(({ perSecond }) => perSecond, 0),
    good.length === 0 ? '' : spread(good.map(({ perSecond }) => perSecond)),
    ...ROLES.map((role) => figure((run) => cpuPerRecord(run, role), 2)),
    figure(({ othersShare }) => othersShare * 100, 0),
    judgement(runs),
  ];
}
