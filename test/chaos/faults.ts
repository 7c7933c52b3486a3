import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunLimits } from '../../src/contracts/workflow/batcher';
import { SECOND } from '../../src/domain/duration';
import { changeShards, demotePostgres, keepWorkersAway, killStore, stopStore } from './away-faults';
import type { Clients } from './clients';
import { crowdIn } from './crowd';
import type { Deletions } from './deletions';
import { APIS, WORKERS, type ApiName, type Fault, type WorkerName } from './fault-kinds';
import { MOMENT_LIMIT_MS, POLL_MS, comes } from './moments';
import {
  deleteBatcher,
  deleteChild,
  harmPage,
  resetBatcher,
  resetChild,
  sendMalformed,
  terminateBatcher,
  terminateChild,
} from './operator-faults';
import type { FromWorker, Point } from './points';
import type { AttackedBackEnd } from './store-servers';
import type { Supervised } from './supervisor';
import type { AttackedSystem } from './system';

/** A `kill -9`: who was killed, and how often each had been started by then. */
export interface Kill {
  killed: { process: Supervised; starts: number }[];
}

/** What came of a fault. */
export interface Carried {
  note: string;
  kill?: Kill;
  /** What must not have come of it. */
  trouble?: string;
}

export interface FaultContext {
  system: AttackedSystem;
  clients: Clients;
  deletions: Deletions;
  backEnd: AttackedBackEnd;
  limits: RunLimits;
  turns: Turns;
}

/** Faults that wait for a moment of the same process wait for one another: a process can hang at one point at a time. */
export function createTurns() {
  const last = new Map<string, Promise<unknown>>();
  return async function inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const mine = (last.get(name) ?? Promise.resolve()).then(work);
    last.set(
      name,
      mine.catch(() => undefined),
    );
    return mine;
  };
}
export type Turns = ReturnType<typeof createTurns>;

/** Does one thing to the system. Rejects only when the harness itself is wrong. */
export async function carryOut(fault: Fault, context: FaultContext): Promise<Carried> {
  const { system, turns } = context;
  switch (fault.kind) {
    case 'kill worker':
      return turns(fault.whom, () => killWorker(system.get(fault.whom), fault.at));
    case 'kill workers handing over':
      return forAll(turns, () => killWorkersHandingOver(context));
    case 'kill api':
      return killApi(fault.whom, fault.afterMs, context);
    case 'kill temporal server':
      return forAll(turns, () => killTemporalServer(system));
    case 'kill temporal role':
      return forAll(turns, () => killTemporalRole(system));
    case 'kill everything':
      return forAll(turns, () => killEverything(system));
    case 'freeze worker':
      return turns(fault.whom, () => freezeWorker(fault.whom, fault.forMs, system));
    case 'fill disk':
      return fillDisk(fault.folder, fault.forMs, system);
    case 'terminate child':
      return terminateChild(fault.which, context);
    case 'delete child':
      return deleteChild(fault.which, context);
    case 'reset child':
      return resetChild(fault.which, context);
    case 'reset batcher':
      return resetBatcher(context);
    case 'terminate batcher':
      return turns('batcher', () => terminateBatcher(fault.which, context));
    case 'delete batcher':
      return turns('batcher', () => deleteBatcher(fault.which, context));
    case 'terminate page':
      return harmPage('terminate', context);
    case 'delete page':
      return harmPage('delete', context);
    case 'malformed messages':
      return sendMalformed(context);
    case 'workers away':
      return forAll(turns, () => keepWorkersAway(fault.forMs, context));
    case 'change shards':
      return turns('shards', () => changeShards(fault.to, context));
    case 'crowd':
      return crowdIn(fault.whom, fault.connections, fault.forMs, context);
    case 'kill store':
      return turns('store', () => killStore(context));
    case 'stop store':
      return turns('store', () => stopStore(fault.forMs, context));
    case 'demote postgres':
      return turns('store', () => demotePostgres(fault.how, fault.forMs, context));
    case 'lose replies':
      await system.proxyOf(fault.whom).loseReplies(fault.forMs);
      return { note: 'and its connections cut' };
    case 'delay replies':
      await system.proxyOf(fault.whom).delayReplies(fault.forMs);
      return { note: 'and passed on' };
    case 'cut connections':
      return cutConnections(fault.whom, fault.times, system);
    case 'repeat calls':
      system.repeatCalls(fault.whom, REPEATED_WITHIN_MS);
      await sleep(fault.forMs);
      system.repeatCalls(fault.whom, 0);
      return { note: `each within ${REPEATED_WITHIN_MS / SECOND} s` };
    case 'shift clock':
      system.shiftClock(fault.whom, fault.byMs);
      await sleep(fault.forMs);
      system.shiftClock(fault.whom, 0);
      return { note: 'and put right' };
  }
}

const REPEATED_WITHIN_MS = 4 * SECOND;
const CUT_EVERY_MS = 300;

async function cutConnections(whom: string, times: number, system: AttackedSystem): Promise<Carried> {
  for (let cut = 0; cut < times; cut++) {
    system.proxyOf(whom).cut();
    await sleep(CUT_EVERY_MS);
  }
  return { note: 'by resets' };
}

