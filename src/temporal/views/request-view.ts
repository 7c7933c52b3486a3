import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { isBatcherOf, isKnowableRequestId, isRequestId } from '../../contracts/workflow/ids';
import type { RecordView, RequestView } from '../../contracts/api/answers/requests';
import { RECORD_STATE, type BatchState } from '../../contracts/api/states';
import type { Wait } from '../../contracts/workflow/waits';
import { KeepapartError } from '../../domain/errors';
import { childOfBatch } from '../../domain/records/batch';
import { UNKNOWN_SIZE } from '../../domain/buffer/buffer';
import { SECOND } from '../../domain/duration';
import { indexOf, recordIdOf, requestIdOf } from '../../domain/records/record';
import { isRedriveId, redriveOf } from '../../domain/redrive';
import { scopedId } from '../../domain/scope';
import { mapAtOnce } from '../server/at-once';
import { batchesIn, type BatchFacts } from '../children/batch-facts';
import { batchesOfRequest } from '../children/batch-queries';
import type { BatchReader, DescribedBatch } from '../children/batch-reader';
import type { Shards } from '../shard/shards';
import { bufferedInPages, type PageReader } from './page-reader';
import { callTemporal } from '../server/calls';
import { withRecord } from './holding-record';
import { waitView } from './wait-view';
import { saveOf, storeWaitOf, troubleOf } from './work-view';

/** Visibility lags slightly: a batch that has just closed may be in neither the batcher nor the listing. */
const VISIBILITY_LAG_MS = 3 * SECOND;
const LOOK_AGAIN_MS = 100;
/** Maximum records of a request that is reported record by record: as many as one list may have. */
const MAX_TOLD_RECORDS = 10_000;
/** For how many waits of a request the conflicting record in a batch is looked up. */
const MAX_NAMED_HOLDERS = 20;
/** How many batches are read at once. */
const READS_AT_ONCE = 16;

/**
 * Where the records of a request are, from three sources in this order: the batcher (buffered, in flight), the listing of
 * batches of the request, and the results of those batches. Undefined if no source knows the request.
 * @param client the API key that may have sent it, if the id is an idempotency key
 * @throws `temporal-unavailable` (retried by the client) if some of its records can't be found in time;
 *   `request-too-long` if it has more than 10,000
 */
export async function readRequest(
  places: Places,
  id: string,
  client?: string,
): Promise<RequestView | undefined> {
  if (!isKnowableRequestId(id)) return undefined;
  const ids = client !== undefined && isRequestId(id) && !isRedriveId(id) ? [scopedId(client, id), id] : [id];
  const deadline = Date.now() + VISIBILITY_LAG_MS;
  for (;;) {
    const [found, requestId] = await lookForAny(places, ids);
    if (found.size !== null && found.records.size === found.size) return viewOf(requestId, found.records);
    if (Date.now() >= deadline) {
      if (found.size === null) return undefined;
      throw new KeepapartError(
        'temporal-unavailable',
        `${found.size - found.records.size} of ${found.size} records of request ${requestId} are not listed yet`,
        { retryAfterMs: SECOND },
      );
    }
    await sleep(LOOK_AGAIN_MS);
  }
}

/** What is found of the first of these requests that any source knows. */
async function lookForAny(places: Places, ids: readonly string[]): Promise<[Found, requestId: string]> {
  const all = await Promise.all(
    ids.map(async (id): Promise<[Found, string]> => [await look(places, id), id]),
  );
  return all.find(([{ size }]) => size !== null) ?? (all[0] as [Found, string]);
}

/** The sources that {@link readRequest} reads. */
export interface Places {
  client: Client;
  shards: Shards;
  batches: BatchReader;
  pages: PageReader;
}

interface Found {
  /** Size of the request, once any source has reported it. */
  size: number | null;
  records: Map<number, RecordView>;
}

async function look({ client, shards, batches, pages }: Places, requestId: string): Promise<Found> {
  // The batcher first: a record that leaves the buffer afterwards is found twice rather than not at all.
  const trace = await shards.trace(requestId, true);
  const paged = await bufferedInPages(pages, trace.pageIds, requestId);
  const listed = await listBatches(client, shards.address.batcherId, requestId);
  // A child that closed early runs again under its id, and the listing has both runs or only the first.
  for (const childId of new Set([...[...listed.keys()].map(childOfBatch), ...trace.inFlightChildIds])) {
    const known = [...listed.values()].filter(({ summary }) => childOfBatch(summary.batchId) === childId);
    if (known.length > 0 && known.every(({ summary }) => summary.state !== 'failed')) continue;
    for (const facts of await batches.factsIn(childId)) {
      if (facts.requestSizes.has(requestId)) keepTelling(listed, facts);
    }
  }

  const records = new Map<number, RecordView>();
  const buffered = (index: number, wait: Wait | undefined): RecordView => ({
    recordId: recordIdOf(requestId, index),
    state: RECORD_STATE.buffered,
    ...(wait !== undefined && { waitsFor: waitView(wait) }),
  });
  const { distinct: waits = [], of = [], inPages } = trace.waits ?? {};
  const named = await mapAtOnce(waits.slice(0, MAX_NAMED_HOLDERS), READS_AT_ONCE, (wait) =>
    withRecord(batches, wait),
  );
  const distinct = [...named, ...waits.slice(MAX_NAMED_HOLDERS)];
  for (const [place, index] of trace.bufferedIndexes.entries())
    records.set(index, buffered(index, distinct[of[place] ?? -1]));
  for (const index of paged.indexes) records.set(index, buffered(index, inPages));
  const all = [...listed.values()];
  const told = trace.size ?? paged.size ?? all[0]?.requestSizes.get(requestId) ?? null;
  const size = told === UNKNOWN_SIZE ? await lengthOfStream(shards, requestId) : told;
  // Every batch holds at least one of its records.
  const atLeast = Math.max(size ?? 0, all.length + records.size);
  if (atLeast > MAX_TOLD_RECORDS) throw tooLong(requestId, atLeast);
  const describe = describingOnce(batches);
  const views = await mapAtOnce(all, READS_AT_ONCE, (facts) =>
    recordsIn(batches, describe, facts, requestId),
  );
  for (const view of views.flat()) records.set(indexOf(view.recordId), view);
  return { size: told === UNKNOWN_SIZE ? (size ?? records.size) : size, records };
}

