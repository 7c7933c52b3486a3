import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../harness/figures';
import { machineCpu } from '../harness/usage';
import type { Contender } from './contenders';
import { watchOutcomes, type Outcomes } from './outcomes';
import { withRunning, type Running } from './running';
import type { HistoryFigures } from './servers/temporal';
import type { RoleUsage, Stage } from './stage';
import type { SentList } from './work/run-client';

/** The work of one run of one contender. */
export interface CellSettings {
  records: number;
  failureRate: number;
  listSize: number;
  callers: number;
  /** Share of records that are kept apart from others. */
  share: number;
  timeoutMs: number;
}

/** What the benches have in common unless told otherwise. */
export const USUAL_WORK = { listSize: 100, callers: 16, share: 0.2 } as const;

/** What one run showed. */
export interface CellResult {
  contender: string;
  /** Version of Node that ran it, and the bench. */
  node: string;
  records: number;
  failureRate: number;
  /** When the first list was sent and the last batch file got its name, in milliseconds since the epoch. */
  firstAtMs: number;
  lastAtMs: number;
  /** Records, by the time between these two. */
  perSecond: number;
  /** From a record's acknowledgement to its batch file. */
  p50Ms: number;
  p99Ms: number;
  /** Lists that were acknowledged in a second, times their records. */
  acknowledgedPerSecond: number;
  usage: RoleUsage[];
  /** What the servers' data folders grew by, per record. */
  diskBytesPerRecord: number;
  history?: HistoryFigures;
  /** Share of the machine's CPU time that other programs used: a run in which that is much says little. */
  othersShare: number;
  /** Share that the bench itself used: it watches the folder of batch files. */
  benchShare: number;
  /** What is wrong with the output; a run with any is no result. */
  problems: string[];
}

/** How long a second outcome of a record may take to show up. */
const SETTLING_MS = 500;

/**
 * Runs one contender once: new folders, new servers, warmed up, measured, judged, gone. One that breaks is a result with
 * that as its problem, so that a run of hours doesn't end with it.
 */
export async function runCell(contender: Contender, settings: CellSettings): Promise<CellResult> {
  const records = Math.min(settings.records, contender.atMost ?? Infinity);
  try {
    return await measure(contender, { ...settings, records });
  } catch (error) {
    return {
      contender: contender.name,
      node: process.versions.node,
      records,
      failureRate: settings.failureRate,
      ...timesOf([], undefined),
      usage: [],
      diskBytesPerRecord: NaN,
      othersShare: NaN,
      benchShare: NaN,
      problems: [(error as Error).message],
    };
  }
}

function measure(contender: Contender, settings: CellSettings): Promise<CellResult> {
  return withRunning(contender, settings, (running) => measureRunning(contender, settings, running));
}

/** Measures one that is warmed up. */
export async function measureRunning(
  contender: Contender,
  { records, failureRate, timeoutMs, ...sending }: CellSettings,
  { stage, history: figures, send, warmUpFiles }: Running,
): Promise<CellResult> {
  const [usageBefore, diskBefore] = [await stage.usage(), await stage.diskBytes()];
  const historyBefore = await figures?.();
  const machineBefore = await machineUsage(stage);
  const range = { from: 0, to: records };
  const outcomes = watchOutcomes(stage.work, range, warmUpFiles);
  const acknowledging = send({ ...sending, ...range });
  // Nobody awaits the lists of a run that is given up.
  acknowledging.catch(() => undefined);
  const complete = await outcomes.untilAll(timeoutMs);
  const usage = since(usageBefore, await stage.usage());
  const machine = await machineUsage(stage);
  const shareOf = (what: 'othersMs' | 'benchMs') =>
    (machine[what] - machineBefore[what]) / (machine.totalMs - machineBefore.totalMs);
  const lists = complete ? await acknowledging : [];
  await sleep(SETTLING_MS);
  await outcomes.readAll();
  const history = await figures?.();
  return {
    contender: contender.name,
    node: process.versions.node,
    records,
    failureRate,
    ...timesOf(lists, outcomes),
    usage,
    diskBytesPerRecord: ((await stage.diskBytes()) - diskBefore) / records,
    ...(history !== undefined && historyBefore !== undefined && { history: grown(historyBefore, history) }),
    othersShare: shareOf('othersMs'),
    benchShare: shareOf('benchMs'),
    problems: [...(complete ? [] : [`not done within ${timeoutMs / 1000} s`]), ...outcomes.problems()],
  };
}

/** CPU time of the machine: what it had to give, what the bench itself used, and what others did. */
async function machineUsage(stage: Stage): Promise<{ othersMs: number; benchMs: number; totalMs: number }> {
  const [{ busyMs, totalMs }, usage] = [await machineCpu(), await stage.usage()];
  const { user, system } = process.cpuUsage();
  const benchMs = (user + system) / 1000;
  const contenderMs = usage.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  return { othersMs: busyMs - contenderMs - benchMs, benchMs, totalMs };
}

function timesOf(lists: readonly SentList[], outcomes: Outcomes | undefined) {
  const latencies: number[] = [];
  let last = 0;
  for (const { from, to, ackedAtMs } of lists) {
    for (let id = from; id < to; id++) {
      const endedAtMs = outcomes?.endedAtMs(id) ?? NaN;
      last = Math.max(last, endedAtMs);
      // A record may have its file before the answer to its list has arrived.
      latencies.push(Math.max(0, endedAtMs - ackedAtMs));
    }
  }
  const first = Math.min(...lists.map(({ sentAtMs }) => sentAtMs));
  const acked = Math.max(...lists.map(({ ackedAtMs }) => ackedAtMs));
  return {
    firstAtMs: first,
    lastAtMs: last,
    perSecond: (latencies.length / (last - first)) * 1000,
    acknowledgedPerSecond: (latencies.length / (acked - first)) * 1000,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
}

function since(before: readonly RoleUsage[], after: readonly RoleUsage[]): RoleUsage[] {
  return after.map(({ role, cpuMs, peakBytes }) => {
    const earlier = before.find((usage) => usage.role === role)?.cpuMs ?? 0;
    return { role, cpuMs: cpuMs - earlier, peakBytes };
  });
}

function grown(before: HistoryFigures, after: HistoryFigures): HistoryFigures {
  return { events: after.events - before.events, workflowTasks: after.workflowTasks - before.workflowTasks };
}
