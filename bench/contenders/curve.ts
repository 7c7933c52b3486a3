import { parseArgs } from 'node:util';
import { SECOND } from '../../src/domain/duration';
import { markdownTable } from '../harness/figures';
import { USUAL_WORK, runCell, type CellResult } from './cell';
import { preparedContenders } from './choose';
import { ROLES, type Role } from './stage';

const HELP = `npm run bench -- curve [options]

Whether a record costs the same however many there are: keepapart with default settings and more and more records, up to
1000000 in half an hour or so. "× first" is the CPU time of a record compared with that in the first run of the contender.
Peaks of memory are the sums over the processes of a role. A slow contender has no run above its limit.

  --records <list>   default 1000,10000,100000
  --only <a,b>       only the contenders of these names, or whose names contain one of these (default keepapart)
  --timeout <s>      a run that takes longer is no result (default 7200)
  --node <version>   runs every Node program on this version: 20, 22, 24, 26 or an exact one (default this Node)
`;

/** `npm run bench -- curve`. @returns the exit code: 1 when any run was no result */
export async function curveBench(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', default: false },
      records: { type: 'string', default: '1000,10000,100000' },
      only: { type: 'string', default: 'keepapart' },
      timeout: { type: 'string', default: '7200' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const settings = {
    ...USUAL_WORK,
    failureRate: 0,
    timeoutMs: Number(values.timeout) * SECOND,
  };
  const results: CellResult[] = [];
  for (const contender of await preparedContenders(values.only)) {
    for (const records of values.records.split(',').map(Number)) {
      if (records > (contender.atMost ?? Infinity)) continue;
      const result = await runCell(contender, { ...settings, records });
      process.stderr.write(`${result.contender}, ${records} records: ${result.perSecond.toFixed(0)}/s\n`);
      results.push(result);
    }
  }
  process.stdout.write(`Node ${process.versions.node}\n\n${renderCurve(results)}\n`);
  return results.some(({ problems }) => problems.length > 0) ? 1 : 0;
}

const MIB = 1024 * 1024;

function renderCurve(results: readonly CellResult[]): string {
  const cost = (result: CellResult | undefined) =>
    result === undefined ? NaN : result.usage.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / result.records;
  const peak = ({ usage }: CellResult, role: Role) => {
    const bytes = usage.find((one) => one.role === role)?.peakBytes;
    return bytes === undefined ? '' : (bytes / MIB).toFixed(0);
  };
  const roles = ROLES.filter((role) => role !== 'client');
  const header = [
    '',
    'records',
    'records/s',
    'CPU ms/record',
    '× first',
    ...roles.map((role) => `${role} MiB`),
    'disk B/record',
    'others %',
    'bench %',
    'output',
  ];
  return markdownTable(
    header,
    results.map((result) => [
      result.contender,
      String(result.records),
      result.perSecond.toFixed(0),
      cost(result).toFixed(2),
      (cost(result) / cost(results.find(({ contender }) => contender === result.contender))).toFixed(2),
      ...roles.map((role) => peak(result, role)),
      result.diskBytesPerRecord.toFixed(0),
      (result.othersShare * 100).toFixed(0),
      (result.benchShare * 100).toFixed(1),
      result.problems.length === 0 ? 'complete' : result.problems.join('; '),
    ]),
  );
}
