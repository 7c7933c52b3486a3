import { WorkflowIdReusePolicy, type Client } from '@temporalio/client';
import { TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { ChildInput, ChildMemo, ChildWorkflow } from '../../contracts/workflow/child';
import { WORKFLOW_TYPE } from '../../contracts/workflow/ids';
import { SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';
import { MAX_SUMMARY_BYTES } from '../../contracts/workflow/run-limits';
import { cutToBytes } from '../../domain/records/outcome';
import { counted } from '../../domain/format';
import { inputOf, lastEventOf, messageOfFailure, readStart, type HistoryEvent } from '../server/history';
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
  const started = await readStart(client, childId, closed.runId);
  const input = (await inputOf(client, started, childId)) as ChildInput;
  const reason = await whyClosed(client, childId, closed.runId);
  const known = closed.typedSearchAttributes;
  await startAgain(client, {
    childId,
    taskQueue: closed.taskQueue,
    input: { ...input, settle: input.settle ?? { reason } },
    memo: closed.memo && memoOfNextRun(closed.memo),
    batcher: known.get(SEARCH_ATTRIBUTES.batcher) ?? '',
    flushReason: known.get(SEARCH_ATTRIBUTES.flushReason) ?? '',
    requestIds: known.get(SEARCH_ATTRIBUTES.requestIds) ?? [],
  });
  return true;
}

/** A child to be started outside of its batcher. */
export interface ChildToStart {
  childId: string;
  taskQueue: string;
  input: ChildInput;
  memo: Record<string, unknown> | undefined;
  batcher: string;
  flushReason: string;
  requestIds: string[];
}

/** Starts a child under its own id. Does nothing if somebody was faster, or if it has completed. */
export async function startAgain(client: Client, child: ChildToStart): Promise<void> {
  const { childId, taskQueue, input, memo } = child;
  const { batcher, flushReason, requestIds } = SEARCH_ATTRIBUTES;
  const does = input.settle === undefined ? 'Saves' : 'Settles';
  const why = input.settle === undefined ? '' : `: ${input.settle.reason}`;
  try {
    await callTemporal(client, `could not restart ${childId}`, () =>
      client.workflow.start<ChildWorkflow>(WORKFLOW_TYPE.child, {
        workflowId: childId,
        taskQueue,
        args: [input],
        ...(memo !== undefined && { memo }),
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        staticSummary: cutToBytes(
          `${does} ${counted(input.batches.length, 'batch')}${why}`,
          MAX_SUMMARY_BYTES,
        ),
        typedSearchAttributes: new TypedSearchAttributes([
          { key: batcher, value: child.batcher },
          { key: flushReason, value: child.flushReason },
          { key: requestIds, value: child.requestIds },
        ]),
      }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** The next run finds out itself which batches have their files. */
function memoOfNextRun(memo: Record<string, unknown>): Record<string, unknown> {
  const ofEarlierRun: keyof ChildMemo = 'closed';
  return Object.fromEntries(Object.entries(memo).filter(([key]) => key !== ofEarlierRun));
}

/** Length of a termination reason or failure message, which is repeated in every outcome. */
const MAX_REASON_LENGTH = 300;

/** The reason from the last event: who terminated it and why, or how it failed. */
async function whyClosed(client: Client, childId: string, runId: string): Promise<string> {
  const last = await lastEventOf(client, childId, runId);
  const { reason } = last?.workflowExecutionTerminatedEventAttributes ?? {};
  const { failure } = last?.workflowExecutionFailedEventAttributes ?? {};
  const reported = reason || (await messageOfFailure(client, failure)) || '';
  return `its batch was ${closingOf(last)}${reported === '' ? '' : `: ${reported.slice(0, MAX_REASON_LENGTH)}`}`;
}

function closingOf(last: HistoryEvent | undefined): string {
  if (last?.workflowExecutionTerminatedEventAttributes) return 'terminated by an operator';
  if (last?.workflowExecutionFailedEventAttributes) return 'failed by its workflow';
  if (last?.workflowExecutionTimedOutEventAttributes) return 'ended by a time-out';
  if (last?.workflowExecutionCanceledEventAttributes) return 'cancelled';
  return 'ended early';
}
