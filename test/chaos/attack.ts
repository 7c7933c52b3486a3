import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonValue } from '../../src/domain/json';
import { audit, readBatchFiles } from '../helpers/audit';
import { waitFor } from '../helpers/wait-for';
import { startCluster, type Cluster } from './cluster';
import { commit } from './faults';
import { startLoad, type Load } from './load';
import { RULES } from './records';
import { scheduleOf, type Fault, type FaultKind } from './schedule';

export interface AttackOptions {
  seed: number;
  rounds: number;
  roundMs: number;
  kills: number;
  others: number;
  recordsPerSecond: number;
  failureRate: number;
  slowSaveMs: number;
  /** Path of `temporal`. */
  binary: string;
  onProgress: (line: string) => void;
  /** Ends the attack early; it rejects then, and everything is cleared away all the same. */
  signal?: AbortSignal;
  /** Called before the folder goes, with what is in it. */
  beforeEnd?: (cluster: Cluster) => Promise<void>;
}

export interface AttackReport {
  seed: number;
  acknowledged: number;
  outcomes: number;
  rolledBack: number;
  missing: number;
  doubled: number;
  /** Outcomes of records that nobody has an acknowledgement for; every client repeats until it has, so none. */
  unknown: number;
  overSize: number;
  conflicting: number;
  files: number;
  /** Requests that clients had to send again. */
  repeats: number;
  surprises: readonly string[];
  continuedAsNew: number;
  batchesTerminated: number;
  /** How often each fault was done. */
  faults: Partial<Record<FaultKind, number>>;
  kills: number;
  /** From the start of the last process that was killed to the first new batch file, in milliseconds. */
  recoveryMs: number[];
}

const QUIET_WITHIN_MS = 240_000;

/** Runs rounds of load and faults; after each, waits until everything is quiet and audits what is there. */
export async function attack(options: AttackOptions): Promise<AttackReport> {
  const schedule = scheduleOf(options);
  const cluster = await startCluster(options);
  const ledgerFile = path.join(cluster.folder, 'ledger.jsonl');
  const load = startLoad({ ...options, apiUrls: cluster.apiUrls, clients: 6, ledgerFile });
  const report: AttackReport = { ...NOTHING_YET, seed: options.seed, faults: {}, recoveryMs: [] };
  const interrupted = new Promise<never>((_, reject) => {
    options.signal?.addEventListener('abort', () => reject(new Error('interrupted')));
  });
  interrupted.catch(() => undefined);
  try {
    await Promise.race([interrupted, runRounds()]);
    return report;
  } finally {
    load.abandon();
    await cluster.end();
    await load.end();
  }

  async function runRounds(): Promise<void> {
    for (const [round, faults] of schedule.entries()) {
      load.resume();
      await runRound(faults, options, cluster, load, report);
      load.pause();
      await load.settle();
      cluster.shiftClock(0);
      const status = await quiet(cluster);
      report.continuedAsNew = await runsOf(cluster);
      report.batchesTerminated = status.total.counters.batchesFailed;
      await auditInto(report, cluster, ledgerFile);
      report.repeats = load.repeats();
      report.surprises = load.surprises();
      options.onProgress(
        `round ${round + 1} of ${schedule.length}: ${report.acknowledged} acknowledged, ${report.outcomes} outcomes, ` +
          `${report.missing} missing, ${report.doubled} doubled`,
      );
    }
    await options.beforeEnd?.(cluster);
  }
}

const NOTHING_YET = {
  acknowledged: 0,
  outcomes: 0,
  rolledBack: 0,
  missing: 0,
  doubled: 0,
  unknown: 0,
  overSize: 0,
  conflicting: 0,
  files: 0,
  repeats: 0,
  surprises: [],
  continuedAsNew: 0,
  batchesTerminated: 0,
  kills: 0,
};

/** Whether an attack found no damage at all. */
export function isUnharmed(report: AttackReport): boolean {
  const { missing, doubled, unknown, overSize, conflicting, surprises, acknowledged, outcomes } = report;
  const damage = missing + doubled + unknown + overSize + conflicting + surprises.length;
  return damage === 0 && acknowledged > 0 && outcomes === acknowledged;
}

async function runRound(
  faults: readonly Fault[],
  { roundMs, onProgress }: AttackOptions,
  cluster: Cluster,
  load: Load,
  report: AttackReport,
): Promise<void> {
  const beganAtMs = performance.now();
  const seconds = () => ((performance.now() - beganAtMs) / 1000).toFixed(1);
  const recoveries: Promise<void>[] = [];
  for (const fault of faults) {
    await sleep(Math.max(0, fault.atMs - (performance.now() - beganAtMs)));
    const { kind, what, killed } = await commit(fault, cluster, load);
    report.faults[kind] = (report.faults[kind] ?? 0) + 1;
    onProgress(`  ${seconds().padStart(6)} s  ${kind}: ${what}`);
    if (killed.length === 0) continue;
    report.kills++;
    recoveries.push(recovery(cluster, killed, (ms) => report.recoveryMs.push(ms)));
  }
  await sleep(Math.max(0, roundMs - (performance.now() - beganAtMs)));
  await Promise.all(recoveries);
}

/** Waits until all that was killed runs again, and from there until a new batch file appears. */
async function recovery(
  cluster: Cluster,
  killed: Awaited<ReturnType<typeof commit>>['killed'],
  tell: (ms: number) => void,
): Promise<void> {
  const isUp = () =>
    killed.every((each) => each.child().exitCode === null && each.child().signalCode === null);
  await waitFor('what was killed to be started again', isUp, { timeoutMs: 60_000 });
  const from = performance.now();
  const before = await filesIn(cluster.outDir);
  await waitFor('a new outcome', async () => (await filesIn(cluster.outDir)) > before, {
    timeoutMs: 120_000,
  });
  tell(Math.round(performance.now() - from));
}

async function filesIn(outDir: string): Promise<number> {
  return (await readdir(outDir)).filter((name) => name.endsWith('.log')).length;
}

function quiet(cluster: Cluster) {
  return waitFor(
    'everything to be quiet',
    async () => {
      const status = await cluster.status();
      return status.total.bufferedRecords === 0 && status.total.inFlight === 0 && status;
    },
    { timeoutMs: QUIET_WITHIN_MS, intervalMs: 250 },
  );
}

async function runsOf({ client, batcherWorkflowId }: Cluster): Promise<number> {
  const { count } = await client.workflow.count(
    `WorkflowId = '${batcherWorkflowId}' AND ExecutionStatus = 'ContinuedAsNew'`,
  );
  return count;
}

async function auditInto(report: AttackReport, { outDir }: Cluster, ledgerFile: string): Promise<void> {
  const acknowledged = readFileSync(ledgerFile, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { recordId: string; value: JsonValue }).recordId);
  const files = await readBatchFiles(outDir);
  const found = audit(files, acknowledged, { maxBatchSize: 5, rules: RULES });
  report.acknowledged = acknowledged.length;
  report.files = files.size;
  report.outcomes = found.outcomes;
  report.rolledBack = [...files.values()].flat().filter(({ outcome }) => outcome === 'rolled_back').length;
  report.missing = found.missing.length;
  report.doubled = found.doubled.length;
  report.unknown = found.unknown.length;
  report.overSize = found.overSize.length;
  report.conflicting = found.conflicting.length;
}
