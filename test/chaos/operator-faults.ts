import { WorkflowUpdateFailedError } from '@temporalio/client';
import {
  addRecordsSignal,
  childProgressSignal,
  configureSignal,
  drainSignal,
  layoutUpdate,
  readUpdate,
  takeUpdate,
} from '../../src/contracts/workflow/batcher';
import type { ChildInput } from '../../src/contracts/workflow/child';
import { WORKFLOW_TYPE } from '../../src/contracts/workflow/ids';
import { limitsUpdate } from '../../src/contracts/workflow/limits';
import { storeNoticeSignal } from '../../src/contracts/workflow/store-notice';
import { MINUTE, SECOND } from '../../src/domain/duration';
import { heldByRun, recordsInPage, type HeldRecord } from '../../src/temporal/rescue/held-by-run';
import { inputOf, readStart } from '../../src/temporal/server/history';
import { askToDelete, resetWorkflow } from '../helpers/by-hand';
import type { Carried, FaultContext } from './faults';
import { comes } from './moments';
import { APIS } from './fault-kinds';
import type { AttackedSystem } from './system';

/*
 * What an operator can do with Temporal's own tools: terminate, reset, delete, and send anything.
 */

const NOTHING_THERE = 'none was there';

/** The ids of the open workflows of a type, and perhaps of those that closed, in order. */
async function idsOf({ client }: AttackedSystem, type: string, more = "AND ExecutionStatus = 'Running'") {
  const ids = new Set<string>();
  for await (const { workflowId } of client.workflow.list({ query: `WorkflowType = '${type}' ${more}` }))
    ids.add(workflowId);
  return [...ids].sort();
}

function pick(ids: readonly string[], which: number): string | undefined {
  return ids[Math.floor(which * ids.length)];
}

export async function terminateChild(which: number, { system }: FaultContext): Promise<Carried> {
  return toOne(system, WORKFLOW_TYPE.child, which, async (childId) => {
    await system.client.workflow.getHandle(childId).terminate('terminated by the attack');
    return childId;
  });
}

export async function deleteChild(which: number, { system, deletions }: FaultContext): Promise<Carried> {
  return toOne(system, WORKFLOW_TYPE.child, which, async (childId) => {
    const { runId } = await system.client.workflow.getHandle(childId).describe();
    const input = (await inputOf(
      system.client,
      await readStart(system.client, childId, runId),
      childId,
    )) as ChildInput;
    deletions.note(recordsOfChild(input));
    await askToDelete(system.client, childId, runId);
    return childId;
  });
}

function recordsOfChild({ batches }: ChildInput): HeldRecord[] {
  return batches.flatMap(({ records }) =>
    records.flatMap(([requestId, first, values]) =>
      values.map((value, i) => ({ requestId, index: first + i, value })),
    ),
  );
}

export async function resetChild(which: number, { system }: FaultContext): Promise<Carried> {
  return toOne(system, WORKFLOW_TYPE.child, which, (childId) => resetToStart(system, childId), '');
}

export async function resetBatcher({ system }: FaultContext): Promise<Carried> {
  return toOne(system, WORKFLOW_TYPE.batcher, 0, (batcher) => resetToStart(system, batcher));
}

async function resetToStart({ client }: AttackedSystem, workflowId: string): Promise<string | undefined> {
  const done = await resetWorkflow(client, workflowId);
  return done && `${workflowId}, run ${done.runId}, after ${done.events} events`;
}

/** Within it a message arrives again whose call is repeated, with the time that the call may take. */
const REPEATS_REACH_MS = 15 * SECOND;

export async function terminateBatcher(which: number, context: FaultContext): Promise<Carried> {
  const { system } = context;
  return toOne(system, WORKFLOW_TYPE.batcher, which, async (batcher) => {
    const runId = await terminateRun(system, batcher);
    return `${batcher}, run ${runId}; ${await rescue(context)}`;
  });
}

export async function deleteBatcher(which: number, context: FaultContext): Promise<Carried> {
  const { system, deletions, clients } = context;
  return toOne(system, WORKFLOW_TYPE.batcher, which, async (batcher) => {
    const runId = await terminateRun(system, batcher);
    const { records } = await untilDone(() => heldByRun(system.client, batcher, runId));
    deletions.note(records);
    deletions.noteForgotten(clients.openKeys());
    // A message that arrives again after this is new to the next batcher; a list without a key has nothing else to be known by.
    if (system.repeatedWithin(REPEATS_REACH_MS))
      deletions.noteForgotten(clients.acknowledgedWithin(REPEATS_REACH_MS));
    await untilDone(() => askToDelete(system.client, batcher, runId));
    return `${batcher}, run ${runId} with ${records.length} records; ${await rescue(context)}`;
  });
}

/** Terminates what runs and has another begin, in one. @returns the run that was terminated */
async function terminateRun(system: AttackedSystem, batcher: string): Promise<string> {
  const { runId } = await system.client.workflow.getHandle(batcher).describe();
  await system.startBatcher(Number(batcher.split('-').at(-1)), { inPlace: true });
  return untilDone(() => lastOf(system, batcher, runId));
}

/** It may have handed over before it was terminated. */
async function lastOf(system: AttackedSystem, workflowId: string, runId: string): Promise<string> {
  const { events } = await system.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const next = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  return typeof next === 'string' ? lastOf(system, workflowId, next) : runId;
}

