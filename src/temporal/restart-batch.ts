import { WorkflowIdReusePolicy, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { BatchGroupInput, BatchGroupMemo, BatchInput } from '../contracts/batch';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';
import { inputOf, readStart } from './first-event';
import { callTemporal } from './rpc';

/**
 * Runs a batch, or several that share a workflow, that closed without completing once more under its own id, told to
 * settle it: its slot, its file's name and every question for it stay the same.
 * @returns false when the server doesn't know the batch any more; true when it has been restarted, by whomever, or has
 *   completed
 */
export async function restartBatch(client: Client, batchId: string): Promise<boolean> {
  const closed = await describe(client, batchId);
  if (closed === undefined) return false;
  if (closed.status.name === 'RUNNING' || closed.status.name === 'COMPLETED') return true;
  const input = inputOf(await readStart(client, batchId, closed.runId), batchId) as
    BatchInput | BatchGroupInput;
  const reason = await whyClosed(client, batchId, closed.runId);
  const { batcher, flushReason, requestIds } = SEARCH_ATTRIBUTES;
  const known = closed.typedSearchAttributes;
  try {
    await callTemporal(client, `could not restart batch ${batchId}`, () =>
      client.workflow.start<(input: BatchInput | BatchGroupInput) => Promise<unknown>>(closed.type, {
        workflowId: batchId,
        taskQueue: closed.taskQueue,
        args: [{ ...input, settle: input.settle ?? { reason } }],
        ...(closed.memo !== undefined && { memo: memoOfNextRun(closed.memo) }),
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        staticSummary: `Settles ${whatIsIn(input)}: ${reason}`.slice(0, MAX_SUMMARY_LENGTH),
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

/** Which batches of a group had their file is for the next run to find out. */
function memoOfNextRun(memo: Record<string, unknown>): Record<string, unknown> {
  const ofEarlierRun: keyof BatchGroupMemo = 'closed';
  return Object.fromEntries(Object.entries(memo).filter(([key]) => key !== ofEarlierRun));
}

function whatIsIn(input: BatchInput | BatchGroupInput): string {
  return 'batch' in input ? `${input.batch.records.length} records` : `${input.batches.length} batches`;
}

/** Temporal takes 400 bytes. */
const MAX_SUMMARY_LENGTH = 200;
/** Of what somebody wrote when terminating a workflow, or of a failure; it is repeated in every outcome. */
const MAX_REASON_LENGTH = 300;

async function describe(client: Client, batchId: string) {
  try {
    return await callTemporal(client, `could not ask for batch ${batchId}`, () =>
      client.workflow.getHandle(batchId).describe(),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** From the last event: who terminated it and why, or what it failed with. */
async function whyClosed(client: Client, batchId: string, runId: string): Promise<string> {
  const { history } = await callTemporal(client, `could not read the end of batch ${batchId}`, () =>
    client.workflowService.getWorkflowExecutionHistoryReverse({
      namespace: client.options.namespace,
      execution: { workflowId: batchId, runId },
      maximumPageSize: 1,
    }),
  );
  const last = history?.events?.[0];
  const { reason } = last?.workflowExecutionTerminatedEventAttributes ?? {};
  const { failure } = last?.workflowExecutionFailedEventAttributes ?? {};
  const told = reason || failure?.message || '';
  return `its batch was ${closingOf(last)}${told === '' ? '' : `: ${told.slice(0, MAX_REASON_LENGTH)}`}`;
}

type LastEvent = Awaited<
  ReturnType<Client['workflowService']['getWorkflowExecutionHistoryReverse']>
>['history'] extends infer History | null | undefined
  ? History extends { events?: (infer Event)[] | null }
    ? Event | undefined
    : never
  : never;

function closingOf(last: LastEvent): string {
  if (last?.workflowExecutionTerminatedEventAttributes) return 'terminated by hand';
  if (last?.workflowExecutionFailedEventAttributes) return 'given up by its workflow';
  if (last?.workflowExecutionTimedOutEventAttributes) return 'ended by a time-out';
  if (last?.workflowExecutionCanceledEventAttributes) return 'cancelled';
  return 'ended early';
}
