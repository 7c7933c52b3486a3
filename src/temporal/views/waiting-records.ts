import { WorkflowNotFoundError } from '@temporalio/client';
import { childOfBatch } from '../../domain/records/batch';
import { isKeepapartError } from '../../domain/errors';
import { recordIdOf, requestIdOf } from '../../domain/records/record';
import type { BatchReader } from '../children/batch-reader';
import { mapAtOnce } from '../server/at-once';
import type { Places } from './request-view';
import { bufferedInPages } from './page-reader';

const ASKED_AT_ONCE = 16;

/** Where records are that have no outcome yet. */
export interface Waiting {
  /** Records that are buffered or in flight. */
  recordIds: Set<string>;
  /** Batchers that did not answer: what they hold isn't known. */
  silentBatchers: string[];
}

/**
 * Which of these records are still buffered or in flight, as their batchers report; needs a worker. A batcher that holds
 * nothing is asked once, not for every request.
 * @param unfinished batches that may run without a batcher that knows of them; those that have failed hold nothing
 */
export async function findWaiting(
  { shards, batches, pages }: Pick<Places, 'shards' | 'batches' | 'pages'>,
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
  const waiting: Waiting = { recordIds: new Set(), silentBatchers: [] };
  const requestsOf = new Map<string, string[]>([...unfinished].map((batchId) => [childOfBatch(batchId), []]));
  for (const shard of await shards.all()) {
    const trace = async (requestId: string): Promise<void> => {
      const { bufferedIndexes, pageIds, inFlightChildIds } = await shard.trace(requestId);
      // A page can still be read when the batcher has taken it in meanwhile.
      const paged = await bufferedInPages(pages, pageIds, requestId);
      for (const index of [...bufferedIndexes, ...paged.indexes])
        waiting.recordIds.add(recordIdOf(requestId, index));
      for (const childId of inFlightChildIds)
        requestsOf.set(childId, [...(requestsOf.get(childId) ?? []), requestId]);
    };
    try {
      const { bufferedRecords, inFlight } = await shard.status();
      if (bufferedRecords + inFlight > 0) await mapAtOnce([...byRequest.keys()], ASKED_AT_ONCE, trace);
    } catch (error) {
      if (!isKeepapartError(error) || error.code !== 'temporal-unavailable') throw error;
      waiting.silentBatchers.push(shard.batcher);
    }
  }
  for (const [childId, requestIds] of requestsOf) {
    // A batch that is just being started holds some of these records: which, only its child will tell.
    const inBatch = await recordsOf(batches, childId);
    const held = inBatch ?? requestIds.flatMap((requestId) => byRequest.get(requestId) ?? []);
    for (const recordId of held) waiting.recordIds.add(recordId);
  }
  return waiting;
}

/** The records of a child, whichever run it is in; undefined when Temporal doesn't know it. */
async function recordsOf(batches: BatchReader, childId: string): Promise<string[] | undefined> {
  try {
    const all = await batches.factsIn(childId);
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
