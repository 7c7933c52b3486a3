import { markdownTable, median, spread } from '../harness/figures';
import type { CellResult } from './cell';
import { ROLES, type Role } from './stage';

/** One table per version of Node and share of failing attempts, each with what is wrong with any output. */
export function renderResults(results: readonly CellResult[]): string {
  const tables = new Map<string, CellResult[]>();
  for (const result of [...results].sort((a, b) => a.failureRate - b.failureRate)) {
    const { node, failureRate: rate } = result;
    const title = `Node ${node}, ${rate === 0 ? 'without failures' : `${rate * 100} % of attempts fail`}`;
    tables.set(title, [...(tables.get(title) ?? []), result]);
  }
  return [...tables].map(([title, of]) => `### ${title}\n\n${renderTable(of)}\n`).join('\n');
}

const HEADER = [
  'contender',
  'records',
  'rounds',
  'records/s',
  'from to',
  'p50 s',
  'p99 s',
  ...ROLES.map((role) => `${role} ms/record`),
  'disk B/record',
  'events',
  'workflow tasks',
  'others %',
  'bench %',
  'output',
];

function renderTable(results: readonly CellResult[]): string {
  const groups = new Map<string, CellResult[]>();
  for (const result of results) {
    const key = `${result.contender} ${result.records}`;
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  return markdownTable(
    HEADER,
    [...groups.values()].map((runs) => {
      const good = runs.filter(({ problems }) => problems.length === 0);
      const figure = (of: (run: CellResult) => number | undefined, digits = 0) => figureOf(good, of, digits);
      const rates = good.map(({ perSecond }) => perSecond);
      return [
        runs[0]?.contender ?? '',
        String(runs[0]?.records ?? 0),
        String(runs.length),
        figure(({ perSecond }) => perSecond, rates.some((rate) => rate < 20) ? 1 : 0),
        good.length === 0 ? '' : spread(rates),
        figure(({ p50Ms }) => p50Ms / 1000, 2),
        figure(({ p99Ms }) => p99Ms / 1000, 2),
        ...ROLES.map((role) => figure((run) => cpuPerRecord(run, role), 2)),
        figure(({ diskBytesPerRecord }) => diskBytesPerRecord),
        figure(({ history, records }) => history && history.events / records, 1),
        figure(({ history, records }) => history && history.workflowTasks / records, 2),
        figure(({ othersShare }) => othersShare * 100),
        figure(({ benchShare }) => benchShare * 100, 1),
        judgement(runs),
      ];
    }),
  );
}

/** In milliseconds; undefined where a contender has no such role. */
export function cpuPerRecord({ usage, records }: CellResult, role: Role): number | undefined {
  const found = usage.find((one) => one.role === role);
  return found && found.cpuMs / records;
}

export function figureOf(
  runs: readonly CellResult[],
  of: (run: CellResult) => number | undefined,
  digits: number,
): string {
  const values = runs.map(of).filter((value) => value !== undefined);
  return values.length === 0 ? '' : median(values).toFixed(digits);
}

export function judgement(runs: readonly CellResult[]): string {
  const bad = runs.filter(({ problems }) => problems.length > 0);
  if (bad.length === 0) return 'complete';
  const what = [...new Set(bad.flatMap(({ problems }) => problems))].join('; ');
  return `${bad.length} of ${runs.length} no result: ${what}`;
}
