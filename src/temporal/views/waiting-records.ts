import { childOfBatch } from '../../domain/records/batch';
import { isKeepapartError } from '../../domain/errors';
import { groupBy } from '../../domain/group-by';
import { recordIdOf, requestIdOf } from '../../domain/records/record';
import type { BatchReader } from '../children/batch-reader';
import { mapAtOnce } from '../server/at-once';
import { ifKnown } from '../server/calls';
import type { Places } from './request-view';
import { bufferedInPages } from './page-reader';

const ASKED_AT_ONCE = 16;

/** Where the records without an outcome are. */
export interface Waiting {
  /** Records that are buffered or in flight. */
  recordIds: Set<string>;
  /** Batchers that did not answer, so what they hold is unknown. */
  silentBatchers: string[];
}

/**
 * Which of these records are still buffered or in flight, according to their batchers. Needs a worker. A batcher that
 * holds nothing is asked only once, not for every request.
 * @param unfinished batches that may be running although no batcher knows them; failed ones hold nothing
 */
export async function findWaiting(
  { shards, batches, pages }: Pick<Places, 'shards' | 'batches' | 'pages'>,
  recordIds: Iterable<string>,
  unfinished: Iterable<string>,
): Promise<Waiting> {
  const byRequest = groupBy(recordIds, requestIdOf);
  const waiting: Waiting = { recordIds: new Set(), silentBatchers: [] };
  const requestsOf = new Map<string, string[]>([...unfinished].map((batchId) => [childOfBatch(batchId), []]));
  for (const shard of await shards.all()) {
    const trace = async (requestId: string): Promise<void> => {
      const { bufferedIndexes, pageIds, inFlightChildIds } = await shard.trace(requestId);
      // A page can still be read after the batcher has taken it in.
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
    // A batch that is being started holds some of these records; only its child can say which.
    const inBatch = await ifKnown(recordsOf(batches, childId));
    const held = inBatch ?? requestIds.flatMap((requestId) => byRequest.get(requestId) ?? []);
    for (const recordId of held) waiting.recordIds.add(recordId);
  }
  return waiting;
}

/** The records of a child, in any run; undefined if Temporal doesn't know it. */
async function recordsOf(batches: BatchReader, childId: string): Promise<string[] | undefined> {
  const all = await batches.factsIn(childId);
  if (all.length === 0) return undefined;
  const recordIds: string[] = [];
  for (const { summary } of all) {
    if (summary.state === 'failed') continue;
    const { batch } = await batches.input(summary);
    for (const { recordId } of batch.records) recordIds.push(recordId);
  }
  return recordIds;
}
