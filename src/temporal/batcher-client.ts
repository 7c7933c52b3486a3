import type { Client } from '@temporalio/client';
import { keepAnswer } from '../concurrency/keep-answer';
import { flushSignal, pauseSignal, resumeSignal } from '../contracts/workflow/batcher';
import type { BatcherClient } from '../contracts/batcher-client';
import { isBatcherOf } from '../contracts/workflow/ids';
import { createBatchList } from './children/batch-pages';
import { createBatchReader } from './children/batch-reader';
import { readDeadLetterPage } from './dead-letters/dead-letter-page';
import { createDeadLetterReader } from './dead-letters/dead-letters';
import { createKnownRedrives } from './dead-letters/known-redrives';
import { redrive, type RedriveParts } from './dead-letters/redrive';
import { checkNamespace } from './server/register';
import { DeadLetterExpiry, readRetention } from './dead-letters/expiry';
import { DeadLetterGroupsReader } from './dead-letters/groups';
import { drain } from './shard/drain';
import { Readings } from './shard/readings';
import { changeLimits } from './shard/limits';
import type { Shards } from './shard/shards';
import { Audits } from './views/audits-view';
import { listBatchPage, readBatch } from './views/batch-views';
import { readBuffer } from './views/buffer-view';
import { readControls } from './views/controls-view';
import { KnownStore } from './views/known-store';
import { createPageReader } from './views/page-reader';
import { readOverview } from './views/overview';
import { readRequest } from './views/request-view';
import { readStatus } from './views/status-view';
import { readWaits } from './views/waits-view';
import { WorkersReader } from './views/workers-view';
import { SECOND } from '../domain/duration';

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
  const readings = new Readings(shards);
  const workers = new WorkersReader(client, shards.address.taskQueue);
  const audits = new Audits(client, batcherId, shards.address.taskQueue);
  const groups = new DeadLetterGroupsReader(redriving.letters, redriving.known, async () => {
    const seconds = await readRetention(client);
    return seconds === undefined ? undefined : seconds * SECOND;
  });
  return {
    readings,
    expiry: new DeadLetterExpiry(client, redriving.letters, redriving.known),
    addRecords: (request, { once = false } = {}) =>
      (once ? shards.keyed : shards.of(request.requestId)).addRecords(request),
    openStream: (requestId, { once, ...options }) =>
      (once && remembersKeys ? shards.keyed : shards.of(requestId)).openStream(requestId, options),
    status,
    waits: () => readWaits(shards),
    bufferSample: keepAnswer(SECOND, () => readBuffer(shards)),
    overview: () => readOverview(readings, settings),
    request: (requestId, sentBy) => readRequest({ client, shards, batches, pages }, requestId, sentBy),
    batches: (filter) => listBatchPage(list, filter),
    batch: (batchId) => readBatch(batches, isOwn, batchId),
    deadLetters: (filter) => readDeadLetterPage(redriving.letters, redriving.known, filter),
    workers: () => workers.read(),
    controls: () => readControls(shards),
    audits: () => audits.read(),
    startAudit: (by) => audits.start(by),
    deadLetterGroups: () => groups.read(),
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
