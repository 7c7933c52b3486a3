import { parseArgs } from 'node:util';
import { markdownTable, median } from '../harness/figures';
import { measure, type Cell, type Measured } from './measure';
import { CONTENDERS, startStack, type Contender, type Stack } from './stack';

const HELP = `npm run bench -- ingest [options]

How many requests a second are acknowledged, and how soon: keepapart's API against an Express handler that validates and
stores nothing, and two that send a Temporal signal or a Temporal update per request. All on this machine at once, in turns, several rounds.
About six minutes; one cell takes half a minute: --records 1 --connections 32

  --rounds <n>          rounds (default 3)
  --seconds <n>         length of one measurement (default 2)
  --records <list>      records of one request (default 1,10,100)
  --connections <list>  (default 1,32,256)
  --only <list>         measures these alone, separated by semicolons: ${CONTENDERS.join('; ')}
  --node <version>      runs every Node program on this version: 20, 22, 24, 26 or an exact one (default this Node)
`;

const WARM_UP: Cell = { records: 1, connections: 32 };
const WARM_UP_SECONDS = 3;

/** `npm run bench -- ingest`. @returns the exit code: 1 when anything was refused, lost or got no answer */
export async function ingestBench(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '2' },
      records: { type: 'string', default: '1,10,100' },
      connections: { type: 'string', default: '1,32,256' },
      only: { type: 'string', default: CONTENDERS.join(';') },
    },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const only = values.only.split(';').map((name) => name.trim());
  const contenders = CONTENDERS.filter((name) => only.includes(name));
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  const stack = await startStack();
  try {
    for (const contender of contenders) await measure(stack, contender, WARM_UP, WARM_UP_SECONDS);
    const rows: string[][] = [];
    let wrong = 0;
    for (const records of numbers(values.records)) {
      for (const connections of numbers(values.connections)) {
        const cell = { records, connections };
        const figures = await measureCell(stack, contenders, cell, rounds, seconds);
        rows.push(...rowsOf(cell, figures));
        for (const one of [...figures.values()].flat()) wrong += one.wrong.count + one.lost;
      }
    }
    process.stdout.write(`Node ${process.versions.node}\n\n${markdownTable(HEADER, rows)}\n`);
    if (wrong > 0) process.stdout.write(`\n${wrong} were refused, lost or answered wrongly.\n`);
    return wrong > 0 ? 1 : 0;
  } finally {
    await stack.stop();
  }
}

type Figures = Map<Contender, Measured[]>;

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
      const result = await measure(stack, contender, cell, seconds);
      figures.get(contender)?.push(result);
      process.stderr.write(`${cell.records} × ${cell.connections}, ${contender}: ${summary(result)}\n`);
    }
  }
  return figures;
}

function summary({ perSecond, answered, wrong, lost, cpuUs, othersShare }: Measured): string {
  const cpu = Object.entries(cpuUs).filter(([, us]) => us >= 1);
  return [
    `${Math.round(perSecond)}/s of ${answered}, CPU µs a request ${cpu.map(([name, us]) => `${name} ${Math.round(us)}`).join(' ')}`,
    `others ${Math.round(100 * othersShare)} %`,
    ...(lost > 0 ? [`LOST ${lost}`] : []),
    ...(wrong.count > 0 ? [`WRONG ${wrong.count}: ${wrong.first.join(' | ')}`] : []),
  ].join(', ');
}

const HEADER = [
  ...['records', 'connections', '', 'requests/s', 'from to', '× nothing', '× signals', '× updates'],
  ...['p50 ms', 'p99 ms', 'p99 × nothing', 'CPU µs: API', 'Temporal', 'others %'],
];

function rowsOf({ records, connections }: Cell, figures: Figures): string[][] {
  const middle = (contender: Contender, what: (one: Measured) => number) => {
    const of = figures.get(contender) ?? [];
    return of.length === 0 ? NaN : median(of.map(what));
  };
  const rate = (contender: Contender) => middle(contender, ({ perSecond }) => perSecond);
  const p99 = (contender: Contender) => middle(contender, ({ p99Ms }) => p99Ms);
  const ratio = (a: number, b: number) => (Number.isNaN(a / b) ? '' : (a / b).toFixed(2));
  return [...figures].map(([contender, of]) => {
    const rates = of.map(({ perSecond }) => Math.round(perSecond));
    const cpu = (name: string) => Math.round(middle(contender, ({ cpuUs }) => cpuUs[name] ?? 0));
    return [
      String(records),
      String(connections),
      contender,
      String(Math.round(rate(contender))),
      `${Math.min(...rates)} to ${Math.max(...rates)}`,
      ratio(rate(contender), rate('nothing stored')),
      ratio(rate(contender), rate('signal per request')),
      ratio(rate(contender), rate('update per request')),
      middle(contender, ({ p50Ms }) => p50Ms).toFixed(1),
      p99(contender).toFixed(1),
      ratio(p99(contender), p99('nothing stored')),
      String(cpu('nothing') + cpu('signal') + cpu('update') + cpu('api')),
      String(cpu('temporal')),
      String(Math.round(100 * Math.max(...of.map(({ othersShare }) => othersShare)))),
    ];
  });
}

function numbers(list: string): number[] {
  return list.split(',').map(Number);
}
