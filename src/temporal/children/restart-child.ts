import { WorkflowIdReusePolicy, type Client } from '@temporalio/client';
import { TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { ChildInput, ChildMemo, ChildWorkflow } from '../../contracts/workflow/child';
import { SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';
import { inputOf, lastEventOf, readStart, type HistoryEvent } from '../server/history';
import { callTemporal } from '../server/calls';
import { describeIfKnown } from '../server/describe';

/**
 * Starts a child that closed without completing again under its own id, to settle its batches: its slot, the names of its
 * files and every answer about it stay the same.
 * @returns false if the server no longer knows the child; true if it was restarted, by this call or another, or has
 *   completed
 */
export async function restartChild(client: Client, childId: string): Promise<boolean> {
  const closed = await describeIfKnown(client, childId);
  if (closed === undefined) return false;
  if (closed.status.name === 'RUNNING' || closed.status.name === 'COMPLETED') return true;
  const input = inputOf(await readStart(client, childId, closed.runId), childId) as ChildInput;
  const reason = await whyClosed(client, childId, closed.runId);
  const { batcher, flushReason, requestIds } = SEARCH_ATTRIBUTES;
  const known = closed.typedSearchAttributes;
  try {
    await callTemporal(client, `could not restart ${childId}`, () =>
      client.workflow.start<ChildWorkflow>(closed.type, {
        workflowId: childId,
        taskQueue: closed.taskQueue,
        args: [{ ...input, settle: input.settle ?? { reason } }],
        ...(closed.memo !== undefined && { memo: memoOfNextRun(closed.memo) }),
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        staticSummary: `Settles ${input.batches.length} batches: ${reason}`.slice(0, MAX_SUMMARY_LENGTH),
        typedSearchAttributes: new TypedSearchAttributes([
          { key: batcher, value: known.get(batcher) ?? '' },
          { key: flushReason, value: known.get(flushReason) ?? '' },
          { key: requestIds, value: known.get(requestIds) ?? [] },
        ]),
      }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  return true;
}

/** The next run finds out itself which batches have their files. */
function memoOfNextRun(memo: Record<string, unknown>): Record<string, unknown> {
  const ofEarlierRun: keyof ChildMemo = 'closed';
  return Object.fromEntries(Object.entries(memo).filter(([key]) => key !== ofEarlierRun));
}

/** Temporal takes 400 bytes. */
const MAX_SUMMARY_LENGTH = 200;
/** Length of a termination reason or failure message, which is repeated in every outcome. */
const MAX_REASON_LENGTH = 300;

/** The reason from the last event: who terminated it and why, or how it failed. */
async function whyClosed(client: Client, childId: string, runId: string): Promise<string> {
  const last = await lastEventOf(client, childId, runId);
  const { reason } = last?.workflowExecutionTerminatedEventAttributes ?? {};
  const { failure } = last?.workflowExecutionFailedEventAttributes ?? {};
  const reported = reason || failure?.message || '';
  return `its batch was ${closingOf(last)}${reported === '' ? '' : `: ${reported.slice(0, MAX_REASON_LENGTH)}`}`;
}

function closingOf(last: HistoryEvent | undefined): string {
  if (last?.workflowExecutionTerminatedEventAttributes) return 'terminated by an operator';
  if (last?.workflowExecutionFailedEventAttributes) return 'failed by its workflow';
  if (last?.workflowExecutionTimedOutEventAttributes) return 'ended by a time-out';
  if (last?.workflowExecutionCanceledEventAttributes) return 'cancelled';
  return 'ended early';
}
