import type { Client } from '@temporalio/client';
import type { RequestDigest } from '../../domain/windows/key-window';
import { literal } from '../children/batch-queries';
import { callTemporal, ifKnown } from '../server/calls';
import { eventsOf, readStart } from '../server/history';
import { keyRefOf } from '../shard/digests';
import { heldByRun } from './held-by-run';

/** A reset shows in one of the first events of the run that it creates. */
const LOOKED_AT = 50;

/**
 * The keys of lists that the previous run remembered, if somebody terminated it or the server ended it. Lists of which all
 * records are out of reach are left out: if a client repeats one of these before anybody calls `keepapart rescue`, it is
 * accepted again. Runs that handed over to this one don't count as previous. None for a reset, which is sent the same
 * messages.
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

/** The last run of the batcher before this chain of runs, which may have handed over since it began. */
async function runBefore(client: Client, batcher: string, runId: string): Promise<string | undefined> {
  const query = `WorkflowId = ${literal(batcher)}`;
  const { firstExecutionRunId } = await readStart(client, batcher, runId);
  const first = await callTemporal(client, `could not ask for the first run of ${batcher}`, () =>
    client.workflow.getHandle(batcher, firstExecutionRunId ?? runId).describe(),
  );
  const begunAtMs = first.startTime.getTime();
  // A listing may lag: it may not show yet that a run has ended, nor the runs that continued it.
  const newest = await callTemporal(client, `could not list the runs of ${batcher}`, async () => {
    let found: { runId: string; startedAtMs: number } | undefined;
    for await (const run of client.workflow.list({ query, pageSize: 100 })) {
      const startedAtMs = run.startTime.getTime();
      if (startedAtMs < begunAtMs && startedAtMs > (found?.startedAtMs ?? 0))
        found = { runId: run.runId, startedAtMs };
    }
    return found?.runId;
  });
  return newest === undefined ? undefined : ifKnown(lastOf(client, batcher, newest));
}

/** Follows a run to the last one that continued it. Throws `WorkflowNotFoundError`. */
async function lastOf(client: Client, batcher: string, runId: string): Promise<string> {
  let next: string | undefined;
  for await (const event of eventsOf(client, batcher, runId))
    next = event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
  return next === undefined ? runId : lastOf(client, batcher, next);
}
