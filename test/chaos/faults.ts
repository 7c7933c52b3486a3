import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  addRecordsSignal,
  childProgressSignal,
  configureSignal,
  drainSignal,
  type RunLimits,
} from '../../src/contracts/batcher';
import { WORKFLOW_TYPE } from '../../src/contracts/ids';
import { SECOND } from '../../src/domain/duration';
import { waitFor } from '../helpers/wait-for';
import type { Clients } from './clients';
import type { FromWorker, Point } from './points';
import { APIS, WORKERS, type ApiName, type Fault, type WorkerName } from './schedule';
import type { Supervised } from './supervisor';
import type { AttackedSystem } from './system';

/** How long a fault waits for its moment. When that doesn't come, it is done all the same, and says so. */
const MOMENT_LIMIT_MS = 10 * SECOND;
const POLL_MS = 20;

/** A `kill -9`: who was killed, and how often each had been started by then. */
export interface Kill {
  killed: { process: Supervised; starts: number }[];
}

/** What came of a fault. */
export interface Carried {
  note: string;
  kill?: Kill;
}

export interface FaultContext {
  system: AttackedSystem;
  clients: Clients;
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
      return terminateChild(fault.which, system);
    case 'lose replies':
      await system.proxyOf(fault.whom).loseReplies(fault.forMs);
      return { note: 'and its connections cut' };
    case 'delay replies':
      await system.proxyOf(fault.whom).delayReplies(fault.forMs);
      return { note: 'and passed on' };
    case 'reset batcher':
      return resetBatcher(system);
    case 'malformed messages':
      return sendMalformed(system);
    case 'shift clock':
      system.shiftClock(fault.whom, fault.byMs);
      await sleep(fault.forMs);
      system.shiftClock(fault.whom, 0);
      return { note: 'and put right' };
  }
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

async function terminateChild(which: number, { client, batcherId }: AttackedSystem): Promise<Carried> {
  let terminated: string | undefined;
  const query = `WorkflowType = '${WORKFLOW_TYPE.child}' AND ExecutionStatus = 'Running'`;
  await comes(async () => {
    const running: string[] = [];
    for await (const { workflowId } of client.workflow.list({ query })) running.push(workflowId);
    const childId = running.filter((id) => id.startsWith(batcherId)).sort()[
      Math.floor(which * running.length)
    ];
    if (childId === undefined) return false;
    await client.workflow.getHandle(childId).terminate('terminated by the attack');
    terminated = childId;
    return true;
  });
  return { note: terminated ?? 'none was running' };
}

async function resetBatcher({ client, batcherId: workflowId }: AttackedSystem): Promise<Carried> {
  let note = 'it could not be reset in time';
  await comes(async () => {
    const { runId } = await client.workflow.getHandle(workflowId).describe();
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const first = events?.find((event) => event.workflowTaskCompletedEventAttributes);
    if (first === undefined) return false;
    await client.workflowService.resetWorkflowExecution({
      namespace: client.options.namespace,
      workflowExecution: { workflowId, runId },
      reason: 'reset by the attack',
      requestId: `reset of ${runId}`,
      workflowTaskFinishEventId: first.eventId ?? null,
    });
    note = `run ${runId}, after ${events?.length} events`;
    return true;
  });
  return { note };
}

const MALFORMED: readonly unknown[][] = [
  [],
  [null],
  ['drain'],
  [{ by: 7 }],
  [[{ requestId: '', values: 1 }]],
];

async function sendMalformed({ client, batcherId }: AttackedSystem): Promise<Carried> {
  const signals = [addRecordsSignal, configureSignal, drainSignal, childProgressSignal];
  let sent = 0;
  for (const { name } of signals)
    for (const args of MALFORMED)
      await client.workflow
        .getHandle(batcherId)
        .signal(name, ...args)
        .then(
          () => sent++,
          () => undefined,
        );
  return { note: `${sent} sent` };
}

/** Whether it comes in time; what fails meanwhile, because something is down, is looked at again. */
async function comes(
  look: () => unknown,
  intervalMs = POLL_MS,
  timeoutMs = MOMENT_LIMIT_MS,
): Promise<boolean> {
  try {
    await waitFor('the moment', async () => Boolean(await look()), {
      timeoutMs,
      intervalMs,
    });
    return true;
  } catch {
    return false;
  }
}
