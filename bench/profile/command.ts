import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { SECOND } from '../../src/domain/duration';
import { USUAL_WORK, measureRunning, type CellResult } from '../contenders/cell';
import { preparedContenders } from '../contenders/choose';
import type { Contender } from '../contenders/contenders';
import { withRunning, type Running } from '../contenders/running';
import { ROLES, type Role } from '../contenders/stage';
import { monotonicMs } from '../harness/clock';
import { markdownTable } from '../harness/figures';
import { processTrees, threadTimes } from '../harness/usage';
import { IDLE, OURS, readProfiles, type ThreadProfile, type Window } from './cpu-profile';
import { recordTemporal } from './go-profile';

const HELP = `npm run bench -- profile [options]

Where the time goes in one contender under one load: CPU time by thread of each role's processes, and self time by what the
code belongs to, for every JavaScript thread of the worker and the API and, where \`perf\` and Go are installed, for
Temporal's server. Between the first list and the last file alone. A thread that waits within a native call counts as busy,
so CPU time is in the first table. A profiled run is slower than others: take speeds from \`contenders\`.

  --only <name>      the contender (default keepapart)
  --failures <n>     share of save attempts that fail (default 0)
  --records <n>      records (default 20000)
  --files <n>        files of ours that are listed by name, of each thread (default 10)
  --folder <path>    keeps the profiles there (default a new temporary folder); Chrome's DevTools open them
  --timeout <s>      gives up after so long (default 600)
  --node <version>   runs every Node program on this version: 20, 22, 24, 26 or an exact one (default this Node)
`;

/** `npm run bench -- profile`. @returns the exit code: 1 when the run was no result */
export async function profileBench(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', default: false },
      only: { type: 'string', default: 'keepapart' },
      failures: { type: 'string', default: '0' },
      records: { type: 'string', default: '20000' },
      files: { type: 'string', default: '10' },
      folder: { type: 'string' },
      timeout: { type: 'string', default: '600' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const [contender, ...more] = await preparedContenders(values.only);
  if (contender === undefined || more.length > 0) throw new Error('profile takes one contender');
  const parent = values.folder ?? tmpdir();
  const folder = await mkdtemp(path.join(path.resolve(parent), 'keepapart-profile-'));
  process.env['BENCH_PROFILE'] = folder;
  const settings = {
    ...USUAL_WORK,
    records: Math.min(Number(values.records), contender.atMost ?? Infinity),
    failureRate: Number(values.failures),
    timeoutMs: Number(values.timeout) * SECOND,
  };
  const run = await withRunning(contender, settings, (running) =>
    measureThreads(running, folder, () =>
      // Without reading histories, which the server would be busy with.
      measureRunning(contender, settings, { ...running, history: undefined }),
    ),
  );
  process.stdout.write(await report(contender, run, folder, Number(values.files)));
  return run.result.problems.length > 0 ? 1 : 0;
}

interface ProfiledRun {
  result: CellResult;
  threads: { role: Role; times: Map<string, number> }[];
  server: Map<string, number> | undefined;
}

async function measureThreads(
  { stage }: Running,
  folder: string,
  measure: () => Promise<CellResult>,
): Promise<ProfiledRun> {
  const trees = await Promise.all(
    ROLES.map(async (role) => ({ role, pids: (await processTrees(stage.pidsOf(role))).flat() })),
  );
  const timesNow = () =>
    Promise.all(trees.map(async ({ role, pids }) => ({ role, times: await threadTimes(pids) })));
  const server = trees.find(({ role }) => role === 'server')?.pids ?? [];
  const recording = await recordTemporal(server, path.join(folder, 'server'));
  const before = await timesNow();
  const result = await measure();
  const after = await timesNow();
  const grown = after.map(({ role, times }, i) => ({
    role,
    times: new Map([...times].map(([name, ms]) => [name, ms - (before[i]?.times.get(name) ?? 0)])),
  }));
  return { result, threads: grown, server: await recording?.stop() };
}

async function report(
  { name }: Contender,
  { result, threads, server }: ProfiledRun,
  folder: string,
  files: number,
): Promise<string> {
  const { records, failureRate, perSecond, problems, node, firstAtMs, lastAtMs, othersShare } = result;
  const title = `${name}, Node ${node}, ${records} records, ${failureRate * 100} % of attempts fail`;
  const figures = `${perSecond.toFixed(0)} records/s, ${((lastAtMs - firstAtMs) / SECOND).toFixed(1)} s, others ${(othersShare * 100).toFixed(0)} %`;
  const parts = [`## ${title}`, [figures, ...problems].join('; '), threadTable(threads, records)];
  // From the clock that figures are taken by to that of the profiles.
  const offsetMs = monotonicMs() - Date.now();
  const window = { fromMs: firstAtMs + offsetMs, toMs: lastAtMs + offsetMs };
  for (const role of ['worker', 'api'] as const)
    for (const profile of await profilesOf(path.join(folder, role), window))
      parts.push(`### ${role}, ${profile.thread}`, profileTable(profile, records, files));
  if (server !== undefined) parts.push("### Temporal's server", serverTable(server));
  return `${parts.join('\n\n')}\n\nProfiles: ${folder}\n`;
}

function profilesOf(folder: string, window: Window): Promise<ThreadProfile[]> {
  return readProfiles(folder, window).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
}

function threadTable(threads: ProfiledRun['threads'], records: number): string {
  const rows = threads.flatMap(({ role, times }) =>
    descending(times)
      .filter(([, ms]) => ms / records >= 0.001)
      .map(([name, ms]) => [role, name, ms.toFixed(0), (ms / records).toFixed(3)]),
  );
  return markdownTable(['role', 'threads called', 'CPU ms', 'ms/record'], rows);
}

function profileTable({ selfMs }: ThreadProfile, records: number, files: number): string {
  const named = descending(selfMs).filter(([what]) => what.startsWith(OURS));
  const rest = named.slice(files);
  const rows = new Map([...selfMs].filter(([what]) => !rest.some(([other]) => other === what)));
  if (rest.length > 0) rows.set(`${OURS}${rest.length} more files`, sumOf(rest));
  const totalMs = sumOf([...selfMs]);
  const busyMs = totalMs - (selfMs.get(IDLE) ?? 0);
  rows.delete(IDLE);
  return [
    `Busy ${((busyMs / totalMs) * 100).toFixed(0)} % of the time; ours in all ${sumOf(named).toFixed(0)} ms.`,
    markdownTable(
      ['', 'ms', '% of busy', 'ms/record'],
      descending(rows)
        .filter(([, ms]) => ms >= busyMs / 200)
        .map(([what, ms]) => [
          what,
          ms.toFixed(0),
          ((ms / busyMs) * 100).toFixed(1),
          (ms / records).toFixed(3),
        ]),
    ),
  ].join('\n\n');
}

function serverTable(samples: ReadonlyMap<string, number>): string {
  const all = sumOf([...samples]);
  return markdownTable(
    ['', '% of samples'],
    descending(samples).map(([what, count]) => [what, ((count / all) * 100).toFixed(1)]),
  );
}

function descending(map: ReadonlyMap<string, number>): [string, number][] {
  return [...map].sort(([, a], [, b]) => b - a);
}

function sumOf(entries: readonly (readonly [string, number])[]): number {
  return entries.reduce((sum, [, value]) => sum + value, 0);
}
