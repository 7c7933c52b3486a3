import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { DefaultLogger, Runtime, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { createActivities, type WorkflowAccess } from '../../activities';
import { RUN_LIMITS, type BatcherStatus, type RunLimits } from '../../src/contracts/batcher';
import type { Activities } from '../../src/contracts/activities';
import type { BatcherClient } from '../../src/contracts/batcher-client';
import { WORKFLOW_TYPE, batcherWorkflowId } from '../../src/contracts/ids';
import type { PipelineSettings } from '../../src/contracts/settings';
import type { JsonValue } from '../../src/domain/json';
import type { RecordStore } from '../../src/domain/record-store';
import { createBatcherClient } from '../../src/temporal/batcher-client';
import { connectClient, embeddedTarget } from '../../src/temporal/server/connection';
import type { AdmissionLimits } from '../../src/temporal/shard/admission';
import type { GivingWayLimits } from '../../src/temporal/shard/giving-way';
import type { Shard } from '../../src/temporal/shard/shard';
import { Shards, type BatcherAddress } from '../../src/temporal/shard/shards';
import { registerWithTemporal } from '../../src/temporal/server/register';
import { createWorker, type PipelineWorker } from '../../src/temporal/worker/worker';
import { createWorkflowAccess } from '../../src/temporal/worker/workflow-access';
import { connectWorker } from '../../src/temporal/worker/worker-connection';
import { bundleOfToday } from './builds';
import { createMemoryStore, type MemoryStore } from './memory-store';
import { TEST_SETTINGS } from './settings';
import { testServer } from './temporal-server';
import { waitFor } from './wait-for';

export { TEST_SETTINGS } from './settings';

const WIDE: AdmissionLimits = { maxBufferedRecords: 100_000, maxBufferedBytes: 1024 * 1024 };

/** A pipeline of its own on the shared server: told from others by batcher id and task queue. */
export interface TestPipeline {
  client: Client;
  batcher: BatcherClient;
  shards: Shards;
  /** The first of them. */
  shard: Shard;
  store: MemoryStore;
  address: BatcherAddress;
  batcherWorkflowId: string;
  send(...lists: JsonValue[][]): Promise<string[]>;
  status(): Promise<BatcherStatus>;
  /** Waits until nothing is buffered and nothing in flight. */
  quiet(): Promise<BatcherStatus>;
  startWorker(): Promise<void>;
  /** Stops the worker in good order; batchers and batches stay as they are. */
  stopWorker(): Promise<void>;
  /** Ends everything, terminating the batcher. */
  close(): Promise<void>;
}

export async function startPipeline(
  options: {
    settings?: Partial<PipelineSettings>;
    /** Of the batcher's runs; what isn't given is as usual. */
    limits?: Partial<RunLimits>;
    shards?: number;
    /** Instead of the memory store, or around it. */
    store?: RecordStore | ((memory: MemoryStore) => RecordStore);
    worker?: boolean;
    tuning?: Partial<WorkerOptions>;
    /** What a run takes from this process before the next one is awaited. */
    givingWay?: GivingWayLimits;
    /** Instead of what activities ask the server for. */
    access?: Partial<WorkflowAccess>;
    /** Instead of some of the activities. */
    activities?: (usual: Activities) => Partial<Activities>;
  } = {},
): Promise<TestPipeline> {
  quietRuntime();
  const target = embeddedTarget(testServer().address);
  const client = await connectClient(target);
  await registerWithTemporal(client);
  const memory = createMemoryStore();
  const name = `test-${randomUUID().slice(0, 8)}`;
  const settings = { ...TEST_SETTINGS, ...options.settings };
  const address: BatcherAddress = { batcherId: name, shards: options.shards ?? 1, taskQueue: name, settings };
  const workflowId = batcherWorkflowId(name, 0);
  const shards = new Shards(client, address, WIDE, options.givingWay);
  const batcher = createBatcherClient(client, shards);

  // A batcher with limits of its own has to be there before the first signal starts one without.
  if (options.limits !== undefined) {
    await client.workflow.start(WORKFLOW_TYPE.batcher, {
      workflowId,
      taskQueue: name,
      args: [{ settings, limits: { ...RUN_LIMITS, ...options.limits } }],
    });
  }

  let running: { worker: PipelineWorker; connection: NativeConnection; ended: Promise<void> } | undefined;
  const pipeline: TestPipeline = {
    client,
    batcher,
    shards,
    shard: shards.at(0),
    store: memory,
    address,
    batcherWorkflowId: workflowId,
    async send(...lists) {
      const requests = lists.map((values) => ({ requestId: randomUUID(), values }));
      await Promise.all(requests.map((request) => batcher.addRecords(request)));
      return requests.map(({ requestId }) => requestId);
    },
    async status() {
      const status = await shards.at(0).status();
      if (status.unaccounted !== 0) throw new Error(`${status.unaccounted} records are unaccounted for`);
      return status;
    },
    quiet: () =>
      waitFor('the pipeline to be quiet', async () => {
        const status = await pipeline.status();
        return status.bufferedRecords === 0 && status.inFlight === 0 && status;
      }),
    async startWorker() {
      const connection = await connectWorker(target);
      const { store = memory } = options;
      const activities = createActivities({
        store: typeof store === 'function' ? store(memory) : store,
        workflows: { ...createWorkflowAccess(client), ...options.access },
        storePauses: { firstMs: 20, longestMs: 500 },
      });
      const worker = await createWorker({
        connection,
        namespace: target.namespace,
        taskQueue: name,
        activities: { ...activities, ...options.activities?.(activities) },
        workflows: { workflowBundle: bundleOfToday(false) },
        tuning: { shutdownGraceTime: 0, ...options.tuning },
      });
      running = { worker, connection, ended: worker.run() };
    },
    async stopWorker() {
      if (running === undefined) return;
      const { worker, connection, ended } = running;
      running = undefined;
      worker.shutdown();
      await ended;
      await connection.close();
    },
    async close() {
      for (let shard = 0; shard < address.shards; shard++) {
        await client.workflow
          .getHandle(batcherWorkflowId(name, shard))
          .terminate('end of the test')
          .catch(() => undefined);
      }
      await pipeline.stopWorker();
      await client.connection.close();
    },
  };
  if (options.worker !== false) await pipeline.startWorker();
  return pipeline;
}

/** The shards of the same pipeline as another process has them, which may be configured differently. */
export function anotherShards(
  { client, address }: TestPipeline,
  changes: Partial<BatcherAddress> = {},
  limits: AdmissionLimits = WIDE,
): Shards {
  return new Shards(client, { ...address, ...changes }, limits);
}

/** Another API process on the same pipeline, with bounds of its own. */
export function anotherClient(pipeline: TestPipeline, limits?: AdmissionLimits): BatcherClient {
  return createBatcherClient(pipeline.client, anotherShards(pipeline, {}, limits));
}

let quieted = false;
function quietRuntime(): void {
  if (quieted) return;
  quieted = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
  });
}
