import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { batcherWorkflowId, shardOf } from '../contracts/ids';
import { workflowIdOf } from '../domain/batch';
import { isKeepapartError } from '../domain/errors';
import { recordIdOf, requestIdOf } from '../domain/record';
import { mapAtOnce } from './at-once';
import type { BatchReader } from './batch-reader';
import type { BatcherAddress } from './ingest';
import { bufferedInPages, createPageReader } from './page-reader';
import { traceRequest } from './request-view';
import { readShard } from './status-view';

const ASKED_AT_ONCE = 16;

/** Where records are that have no outcome yet. */
export interface Waiting {
  /** Records that are buffered or in flight. */
  recordIds: Set<string>;
  /** Batchers that did not answer: what they hold isn't known. */
  silentBatchers: string[];
}

/**
 * Which of these records are still buffered or in flight, as their batchers tell; queries need a worker. A batcher that
 * holds nothing is asked once, not for every request. Only the shard that a request belongs to now is asked.
 * @param unfinished batches that may run without a batcher that tells of them; those that have failed hold nothing
 */
export async function findWaiting(
  client: Client,
  address: BatcherAddress,
  batches: BatchReader,
  recordIds: Iterable<string>,
  unfinished: Iterable<string>,
): Promise<Waiting> {
  const byRequest = new Map<string, string[]>();
  for (const recordId of recordIds) {
    const requestId = requestIdOf(recordId);
    const known = byRequest.get(requestId);
    if (known === undefined) byRequest.set(requestId, [recordId]);
    else known.push(recordId);
  }
  const pages = createPageReader(client);
  const waiting: Waiting = { recordIds: new Set(), silentBatchers: [] };
  const requestsOf = new Map<string, string[]>([...unfinished].map((batchId) => [workflowIdOf(batchId), []]));
  const trace = async (requestId: string): Promise<void> => {
    const { bufferedIndexes, pageIds, inFlightBatchIds } = await traceRequest(client, address, requestId);
    // A page can still be read when the batcher has taken it in meanwhile.
    const paged = await bufferedInPages(pages, pageIds, requestId);
    for (const index of [...bufferedIndexes, ...paged.indexes])
      waiting.recordIds.add(recordIdOf(requestId, index));
    for (const workflowId of inFlightBatchIds) {
      requestsOf.set(workflowId, [...(requestsOf.get(workflowId) ?? []), requestId]);
    }
  };
  for (let shard = 0; shard < address.shards; shard++) {
    const requestIds = [...byRequest.keys()].filter((id) => shardOf(id, address.shards) === shard);
    if (requestIds.length === 0) continue;
    const workflowId = batcherWorkflowId(address.batcherId, shard);
    try {
      const { bufferedRecords, inFlight } = await readShard(client, address, shard);
      if (bufferedRecords + inFlight === 0) continue;
      await mapAtOnce(requestIds, ASKED_AT_ONCE, trace);
    } catch (error) {
      if (!isKeepapartError(error) || error.code !== 'temporal-unavailable') throw error;
      waiting.silentBatchers.push(workflowId);
    }
  }
  for (const [workflowId, requestIds] of requestsOf) {
    // A batch that is just being started holds some of these records: which, only its workflow will tell.
    const inBatch = await recordsOf(batches, workflowId);
    const held = inBatch ?? requestIds.flatMap((requestId) => byRequest.get(requestId) ?? []);
    for (const recordId of held) waiting.recordIds.add(recordId);
  }
  return waiting;
}

/** The records of batches that share a workflow, whichever run it is in; undefined when Temporal doesn't know it. */
async function recordsOf(batches: BatchReader, workflowId: string): Promise<string[] | undefined> {
  try {
    const all = await batches.factsIn(workflowId);
    if (all.length === 0) return undefined;
    const recordIds: string[] = [];
    for (const { summary } of all) {
      if (summary.state === 'failed') continue;
      const { batch } = await batches.input(summary);
      for (const { recordId } of batch.records) recordIds.push(recordId);
    }
    return recordIds;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
