import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import {
  completedWith,
  type ChildClosing,
  type ResetRef,
  type StartedBefore,
  type StartedChild,
} from '../../contracts/workflow/activities';
import { DELETED_BY_OPERATOR, type ChildInput, type ChildResult } from '../../contracts/workflow/child';
import { WORKFLOW_TYPE } from '../../contracts/workflow/ids';
import { SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';
import { KIB } from '../../domain/duration';
import { jsonBytes } from '../../domain/json';
import { portions } from '../../domain/portions';
import { childSeqOf } from '../../domain/records/batch';
import { heldIn, readChild } from '../children/held-by-child';
import { startAgain } from '../children/restart-child';
import { mapAtOnce } from '../server/at-once';
import { ifKnown } from '../server/calls';
import { describeIfKnown } from '../server/describe';
import { eventsOf, valueAt } from '../server/history';

type Start = temporal.api.history.v1.IStartChildWorkflowExecutionInitiatedEventAttributes;

/** Bounds of one answer, which becomes an event of the batcher. */
const ANSWER = { items: 200, bytes: 128 * KIB };
const LOOKS_AT_ONCE = 8;

/** A child that a run asked the server to start. */
interface AskedFor {
  childId: string;
  start: Start;
  /** What it asked to start it with. */
  input: ChildInput;
  /** Whether the run has heard that it started. */
  isStarted: boolean;
  /** How it completed, if the run has heard so. */
  closing?: ChildClosing;
}

/**
 * Returns the children that a batcher had started before it was reset: by the run that was reset, by the runs after that
 * one, and by runs that were reset to begin any of these. Returns nothing if their histories are gone.
 *
 * A child that the server no longer knows is started again under its id with the same records. If it had started before,
 * it is settled, so that its records get the outcomes in the batch's file if there is one.
 */
export async function startedBefore(
  client: Client,
  { batcher, runId, from }: ResetRef,
): Promise<StartedBefore> {
  const found = new Map<string, AskedFor>();
  const base = await baseOfReset(client, batcher, runId);
  // A set that grows while it is walked.
  const runs = new Set(base === undefined ? [] : [base]);
  for (const run of runs) await ifKnown(noteRun(client, batcher, run, found, runs));
  const asked = [...found.values()]
    .filter(({ childId }) => childSeqOf(childId) >= from)
    .sort((a, b) => childSeqOf(a.childId) - childSeqOf(b.childId));
  const [these = [], [next] = []] = portions(asked, ANSWER, ({ input }) => jsonBytes(heldIn(input) as never));
  const children = await mapAtOnce(these, LOOKS_AT_ONCE, (child) => startedChild(client, batcher, child));
  return { children, ...(next !== undefined && { next: childSeqOf(next.childId) }) };
}

/** The run that was reset to begin this one; undefined if this one didn't begin with a reset. */
export async function baseOfReset(
  client: Client,
  batcher: string,
  runId: string,
): Promise<string | undefined> {
  let base: string | undefined;
  // The history may contain earlier resets; the last one began this run.
  for await (const event of eventsOf(client, batcher, runId))
    base = event.workflowTaskFailedEventAttributes?.baseRunId || base;
  return base;
}

/** Notes the children that a run asked for, the run that it continued as, and the one that was reset to begin it. */
async function noteRun(
  client: Client,
  batcher: string,
  runId: string,
  found: Map<string, AskedFor>,
  runs: Set<string>,
): Promise<void> {
  const noteNext = (run: string | null | undefined): void => {
    if (run) runs.add(run);
  };
  for await (const event of eventsOf(client, batcher, runId)) {
    noteNext(event.workflowTaskFailedEventAttributes?.baseRunId);
    noteNext(event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId);
    const start = event.startChildWorkflowExecutionInitiatedEventAttributes;
    if (start?.workflowType?.name === WORKFLOW_TYPE.child) {
      const childId = start.workflowId ?? '';
      if (!found.has(childId)) {
        const input = (await valueAt(client, start.input)) as ChildInput;
        found.set(childId, { childId, start, input, isStarted: false });
      }
    }
    const started = found.get(
      event.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.workflowId ?? '',
    );
    if (started !== undefined) started.isStarted = true;
    const refused = event.startChildWorkflowExecutionFailedEventAttributes?.workflowId;
    if (refused != null && found.get(refused)?.isStarted === false) found.delete(refused);
    const completed = event.childWorkflowExecutionCompletedEventAttributes;
    const closed = found.get(completed?.workflowExecution?.workflowId ?? '');
    if (closed !== undefined)
      closed.closing = completedWith((await valueAt(client, completed?.result)) as ChildResult);
  }
}

async function startedChild(client: Client, batcher: string, child: AskedFor): Promise<StartedChild> {
  const { childId, input, isStarted, closing } = child;
  if (closing !== undefined) return { childId, held: heldIn(input), closing };
  if ((await describeIfKnown(client, childId)) === undefined) await startAsAskedFor(client, batcher, child);
  // Otherwise another run may have started it, with other records.
  return { childId, held: isStarted ? heldIn(input) : await readChild(client, childId) };
}

/** Starts a child again that the server doesn't know. It may still start what the run asked for last: then nothing happens. */
async function startAsAskedFor(
  client: Client,
  batcher: string,
  { childId, start, input, isStarted }: AskedFor,
): Promise<void> {
  const attributes = start.searchAttributes?.indexedFields ?? {};
  const attribute = ({ name }: { name: string }) => valueAt(client, { payloads: [attributes[name] ?? {}] });
  const memo = Object.entries(start.memo?.fields ?? {}).map(
    async ([name, payload]) => [name, await valueAt(client, { payloads: [payload] })] as const,
  );
  return startAgain(client, {
    childId,
    taskQueue: start.taskQueue?.name ?? '',
    input: { ...input, ...(isStarted && { settle: { reason: DELETED_BY_OPERATOR } }) },
    memo: Object.fromEntries(await Promise.all(memo)),
    batcher,
    flushReason: String(await attribute(SEARCH_ATTRIBUTES.flushReason)),
    requestIds: [await attribute(SEARCH_ATTRIBUTES.requestIds)].flat().map(String),
  });
}
