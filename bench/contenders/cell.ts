import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { diskFolder } from '../harness/folders';
import type { Program } from '../harness/programs';
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
  /** Share of the machine's CPU time that went to whoever else was there: a run with much of it says little. */
  othersShare: number;
  /** What is wrong with the output; a run with any is no result. */
  problems: string[];
}

const LOOK_EVERY_MS = 100;
const WARM_UP_RECORDS = 200;
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
      records,
      failureRate: settings.failureRate,
      ...timesOf([], undefined),
      usage: [],
      diskBytesPerRecord: NaN,
      othersShare: NaN,
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
    const client = await stage.start('client', command, args, {
      ...(env !== undefined && { env }),
      up: /^ready$/m,
    });
    const send = orders(client);
    await warmUp(stage, send, settings, contender.atMost === undefined ? WARM_UP_RECORDS : 5);

    const [usageBefore, diskBefore] = [await stage.usage(), await stage.diskBytes()];
    const historyBefore = await started.history?.();
    const machineBefore = await machineWithout(stage);
    const outcomes = watchOutcomes(stage.work, records);
    const sending = send({ ...settings, from: 0, to: records });
    // Of one that never gets done nobody awaits it.
    sending.catch(() => undefined);
    const complete = await untilAll(outcomes, records, timeoutMs);
    const usage = since(usageBefore, await stage.usage());
    const machine = await machineWithout(stage);
    const othersMs = machine.othersMs - machineBefore.othersMs;
    const lists = complete ? await sending : [];
    await sleep(SETTLING_MS);
    await outcomes.look();
    const history = await started.history?.();
    return {
      contender: contender.name,
      records,
      failureRate,
      ...timesOf(lists, outcomes),
      usage,
      diskBytesPerRecord: ((await stage.diskBytes()) - diskBefore) / records,
      ...(history !== undefined && historyBefore !== undefined && { history: grown(historyBefore, history) }),
      othersShare: othersMs / (machine.totalMs - machineBefore.totalMs),
      problems: [...(complete ? [] : [`not done within ${timeoutMs / 1000} s`]), ...outcomes.problems()],
    };
  } finally {
    await stage.stop();
  }
}

/** CPU time of all that is neither the contender's nor ours. */
async function machineWithout(stage: Stage): Promise<{ othersMs: number; totalMs: number }> {
  const [{ busyMs, totalMs }, usage] = [await machineCpu(), await stage.usage()];
  const { user, system } = process.cpuUsage();
  const own = usage.reduce((sum, { cpuMs }) => sum + cpuMs, (user + system) / 1000);
  return { othersMs: busyMs - own, totalMs };
}

type Send = (order: Order) => Promise<SentList[]>;

function orders(client: Program): Send {
  const lines = createInterface({ input: client.child.stdout })[Symbol.asyncIterator]();
  return async (order) => {
    client.child.stdin.write(`${JSON.stringify(order)}\n`);
    for (;;) {
      const { value, done } = (await lines.next()) as IteratorResult<string, undefined>;
      if (done === true) throw new Error(`the client ended:\n${client.output()}`);
      if (value.startsWith('{"lists"')) return (JSON.parse(value) as { lists: SentList[] }).lists;
    }
  };
}

async function warmUp({ work }: Stage, send: Send, settings: CellSettings, records: number): Promise<void> {
  const outcomes = watchOutcomes(work, Infinity);
  await send({ ...settings, from: WARM_UP_FROM, to: WARM_UP_FROM + records });
  if (!(await untilAll(outcomes, records, WARM_UP_WITHIN_MS)))
    throw new Error('warming up took over a minute');
}

/** @returns whether all came to their ends in time */
async function untilAll(outcomes: Outcomes, records: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while ((await outcomes.look()) < records) {
    if (Date.now() > deadline) return false;
    await sleep(LOOK_EVERY_MS);
  }
  return true;
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
