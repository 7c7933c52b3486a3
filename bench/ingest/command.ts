import { parseArgs } from 'node:util';
import { markdownTable, median, spread } from '../harness/figures';
import { postLoad, type Load, type LoadFigures } from '../harness/load';
import { CONTENDERS, startStack, type Contender, type Stack } from './stack';

const HELP = `npm run bench -- ingest [options]

How many requests a second are acknowledged, and how soon: keepapart's API against an Express handler that validates and
stores nothing, and one that sends a Temporal signal per request. All on this machine at once, in turns, several rounds.

  --rounds <n>        rounds (default 3)
  --seconds <n>       length of one measurement (default 4)
  --records <list>    records of one request (default 1,10,100)
  --connections <list> (default 1,32,256)
  --only <contender>  measures this one alone: ${CONTENDERS.join(', ')}
`;

/** What nothing drains has to fit the buffer, with room for what is measured twice as fast as expected. */
const MAX_RECORDS = 180_000;

interface Cell {
  records: number;
  connections: number;
}

/** `npm run bench -- ingest`. @returns the exit code: 1 when anything was refused or got no answer */
export async function ingestBench(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '4' },
      records: { type: 'string', default: '1,10,100' },
      connections: { type: 'string', default: '1,32,256' },
      only: { type: 'string' },
    },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const contenders = CONTENDERS.filter((name) => values.only === undefined || name === values.only);
  const cells = numbers(values.records).flatMap((records) =>
    numbers(values.connections).map((connections) => ({ records, connections })),
  );
  const stack = await startStack();
  try {
    for (const contender of contenders)
      await measure(stack, contender, { records: 1, connections: 32 }, 3, Infinity);
    const rows: string[][] = [];
    let failed = 0;
    for (const cell of cells) {
      const figures = await measureCell(
        stack,
        contenders,
        cell,
        Number(values.rounds),
        Number(values.seconds),
      );
      for (const one of figures.values()) failed += one.reduce((sum, { failed }) => sum + failed, 0);
      rows.push(...rowsOf(cell, figures));
    }
    const header = [
      'records',
      'connections',
      '',
      'requests/s',
      'from to',
      'p50 ms',
      'p99 ms',
      '× nothing',
      '× signals',
    ];
    process.stdout.write(`${markdownTable(header, rows)}\n`);
    if (failed > 0) process.stdout.write(`\n${failed} requests were refused or got no answer.\n`);
    return failed > 0 ? 1 : 0;
  } finally {
    await stack.stop();
  }
}

type Figures = Map<Contender, LoadFigures[]>;

/** Each round measures every contender once; who is first changes. */
async function measureCell(
  stack: Stack,
  contenders: readonly Contender[],
  cell: Cell,
  rounds: number,
  seconds: number,
): Promise<Figures> {
  const figures: Figures = new Map(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(turn + round) % contenders.length];
      if (contender === undefined) continue;
      const result = await measure(stack, contender, cell, seconds, MAX_RECORDS);
      figures.get(contender)?.push(result);
      process.stderr.write(
        `${cell.records} records, ${cell.connections} connections, ${contender}: ${Math.round(result.perSecond)}/s\n`,
      );
    }
  }
  return figures;
}

async function measure(
  stack: Stack,
  contender: Contender,
  { records, connections }: Cell,
  seconds: number,
  maxRecords: number,
): Promise<LoadFigures> {
  await stack.reset();
  // Nobody sends 8,000 requests a second here: where those would fit, time is the bound, else their number.
  const fits = 8000 * seconds * records <= maxRecords;
  const until: Load['until'] = fits ? { seconds } : { requests: Math.floor(maxRecords / records) };
  const body = JSON.stringify(Array.from({ length: records }, (_, i) => i + 3));
  return postLoad({ url: stack.url(contender), body, connections, until });
}

function rowsOf({ records, connections }: Cell, figures: Figures): string[][] {
  const rate = (contender: Contender) => {
    const of = figures.get(contender) ?? [];
    return of.length === 0 ? NaN : median(of.map(({ perSecond }) => perSecond));
  };
  const ratio = (a: number, b: number) => (Number.isNaN(a / b) ? '' : (a / b).toFixed(2));
  return [...figures].map(([contender, of]) => [
    String(records),
    String(connections),
    contender,
    String(Math.round(rate(contender))),
    spread(of.map(({ perSecond }) => perSecond)),
    median(of.map(({ p50Ms }) => p50Ms)).toFixed(1),
    median(of.map(({ p99Ms }) => p99Ms)).toFixed(1),
    ratio(rate(contender), rate('nothing stored')),
    ratio(rate(contender), rate('signal per request')),
  ]);
}

function numbers(list: string): number[] {
  return list.split(',').map(Number);
}
