import type { Client } from '@temporalio/client';
import { WORKFLOW_TYPE } from '../contracts/ids';
import type { BatchFilter, BatchPage, BatchState, BatchView } from '../contracts/views';
import { listBatchesWhere } from './batch-pages';
import { holdingAnyOf, literal } from './batch-queries';
import type { BatchReader } from './batch-reader';
import { cutViewOf } from './cut-view';
import type { BatcherAddress } from './ingest';

/** A batch in a workflow of several may have its file while that isn't completed, whatever becomes of it. */
export const MAY_BE_COMPLETED = `(ExecutionStatus = 'Completed' OR WorkflowType = ${literal(WORKFLOW_TYPE.batchGroup)})`;

const CONDITION_OF_STATE: Record<BatchState, string> = {
  running: `ExecutionStatus = 'Running'`,
  completed: MAY_BE_COMPLETED,
  failed: `ExecutionStatus IN ('Failed', 'Canceled', 'Terminated', 'TimedOut', 'ContinuedAsNew')`,
};

/** One page of this deployment's batches, newest first, as Temporal's visibility lists them. */
export async function listBatchPage(
  client: Client,
  address: BatcherAddress,
  { state, requestId, limit, cursor }: BatchFilter,
): Promise<BatchPage> {
  const conditions = [
    ...(state === undefined ? [] : [CONDITION_OF_STATE[state]]),
    ...(requestId === undefined ? [] : [holdingAnyOf([requestId])]),
  ];
  return listBatchesWhere(client, address, conditions, {
    limit,
    ...(cursor !== undefined && { cursor }),
    // A workflow of several batches is listed for any of them, and a batch of many requests for any of these.
    keep: (batch) =>
      (state === undefined || batch.state === state) &&
      (requestId === undefined || batch.requestIds.includes(requestId)),
  });
}

/** One batch with its records; outcomes are null until it completed, attempts and error are those so far. */
export async function readBatch(reader: BatchReader, batchId: string): Promise<BatchView | undefined> {
  const facts = await reader.facts(batchId);
  if (facts === undefined) return undefined;
  const { summary } = facts;
  const input = await reader.input(summary);
  const result = summary.state === 'completed' ? await reader.result(summary) : undefined;
  return {
    ...summary,
    file: result?.location ?? null,
    cut: cutViewOf(input),
    records: input.batch.records.map(({ recordId, value }, position) => {
      const ended = result?.outcomes[position];
      const pending = facts.pending(recordId);
      return {
        recordId,
        value,
        outcome: ended?.outcome ?? null,
        attempts: ended?.attempts ?? pending?.attempt ?? null,
        error: ended?.error ?? pending?.error ?? null,
      };
    }),
  };
}
