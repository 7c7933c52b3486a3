import { appendFile, readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { SECOND } from '../../src/domain/duration';
import { USUAL_WORK, runCell, type CellResult } from './cell';
import { preparedContenders } from './choose';
import { CONTENDERS } from './contenders';
import { renderResults } from './report';

const NAMES = CONTENDERS.map(({ name, atMost }) =>
  atMost === undefined ? name : `${name} (at most ${atMost} records)`,
);

const HELP = `npm run bench -- contenders [options]

The same work by keepapart (default settings, and SAVE_ACTIVITY=record and =batch) and by what a user would pick instead,
in turns, several rounds: batches of at most five, records 1 and 2 kept apart, each record saved durably in at most three
attempts, a file per batch. Each run has new servers and folders on this machine, and its output is checked: a run that
loses or doubles anything is no result. What a contender needs is installed into the cache at its first run, from package
registries alone. Slow contenders get fewer records; the report has the number of each.

  --records <n>      records of a run (default 2000)
  --rounds <n>       rounds (default 3)
  --only <a,b>       only the contenders of these names, or whose names contain one of these
  --failures <list>  shares of save attempts that fail (default 0,0.2,0.8)
  --share <n>        share of records that are 1 or 2 (default 0.2)
  --list <n>         records of a list (default 100)
  --callers <n>      lists on their way at once (default 16)
  --timeout <s>      a run that takes longer is no result (default 180)
  --node <version>   runs every Node program on this version: 20, 22, 24, 26 or an exact one (default this Node)
  --results <file>   keeps the figures there, behind those of earlier runs, and reports all of them
  --report           reports what the results file has, and runs nothing

Contenders: ${NAMES.join('; ')}
`;

/** `npm run bench -- contenders`. @returns the exit code: 1 when any run was no result */
export async function contendersBench(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', default: false },
      records: { type: 'string', default: '2000' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string', default: '' },
      failures: { type: 'string', default: '0,0.2,0.8' },
      share: { type: 'string', default: String(USUAL_WORK.share) },
      list: { type: 'string', default: String(USUAL_WORK.listSize) },
      callers: { type: 'string', default: String(USUAL_WORK.callers) },
      timeout: { type: 'string', default: '180' },
      results: { type: 'string' },
      report: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const results = values.results === undefined ? [] : await readResults(values.results);
  if (!values.report) {
    const contenders = await preparedContenders(values.only);
    const settings = {
      records: Number(values.records),
      listSize: Number(values.list),
      callers: Number(values.callers),
      share: Number(values.share),
      timeoutMs: Number(values.timeout) * SECOND,
    };
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const failureRate of values.failures.split(',').map(Number)) {
        // Who is first changes, so that no place in a round belongs to anybody.
        for (let turn = 0; turn < contenders.length; turn++) {
          const contender = contenders[(turn + round) % contenders.length];
          if (contender === undefined) continue;
          const result = await runCell(contender, { ...settings, failureRate });
          tell(round, result);
          results.push(result);
          if (values.results !== undefined) await appendFile(values.results, `${JSON.stringify(result)}\n`);
        }
      }
    }
  }
  process.stdout.write(renderResults(inOrder(results)));
  return results.some(({ problems }) => problems.length > 0) ? 1 : 0;
}

function tell(round: number, { contender, failureRate, perSecond, p99Ms, problems }: CellResult): void {
  const said =
    problems.length > 0 ? problems.join('; ') : `${perSecond.toFixed(1)}/s, p99 ${Math.round(p99Ms)} ms`;
  process.stderr.write(`round ${round + 1}, failures ${failureRate}, ${contender}: ${said}\n`);
}

async function readResults(file: string): Promise<CellResult[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as CellResult]));
}

function inOrder(results: readonly CellResult[]): CellResult[] {
  const place = ({ contender }: CellResult) => CONTENDERS.findIndex(({ name }) => name === contender);
  return [...results].sort((a, b) => place(a) - place(b));
}