/** In whose way it would come: without Temporal no worker gets to its moment. */
function forAll(turns: Turns, work: () => Promise<Carried>): Promise<Carried> {
  return turns('worker-1', () => turns('worker-2', work));
}

async function killTemporalRole(system: AttackedSystem): Promise<Carried> {
  await comes(() => system.get('temporal').up);
  return killed([system.get('temporal')], 'its watchdog ends the server');
}

/** Kills all of them in one turn. */
function killed(processes: readonly Supervised[], note: string): Carried {
  const before = processes.map((process) => ({
    process,
    starts: process.startsAtMs.length,
    pid: process.pid,
  }));
  const hit = before.filter(({ process }) => process.signal('SIGKILL'));
  if (hit.length === 0) return { note: `${note}; nothing was running` };
  return { note: `${note}; pid ${hit.map(({ pid }) => pid).join(', ')}`, kill: { killed: hit } };
}

async function killWorker(worker: Supervised, at: Point | 'once'): Promise<Carried> {
  await comes(() => worker.up);
  if (at === 'once') return killed([worker], 'at work');
  const reached = await hangAt(worker, at);
  return killed([worker], reached ? 'got there' : `did not get there within ${MOMENT_LIMIT_MS / SECOND} s`);
}

/** Whether the worker hangs there now. */
async function hangAt(worker: Supervised, point: Point): Promise<boolean> {
  worker.tell({ hangAt: point });
  const hangs = (message: FromWorker) => 'reached' in message && message.reached === point;
  return comes(() => worker.said.some(hangs));
}

async function killWorkersHandingOver({ system, limits }: FaultContext): Promise<Carried> {
  const workers = WORKERS.map((name) => system.get(name));
  await comes(() => workers.every(({ up }) => up));
  const batcher = system.client.workflow.getHandle(system.batcherId);
  let runId: string | undefined;
  let seen = 'it did not come to that in time';
  await comes(async () => {
    const run = await batcher.describe();
    runId ??= run.runId;
    if (run.runId !== runId) seen = 'the next run has just begun';
    else if (run.historyLength >= limits.historyEvents) seen = `the run has ${run.historyLength} events`;
    else return false;
    return true;
  });
  return killed(workers, seen);
}

async function killApi(whom: ApiName, afterMs: number, { system, clients }: FaultContext): Promise<Carried> {
  const api = system.get(whom);
  await comes(() => api.up);
  const index = APIS.indexOf(whom);
  await comes(() => clients.inFlight(index) > 0, 1);
  await sleep(afterMs);
  const inFlight = clients.inFlight(index);
  return killed([api], `${inFlight} requests in flight`);
}

async function killTemporalServer(system: AttackedSystem): Promise<Carried> {
  const temporal = system.get('temporal');
  await comes(() => temporal.up);
  const starts = temporal.startsAtMs.length;
  const pid = killServer(system);
  if (pid === undefined) return { note: 'no server was running' };
  return { note: `pid ${pid}`, kill: { killed: [{ process: temporal, starts }] } };
}

function killServer(system: AttackedSystem): number | undefined {
  const pid = system.serverPid();
  if (pid === undefined) return undefined;
  try {
    process.kill(pid, 'SIGKILL');
    return pid;
  } catch {
    return undefined;
  }
}

async function killEverything(system: AttackedSystem): Promise<Carried> {
  await comes(() => system.all.every(({ up }) => up));
  const server = killServer(system);
  return killed(system.all, `server ${server ?? 'not running'}`);
}

async function freezeWorker(whom: WorkerName, forMs: number, system: AttackedSystem): Promise<Carried> {
  const worker = system.get(whom);
  await comes(() => worker.up);
  await hangAt(worker, 'before a save');
  const { pid } = worker;
  worker.signal('SIGSTOP');
  const batchId = worker.said.map((said) => ('reached' in said ? said.batchId : '')).at(-1) ?? '';
  // The other worker can close it only when the heartbeat of this one is missed.
  const closed = async () => (await readdir(system.outDir)).some((name) => name.endsWith(`_${batchId}.log`));
  const before = await comes(closed, POLL_MS, forMs);
  if (worker.pid !== pid) return { note: 'it did not live to thaw' };
  worker.tell({ goOn: true });
  worker.signal('SIGCONT');
  let how: string | undefined;
  await comes(
    () => (how = worker.said.map((said) => ('ended' in said ? said.ended : undefined)).find(Boolean)),
  );
  return {
    note: `back ${before ? 'after its batch was closed' : 'too early'}; its late save: ${how ?? 'not heard of'}`,
  };
}

async function fillDisk(folder: 'data' | 'out', forMs: number, system: AttackedSystem): Promise<Carried> {
  const disk = system.disks?.[folder];
  if (disk === undefined) return { note: 'there is no small disk' };
  const pids = () => WORKERS.flatMap((name) => system.get(name).pid ?? []);
  disk.fill(pids());
  await sleep(forMs);
  disk.free(pids());
  return { note: disk.how };
}
