import type { Client } from '@temporalio/client';
import type { LeftBefore, LeftByBatcher } from '../../contracts/workflow/activities';
import type { BatcherInput } from '../../contracts/workflow/batcher';
import { SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';
import { childSeqOf } from '../../domain/records/batch';
import { packMemory, unpackMemory } from '../../domain/windows/batcher-memory';
import { forgetKey } from '../../domain/windows/key-window';
import { HOLDS_BATCHES, literal } from '../children/batch-queries';
import { callTemporal, ifKnown } from '../server/calls';
import { eventsOf, readStart, valueAt } from '../server/history';
import { keyRefOf } from '../shard/digests';
import { FIND_LEFT, heldByRun } from './held-by-run';
import { baseOfReset } from './started-before';

/** More children than one run of a batcher starts: so many it may have started of which nothing is known any more. */
const UNKNOWN_CHILDREN = 10_000;

/**
 * What the batcher before this run knew when somebody terminated it, or the server ended it. Runs that handed over to this
 * one are passed over. Left out are lists of which everything is out of reach: when a client repeats one of these, it is
 * taken again, before anybody calls `keepapart rescue`.
 *
 * A run that begins with a reset is given what the run that was reset found: what came before may be gone by now.
 */
export async function leftBefore(
  client: Client,
  batcher: string,
  runId: string,
): Promise<LeftBefore | undefined> {
  const base = await baseOfReset(client, batcher, runId);
  const found = base === undefined ? undefined : await ifKnown(foundBy(client, batcher, base));
  if (found !== undefined) return found.before;
  const before = await runBefore(client, batcher, runId);
  if (before === undefined) return undefined;
  return (await ifKnown(knownAtEnd(client, batcher, before))) ?? knownWithoutRun(client, batcher);
}

/** What a run was told of the batcher before it; undefined when it wasn't told yet. */
async function foundBy(client: Client, batcher: string, runId: string): Promise<LeftByBatcher | undefined> {
  const asked = new Set<string>();
  for await (const event of eventsOf(client, batcher, runId)) {
    if (event.activityTaskScheduledEventAttributes?.activityType?.name === FIND_LEFT)
      asked.add(String(event.eventId));
    const completed = event.activityTaskCompletedEventAttributes;
    if (completed != null && asked.has(String(completed.scheduledEventId)))
      return (await valueAt(client, completed.result)) as LeftByBatcher;
  }
  return undefined;
}

/** The newest run of the batcher that is known and began before this one and the runs that handed over to it. */
async function runBefore(client: Client, batcher: string, runId: string): Promise<string | undefined> {
  const query = `WorkflowId = ${literal(batcher)}`;
  const { firstExecutionRunId } = await readStart(client, batcher, runId);
  const first = await callTemporal(client, `could not ask for the first run of ${batcher}`, () =>
    client.workflow.getHandle(batcher, firstExecutionRunId ?? runId).describe(),
  );
  const begunAtMs = first.startTime.getTime();
  // A listing may lag: it knows a run that has just ended, but not yet that, nor runs that came of it since.
  return callTemporal(client, `could not list the runs of ${batcher}`, async () => {
    let found: { runId: string; startedAtMs: number } | undefined;
    for await (const run of client.workflow.list({ query, pageSize: 100 })) {
      const startedAtMs = run.startTime.getTime();
      if (startedAtMs < begunAtMs && startedAtMs > (found?.startedAtMs ?? 0))
        found = { runId: run.runId, startedAtMs };
    }
    return found?.runId;
  });
}

/**
 * What the last run that a run handed over to knew when it ended. Where that was deleted, what it was given when it began.
 */
async function knownAtEnd(client: Client, batcher: string, runId: string): Promise<LeftBefore> {
  for await (const event of eventsOf(client, batcher, runId)) {
    const next = event.workflowExecutionContinuedAsNewEventAttributes;
    if (next?.newExecutionRunId == null) continue;
    const known = await ifKnown(knownAtEnd(client, batcher, next.newExecutionRunId));
    if (known !== undefined) return known;
    const { carried } = (await valueAt(client, next.input)) as BatcherInput;
    const nextChildSeq = (carried?.nextChildSeq ?? 1) + UNKNOWN_CHILDREN;
    return { memory: packMemory(unpackMemory(carried)), nextChildSeq };
  }
  return knownByRun(client, batcher, runId);
}

async function knownByRun(client: Client, batcher: string, runId: string): Promise<LeftBefore> {
  const { records, sizes, memory, nextChildSeq } = await heldByRun(client, batcher, runId);
  const held = new Map<string, number>();
  for (const { requestId } of records) held.set(requestId, (held.get(requestId) ?? 0) + 1);
  for (const [requestId, count] of held) {
    const ref = keyRefOf(requestId);
    if (count === sizes.get(requestId) && !memory.streams.has(ref.key)) forgetKey(memory.keys, ref);
  }
  return { memory: packMemory(memory), nextChildSeq };
}

/** Where nothing is known of the run itself: numbers above those of the children that are listed. */
async function knownWithoutRun(client: Client, batcher: string): Promise<LeftBefore> {
  const query = `${HOLDS_BATCHES} AND ${SEARCH_ATTRIBUTES.batcher.name} = ${literal(batcher)}`;
  const highest = await callTemporal(client, `could not list the batches of ${batcher}`, async () => {
    let found = 0;
    let seen = 0;
    // The open ones come first, and then those that closed last.
    for await (const { workflowId } of client.workflow.list({ query, pageSize: 500 })) {
      found = Math.max(found, childSeqOf(workflowId));
      if (++seen === 500) break;
    }
    return found;
  });
  return { memory: packMemory(unpackMemory(undefined)), nextChildSeq: highest + UNKNOWN_CHILDREN };
}