/** How many records of a stream were accepted; null if no batcher remembers. */
async function lengthOfStream(shards: Shards, requestId: string): Promise<number | null> {
  const all = await Promise.all((await shards.all()).map((shard) => shard.streamProgress(requestId)));
  return all.find((progress) => progress !== null)?.taken ?? null;
}

function tooLong(requestId: string, records: number): KeepapartError {
  return new KeepapartError(
    'request-too-long',
    `Request ${requestId} has at least ${records} records, and at most ${MAX_TOLD_RECORDS} are listed one by one: ` +
      `list its batches with GET /v1/batches?requestId=${requestId}`,
  );
}

/** Keeps, of two runs of a batch, the one with outcomes, else the later one. */
function keepTelling(listed: Map<string, BatchFacts>, facts: BatchFacts): void {
  const { batchId, state, startedAt } = facts.summary;
  const known = listed.get(batchId)?.summary;
  if (known !== undefined) {
    if (known.state === 'completed' && state !== 'completed') return;
    if (known.state === state && known.startedAt >= startedAt) return;
  }
  listed.set(batchId, facts);
}

/** Describes a workflow once, even if several of its batches are read. */
function describingOnce(batches: BatchReader) {
  const described = new Map<string, Promise<DescribedBatch[]>>();
  return async (batchId: string): Promise<DescribedBatch | undefined> => {
    const childId = childOfBatch(batchId);
    const asked = described.get(childId) ?? batches.factsIn(childId);
    described.set(childId, asked);
    return (await asked).find(({ summary }) => summary.batchId === batchId);
  };
}

/** By batchId; for a settled batch, the run with the outcomes. */
async function listBatches(
  client: Client,
  batcherId: string,
  requestId: string,
): Promise<Map<string, BatchFacts>> {
  const listed = new Map<string, BatchFacts>();
  await callTemporal(client, `could not list the batches of request ${requestId}`, async () => {
    for await (const info of client.workflow.list({
      query: batchesOfRequest(client, requestId),
      pageSize: 500,
    })) {
      for (const facts of batchesIn(info)) {
        // Another installation in this namespace may have accepted a request under the same key.
        if (facts.requestSizes.has(requestId) && isBatcherOf(batcherId, facts.summary.batcher))
          keepTelling(listed, facts);
      }
      if (listed.size > MAX_TOLD_RECORDS) throw tooLong(requestId, listed.size);
    }
  });
  return listed;
}

/** The error of a record whose batch didn't complete. */
const CLOSED_EARLY: Partial<Record<BatchState, string>> = {
  failed: 'the workflow of this batch closed before it wrote its outcomes',
};

/** The records of one request in one batch. */
async function recordsIn(
  batches: BatchReader,
  describe: ReturnType<typeof describingOnce>,
  facts: BatchFacts,
  requestId: string,
): Promise<RecordView[]> {
  const { batchId, state } = facts.summary;
  if (state === 'completed') {
    const { outcomes } = await batches.result(facts.summary);
    return outcomes
      .filter(({ recordId }) => requestIdOf(recordId) === requestId)
      .map(({ recordId, outcome, attempts, error }) => ({
        recordId,
        state: outcome,
        batchId,
        attempts,
        ...(error !== undefined && { error }),
      }));
  }
  const { batch } = await batches.input(facts.summary);
  const pending = (state === 'running' ? await describe(batchId) : undefined)?.pending ?? [];
  return batch.records
    .filter(({ recordId }) => requestIdOf(recordId) === requestId)
    .map(({ recordId }) => {
      const save = saveOf(pending, recordId);
      const error = save === undefined ? (CLOSED_EARLY[state] ?? troubleOf(pending)) : save.error;
      const waitsFor = storeWaitOf(pending, recordId);
      return {
        recordId,
        state: RECORD_STATE.inBatch,
        batchId,
        ...(save !== undefined && { attempts: save.attempt }),
        ...(error !== undefined && { error }),
        ...(waitsFor !== undefined && { waitsFor: waitView(waitsFor) }),
      };
    });
}

function viewOf(requestId: string, found: ReadonlyMap<number, RecordView>): RequestView {
  const records = [...found.entries()].sort(([a], [b]) => a - b).map(([, view]) => view);
  const counts = { buffered: 0, in_batch: 0, saved: 0, rolled_back: 0 };
  for (const { state } of records) counts[state]++;
  const original = redriveOf(requestId);
  return { requestId, ...(original !== null && { redriveOf: original }), counts, records };
}
