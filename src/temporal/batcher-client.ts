import type { Client } from '@temporalio/client';
import type { AcceptedRequest } from '../contracts/batcher';
import type { BatcherClient } from '../contracts/batcher-client';
import { batcherWorkflowId, shardOf } from '../contracts/ids';
import { KIB } from '../domain/duration';
import { createAdmission, loadOf, type AdmissionLimits, type Load } from './admission';
import { createBatchReader } from './batch-reader';
import { listBatchPage, readBatch } from './batch-views';
import { createDeadLetterReader, readDeadLetterPage } from './dead-letters';
import { drain } from './drain';
import { GIVING_WAY, createGivingWay, type RunProgress } from './giving-way';
import { createGroupCommit, type GroupLimits } from '../concurrency/group-commit';
import { askForKeys, askForStream, createOnceOnly, digestOf, keyDigestOf } from './idempotency';
import { createIngest, type BatcherAddress } from './ingest';
import { createKnownRedrives } from './known-redrives';
import { createPageReader } from './page-reader';
import { changeLimits } from './limits';
import { openRecordStream } from './record-stream';
import { redrive, type RedriveParts } from './redrive';
import { readRequest } from './request-view';
import { callTemporal } from './rpc';
import { readShard, readStatus } from './status-view';
import { whenThereIsRoom } from './when-there-is-room';

/**
 * Requests of one shard that share a signal: few enough that the batcher's run, which ends between signals, ends in time.
 * One signal at a time: with two, groups are half as large, and the server and the worker have twice as much to do.
 */
const GROUP_LIMITS: GroupLimits = { entries: 500, bytes: 128 * KIB, inFlight: 1, gatherMs: 10 };

/** The {@link BatcherClient} over Temporal. One per process: it keeps the admission counts and a cache of results. */
export function createBatcherClient(
  client: Client,
  address: BatcherAddress,
  limits: AdmissionLimits,
  givingWay = GIVING_WAY,
): BatcherClient {
  const ingest = createIngest(client, address);
  const batches = createBatchReader(client);
  const pages = createPageReader(client);
  const admissions = Array.from({ length: address.shards }, (_, shard) =>
    createAdmission(limits, () => readShard(client, address, shard)),
  );
  const commits = Array.from({ length: address.shards }, (_, shard) => {
    const workflowId = batcherWorkflowId(address.batcherId, shard);
    const giveWay = createGivingWay(() => readRunProgress(client, workflowId), givingWay);
    return createGroupCommit<AcceptedRequest>(GROUP_LIMITS, (requests, bytes) =>
      giveWay(bytes, () => ingest.addRecords(shard, requests)),
    );
  });
  const onceOnly = Array.from({ length: address.shards }, (_, shard) =>
    createOnceOnly((keys) => askForKeys(client, batcherWorkflowId(address.batcherId, shard), keys)),
  );
  const redriving: RedriveParts = {
    letters: createDeadLetterReader(client, address, batches),
    known: createKnownRedrives(client, address, pages),
    shards: address.shards,
    async send(shard, requests, action) {
      const load = loadOf(requests.flatMap((request) => request.values));
      await admissions[shard]?.admit(load, () => ingest.addRecords(shard, requests, action));
    },
  };

  return {
    async addRecords({ requestId, values }, { once = false } = {}) {
      const shard = shardOf(requestId, address.shards);
      const load = loadOf(values);
      const handOver = async (request: AcceptedRequest) =>
        admissions[shard]?.admit(load, async () => commits[shard]?.(request, load.bytes));
      if (!once) return handOver({ requestId, values });
      const request = { requestId, values, digest: digestOf({ requestId, values }) };
      await onceOnly[shard]?.take(request, () => handOver(request));
    },
    async openStream(requestId, { once, stillWanted }) {
      const shard = shardOf(requestId, address.shards);
      const key = once && address.settings.idempotencyWindowKeys > 0 ? keyDigestOf(requestId) : undefined;
      const send = (request: AcceptedRequest, load: Load) =>
        whenThereIsRoom(
          async () => admissions[shard]?.admit(load, async () => commits[shard]?.(request, load.bytes)),
          stillWanted,
        );
      const workflowId = batcherWorkflowId(address.batcherId, shard);
      const progress = () => askForStream(client, workflowId, keyDigestOf(requestId));
      return openRecordStream({ send, progress }, requestId, key);
    },
    status: () => readStatus(client, address, Date.now()),
    request: (requestId) => readRequest(client, address, batches, pages, requestId),
    batches: (filter) => listBatchPage(client, address, filter),
    batch: (batchId) => readBatch(batches, batchId),
    deadLetters: (filter) => readDeadLetterPage(redriving.letters, redriving.known, filter),
    redrive: (selection, by) => redrive(redriving, selection, { by, atMs: Date.now() }),
    flush: (by) => ingest.flush(by),
    pause: (by) => ingest.pause(by),
    resume: (by) => ingest.resume(by),
    changeLimits: (patch, by) => changeLimits(client, address, patch, by),
    drain: (by, options) => drain(client, address, ingest, by, options),
    async checkReady() {
      await callTemporal(client, 'Temporal does not answer', () =>
        client.workflowService.describeNamespace({ namespace: client.options.namespace }),
      );
    },
  };
}

async function readRunProgress(client: Client, workflowId: string): Promise<RunProgress> {
  const { runId, historyLength } = await callTemporal(client, `could not look at ${workflowId}`, () =>
    client.workflow.getHandle(workflowId).describe(),
  );
  return { runId, historyLength };
}
