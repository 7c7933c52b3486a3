import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { diskFolder } from '../harness/folders';
import type { PipedProgram } from '../harness/programs';
import { machineCpu } from '../harness/usage';
import type { Contender } from './contenders';
import { watchOutcomes, type Outcomes } from './outcomes';
import { openStage, type RoleUsage, type Stage } from './stage';
import type { HistoryFigures } from './servers/temporal';
import type { Order, SentList } from './work/run-client';
import { WARM_UP_FROM } from './work/work';

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
  /** From the first list on its way to the last batch file. */
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

const WARM_UP_RECORDS = 200;
/** A slow contender warms up with this share of its records instead. */
const WARM_UP_SHARE = 1 / 12;
const WARM_UP_WITHIN_MS = 60_000;
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

async function measure(contender: Contender, settings: CellSettings): Promise<CellResult> {
  const { records, failureRate, timeoutMs } = settings;
  const folder = await diskFolder();
  const stage = await openStage(folder, {
    maxBatchSize: 5,
    apart: [1, 2],
    maxAttempts: 3,
    retryIntervalMs: 1000,
    failureRate,
    server: '',
    kind: '',
  });
  try {
    const started = await contender.start(stage);
    const { command, args, env } = started.client;
    const client = await stage.startClient(command, args, {
      ...(env !== undefined && { env }),
      up: /^ready$/m,
    });
    const send = orders(client);
    const warmUpRecords = Math.min(
      WARM_UP_RECORDS,
      Math.floor(WARM_UP_SHARE * (contender.atMost ?? Infinity)),
    );
    const ignored = await warmUp(stage, send, settings, warmUpRecords);

    const [usageBefore, diskBefore] = [await stage.usage(), await stage.diskBytes()];
    const historyBefore = await started.history?.();
    const machineBefore = await machineUsage(stage);
    const range = { from: 0, to: records };
    const outcomes = watchOutcomes(stage.work, range, ignored);
    const sending = send({ ...settings, ...range });
    // Nobody awaits the lists of a run that is given up.
    sending.catch(() => undefined);
    const complete = await outcomes.untilAll(timeoutMs);
    const usage = since(usageBefore, await stage.usage());
    const machine = await machineUsage(stage);
    const shareOf = (what: 'othersMs' | 'benchMs') =>
      (machine[what] - machineBefore[what]) / (machine.totalMs - machineBefore.totalMs);
    const lists = complete ? await sending : [];
    await sleep(SETTLING_MS);
    await outcomes.readAll();
    const history = await started.history?.();
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
  } finally {
    await stage.stop();
  }
}

/** CPU time of the machine: what it had to give, what the bench itself used, and what others did. */
async function machineUsage(stage: Stage): Promise<{ othersMs: number; benchMs: number; totalMs: number }> {
  const [{ busyMs, totalMs }, usage] = [await machineCpu(), await stage.usage()];
  const { user, system } = process.cpuUsage();
  const benchMs = (user + system) / 1000;
  const contenderMs = usage.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  return { othersMs: busyMs - contenderMs - benchMs, benchMs, totalMs };
}

type Send = (order: Order) => Promise<SentList[]>;

function orders(client: PipedProgram): Send {
  const lines = createInterface({ input: client.stdout })[Symbol.asyncIterator]();
  return async (order) => {
    client.stdin.write(`${JSON.stringify(order)}\n`);
    for (;;) {
      const { value, done } = (await lines.next()) as IteratorResult<string, undefined>;
      if (done === true) throw new Error(`the client ended:\n${client.output()}`);
      if (value.startsWith('{"lists"')) return (JSON.parse(value) as { lists: SentList[] }).lists;
    }
  };
}

/** @returns the names of the files that it left */
async function warmUp(
  { work }: Stage,
  send: Send,
  settings: CellSettings,
  records: number,
): Promise<ReadonlySet<string>> {
  const range = { from: WARM_UP_FROM, to: WARM_UP_FROM + records };
  const outcomes = watchOutcomes(work, range);
  await send({ ...settings, ...range });
  if (!(await outcomes.untilAll(WARM_UP_WITHIN_MS))) throw new Error('warming up took over a minute');
  return outcomes.names;
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
  latencies.sort((a, b) => a - b);
  const quantile = (share: number) => latencies[Math.ceil(latencies.length * share) - 1] ?? NaN;
  const first = Math.min(...lists.map(({ sentAtMs }) => sentAtMs));
  const acked = Math.max(...lists.map(({ ackedAtMs }) => ackedAtMs));
  return {
    perSecond: (latencies.length / (last - first)) * 1000,
    acknowledgedPerSecond: (latencies.length / (acked - first)) * 1000,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
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