/** What has begun has to be done to its end, whatever is down meanwhile. */
async function untilDone<T>(work: () => Promise<T>): Promise<T> {
  let done: { result: T } | undefined;
  await comes(async () => (done = { result: await work() }), SECOND, 5 * MINUTE);
  if (done === undefined) throw new Error('the attack could not do what it had begun');
  return done.result;
}

const RESCUE_LIMIT_MS = 5 * MINUTE;
export const NOTHING_RESCUED = '0 records rescued';

/** Takes in again what is out of reach, as soon as a worker and Temporal are there for it. */
export async function rescue({ system, turns }: Pick<FaultContext, 'system' | 'turns'>): Promise<string> {
  return turns('rescue', async () => {
    let taken = 0;
    const untilMs = Date.now() + RESCUE_LIMIT_MS;
    for (;;) {
      const { report, said } = await system.rescue();
      taken += report?.lost ?? 0;
      if (report !== undefined && report.stuck.length === 0) return `${taken} records rescued`;
      if (Date.now() > untilMs) return `NOT RESCUED: ${said}`;
    }
  });
}

/** @param what of the page becomes */
export async function harmPage(
  what: 'terminate' | 'delete',
  { system, clients, deletions, turns }: FaultContext,
): Promise<Carried> {
  return turns('pause', async () => {
    await operate(system, 'pause');
    try {
      const mark = Date.now();
      for (let list = 0; list < LISTS; list++)
        void clients.send(undefined, bulkyList(`${what} ${mark} ${list}`), list % APIS.length);
      await comes(async () => {
        await sendSignals(system, await idsOf(system, WORKFLOW_TYPE.batcher));
        return (await idsOf(system, WORKFLOW_TYPE.bufferPage)).length > 0;
      }, SECOND);
      return await toOne(system, WORKFLOW_TYPE.bufferPage, 0.5, async (pageId) => {
        const { runId } = await system.client.workflow.getHandle(pageId).describe();
        if (what === 'terminate') {
          await system.client.workflow.getHandle(pageId, runId).terminate('terminated by the attack');
          return pageId;
        }
        const records = await recordsInPage(system.client, pageId);
        deletions.note(records);
        await askToDelete(system.client, pageId, runId);
        return `${pageId} with ${records.length} records`;
      });
    } finally {
      await operate(system, 'resume');
    }
  });
}

const LISTS = 8;
/** Together more than a batcher carries. */
function bulkyList(mark: string): string[] {
  return Array.from({ length: 10 }, (_, i) => `${mark} ${i} `.padEnd(3000, '.'));
}

/** By whichever API answers. */
export async function operate(system: AttackedSystem, what: 'pause' | 'resume'): Promise<void> {
  let attempt = 0;
  await comes(
    async () => {
      const api = APIS[attempt++ % APIS.length] ?? APIS[0];
      return (await fetch(`${system.urlOf(api)}/v1/${what}`, { method: 'POST' })).ok;
    },
    SECOND,
    MINUTE,
  );
}

async function toOne(
  system: AttackedSystem,
  type: string,
  which: number,
  work: (id: string) => Promise<string | undefined>,
  more?: string,
): Promise<Carried> {
  let note: string | undefined;
  await comes(async () => {
    const id = pick(await idsOf(system, type, more), which);
    if (id !== undefined) note = await work(id);
    return note;
  }, 200);
  return { note: note ?? NOTHING_THERE };
}

/** Each a list of arguments. */
const MALFORMED: readonly unknown[][] = [
  [],
  [null],
  ['drain'],
  [{ by: 7 }],
  [[{ requestId: '', values: 1 }]],
  [[[]], 7, { by: {} }],
];
const SIGNALS = [addRecordsSignal, configureSignal, drainSignal, childProgressSignal, storeNoticeSignal];
const UPDATES = [takeUpdate, readUpdate, layoutUpdate, limitsUpdate];
const MESSAGE_LIMIT_MS = 2 * SECOND;

export async function sendMalformed({ system }: FaultContext): Promise<Carried> {
  const batchers = await idsOf(system, WORKFLOW_TYPE.batcher);
  const signals = await sendSignals(system, batchers);
  let updates = 0;
  for (const batcher of batchers)
    for (const args of MALFORMED) updates += await refused(system, batcher, args);
  return { note: `${signals} signals taken, ${updates} updates refused` };
}

/** @returns how many were taken */
async function sendSignals({ client }: AttackedSystem, batchers: readonly string[]): Promise<number> {
  let taken = 0;
  for (const batcher of batchers)
    for (const args of MALFORMED) {
      const handle = client.workflow.getHandle(batcher);
      const sent = await client.withDeadline(Date.now() + MESSAGE_LIMIT_MS, () =>
        Promise.allSettled(SIGNALS.map(({ name }) => handle.signal(name, ...args))),
      );
      taken += sent.filter(({ status }) => status === 'fulfilled').length;
    }
  return taken;
}

/** @returns how many updates with these arguments were refused; without a worker none has an answer */
async function refused(
  { client }: AttackedSystem,
  batcher: string,
  args: readonly unknown[],
): Promise<number> {
  const handle = client.workflow.getHandle(batcher);
  const [first, ...rest] = args;
  const answers = await client.withDeadline(Date.now() + MESSAGE_LIMIT_MS, () =>
    Promise.allSettled(
      UPDATES.map(({ name }) =>
        args.length === 0
          ? handle.executeUpdate(name)
          : handle.executeUpdate<unknown, [unknown, ...unknown[]]>(name, { args: [first, ...rest] }),
      ),
    ),
  );
  return answers.filter(
    (answer) => answer.status === 'rejected' && answer.reason instanceof WorkflowUpdateFailedError,
  ).length;
}
