import {
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import {
  CHILD_CLOSING,
  completedWith,
  type ChildClosing,
  type ChildClosingStatus,
  type HeldByChild,
  type LeftBefore,
  type ResetRef,
  type StartedBefore,
} from '../../contracts/workflow/activities';
import type { ChildWorkflow } from '../../contracts/workflow/child';
import { SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';
import { storeNoticeSignal, type StoreNotice } from '../../contracts/workflow/store-notice';
import type { PackedBuffer } from '../../domain/buffer/buffer';
import { HOLDS_BATCHES, literal } from '../children/batch-queries';
import { readChild } from '../children/held-by-child';
import { restartChild } from '../children/restart-child';
import { leftBefore } from '../rescue/left-before';
import { startedBefore } from '../rescue/started-before';
import { mapAtOnce } from '../server/at-once';
import { callTemporal } from '../server/calls';
import { describeIfKnown } from '../server/describe';
import { inputIfKnown } from '../server/history';

const LOOKS_AT_ONCE = 8;

/** What activities need from the server; their interface for it is in `activities/`. */
export function createWorkflowAccess(client: Client) {
  return {
    waitForChild: (childId: string, signal: AbortSignal): Promise<ChildClosing> =>
      waitForChild(client, childId, signal),
    restartChild: (childId: string): Promise<boolean> => restartChild(client, childId),
    unfinishedChildren: (batcher: string): Promise<string[]> => unfinishedChildren(client, batcher),
    leftBefore: (batcher: string, runId: string): Promise<LeftBefore | undefined> =>
      leftBefore(client, batcher, runId),
    startedBefore: (reset: ResetRef): Promise<StartedBefore> => startedBefore(client, reset),
    readChild: (childId: string): Promise<HeldByChild> => readChild(client, childId),
    readPage: (pageId: string): Promise<PackedBuffer | null> => readPage(client, pageId),
    notifyOfStore: (batcherId: string, notice: StoreNotice): Promise<void> =>
      client.workflow.getHandle(batcherId).signal(storeNoticeSignal, notice),
  };
}

async function readPage(client: Client, pageId: string): Promise<PackedBuffer | null> {
  const content = (await inputIfKnown(client, pageId)) as PackedBuffer | undefined;
  return content ?? null;
}

/**
 * The children of a batcher that have not completed: running ones, and those that closed in any other way and were not
 * settled. A listing may lag by some seconds, so each is described.
 */
async function unfinishedChildren(client: Client, batcher: string): Promise<string[]> {
  const query = `${HOLDS_BATCHES} AND ${SEARCH_ATTRIBUTES.batcher.name} = ${literal(batcher)} AND ExecutionStatus != 'Completed'`;
  const listed = new Set<string>();
  await callTemporal(client, `could not list the batches of ${batcher}`, async () => {
    for await (const { workflowId } of client.workflow.list({ query, pageSize: 500 })) listed.add(workflowId);
  });
  const children = await mapAtOnce([...listed], LOOKS_AT_ONCE, (childId) => describeIfKnown(client, childId));
  return [...listed]
    .filter((_, i) => children[i] !== undefined && children[i].status.name !== 'COMPLETED')
    .sort();
}

/**
 * Long-polls until a child closes, and returns how. Rejects if the signal is aborted, or if Temporal can't be reached.
 */
async function waitForChild(client: Client, childId: string, signal: AbortSignal): Promise<ChildClosing> {
  try {
    const handle = client.workflow.getHandle<ChildWorkflow>(childId);
    return completedWith(await client.withAbortSignal(signal, () => handle.result()));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const status = closingStatusOf(error);
    if (status === undefined) throw error;
    return { status, batches: 0, saved: 0, rolledBack: 0, retries: 0 };
  }
}

function closingStatusOf(error: unknown): ChildClosingStatus | undefined {
  if (error instanceof WorkflowNotFoundError) return CHILD_CLOSING.notFound;
  if (!(error instanceof WorkflowFailedError)) return undefined;
  if (error.cause instanceof TerminatedFailure) return CHILD_CLOSING.terminated;
  if (error.cause instanceof CancelledFailure) return CHILD_CLOSING.canceled;
  if (error.cause instanceof TimeoutFailure) return CHILD_CLOSING.timedOut;
  return CHILD_CLOSING.failed;
}
