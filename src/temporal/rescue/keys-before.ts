import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { RequestDigest } from '../../domain/windows/key-window';
import { literal } from '../children/batch-queries';
import { callTemporal } from '../server/calls';
import { readStart } from '../server/first-event';
import { keyRefOf } from '../shard/digests';
import { eventsOf, heldByRun } from './held-by-run';

/** A reset shows in one of the first events of the run that it makes. */
const LOOKED_AT = 50;

/**
 * The keys of lists that the run before this one remembered, if somebody terminated it or the server ended it. Left out
 * are lists of which everything is out of reach: when a client repeats one of these, it is taken anew, before anybody
 * calls `keepapart rescue`. Runs that handed over to this one are passed over. None for a reset, which is
 * sent the same messages.
 */
export async function keysBefore(client: Client, batcher: string, runId: string): Promise<RequestDigest[]> {
  if (await isReset(client, batcher, runId)) return [];
  const before = await runBefore(client, batcher, runId);
  if (before === undefined) return [];
  const { records, sizes, keys } = await heldByRun(client, batcher, before);
  const held = new Map<string, number>();
  for (const { requestId } of records) held.set(requestId, (held.get(requestId) ?? 0) + 1);
  const outOfReach = new Set(
    [...held].filter(([id, count]) => count === sizes.get(id)).map(([id]) => keyRefOf(id).key),
  );
  return keys.filter(({ key }) => !outOfReach.has(key));
}

async function isReset(client: Client, batcher: string, runId: string): Promise<boolean> {
  let seen = 0;
  for await (const event of eventsOf(client, batcher, runId)) {
    if (event.workflowTaskFailedEventAttributes?.baseRunId) return true;
    if (++seen === LOOKED_AT) break;
  }
  return false;
}

/** The last run of the batcher before this one, which began with a run of its own and may have handed over since. */
async function runBefore(client: Client, batcher: string, runId: string): Promise<string | undefined> {
  const query = `WorkflowId = ${literal(batcher)}`;
  const { firstExecutionRunId } = await readStart(client, batcher, runId);
  const first = await callTemporal(client, `could not ask for the first run of ${batcher}`, () =>
    client.workflow.getHandle(batcher, firstExecutionRunId ?? runId).describe(),
  );
  const begunAtMs = first.startTime.getTime();
  // A listing may lag: it knows a run that has just ended, but not yet that, nor runs that came of it since.
  const newest = await callTemporal(client, `could not list the runs of ${batcher}`, async () => {
    let found: { runId: string; startedAtMs: number } | undefined;
    for await (const run of client.workflow.list({ query, pageSize: 100 })) {
      const startedAtMs = run.startTime.getTime();
      if (startedAtMs < begunAtMs && startedAtMs > (found?.startedAtMs ?? 0))
        found = { runId: run.runId, startedAtMs };
    }
    return found?.runId;
  });
  return newest === undefined ? undefined : lastOf(client, batcher, newest);
}

/** Follows a run to the last one that it handed over to. Undefined when the server doesn't know it any more. */
async function lastOf(client: Client, batcher: string, runId: string): Promise<string | undefined> {
  try {
    let next: string | undefined;
    for await (const event of eventsOf(client, batcher, runId))
      next = event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
    return next === undefined ? runId : await lastOf(client, batcher, next);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
