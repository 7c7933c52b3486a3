import type { Client } from '@temporalio/client';
import { flushSignal, pauseSignal, resumeSignal } from '../contracts/workflow/batcher';
import type { BatcherClient } from '../contracts/batcher-client';
import { isBatcherOf } from '../contracts/workflow/ids';
import { createBatchList } from './children/batch-pages';
import { createBatchReader } from './children/batch-reader';
import { createDeadLetterReader, readDeadLetterPage } from './dead-letters/dead-letters';
import { createKnownRedrives } from './dead-letters/known-redrives';
import { redrive, type RedriveParts } from './dead-letters/redrive';
import { checkNamespace } from './server/register';
import { DeadLetterExpiry } from './dead-letters/expiry';
import { drain } from './shard/drain';
import { Readings } from './shard/readings';
import { changeLimits } from './shard/limits';
import type { Shards } from './shard/shards';
import { listBatchPage, readBatch } from './views/batch-views';
import { KnownStore } from './views/known-store';
import { createPageReader } from './views/page-reader';
import { readRequest } from './views/request-view';
import { readStatus } from './views/status-view';
import { readWaits } from './views/waits-view';

/** The {@link BatcherClient} plus what the metrics read; neither addition ever waits for long. */
interface TemporalBatcherClient extends BatcherClient {
  readings: Readings;
  expiry: DeadLetterExpiry;
}

/** The {@link BatcherClient} over Temporal. Create one per process: the shards keep counts, and this caches results. */
export function createBatcherClient(client: Client, shards: Shards): TemporalBatcherClient {
  const { batcherId, settings } = shards.address;
  const remembersKeys = settings.idempotencyWindowKeys > 0;
  const list = createBatchList(client, batcherId);
  const batches = createBatchReader(client);
  const pages = createPageReader(client);
  const isOwn = (batcher: string) => isBatcherOf(batcherId, batcher);
  const redriving: RedriveParts = {
    letters: createDeadLetterReader(list, isOwn, batches),
    known: createKnownRedrives(client, shards, pages),
    shards,
  };

  const status = () => readStatus(shards, Date.now());
  const store = new KnownStore(status);
  return {
    readings: new Readings(shards),
    expiry: new DeadLetterExpiry(client, redriving.letters, redriving.known),
    addRecords: ({ requestId, values, bytes }, { once = false } = {}) =>
      (once ? shards.keyed : shards.of(requestId)).addRecords(requestId, values, bytes),
    openStream: (requestId, { once, stillWanted }) =>
      (once && remembersKeys ? shards.keyed : shards.of(requestId)).openStream(requestId, stillWanted),
    status,
    waits: () => readWaits(shards),
    request: (requestId, sentBy) => readRequest({ client, shards, batches, pages }, requestId, sentBy),
    batches: (filter) => listBatchPage(list, filter),
    batch: (batchId) => readBatch(batches, isOwn, batchId),
    deadLetters: (filter) => readDeadLetterPage(redriving.letters, redriving.known, filter),
    redrive: (selection, by) => redrive(redriving, selection, { by, atMs: Date.now() }),
    flush: (by) => shards.control(flushSignal, by),
    pause: (by) => shards.control(pauseSignal, by),
    resume: (by) => shards.control(resumeSignal, by),
    changeLimits: (patch, by) => changeLimits(shards, patch, by),
    drain: (by, options) => drain(shards, by, options),
    async checkReady() {
      await checkNamespace(client);
      return { storeAwaySince: store.awaySince() };
    },
  };
}
