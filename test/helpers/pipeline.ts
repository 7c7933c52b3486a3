import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';
import { createActivities, type WorkflowAccess } from '../../activities';
import { RUN_LIMITS, type BatcherStatus, type RunLimits } from '../../src/contracts/workflow/batcher';
import type { Activities } from '../../src/contracts/workflow/activities';
import type { BatcherClient } from '../../src/contracts/batcher-client';
import { WORKFLOW_TYPE, batcherWorkflowId } from '../../src/contracts/workflow/ids';
import type { Tracing } from '../../src/contracts/tracing';
import type { PipelineSettings } from '../../src/contracts/workflow/settings';
import { MINUTE } from '../../src/domain/duration';
import type { JsonValue } from '../../src/domain/json';
import type { RecordStore } from '../../src/domain/records/record-store';
import { createBatcherClient } from '../../src/temporal/batcher-client';
import { connectClient, embeddedTarget } from '../../src/temporal/server/connection';
import type { AdmissionLimits } from '../../src/temporal/shard/admission';
import type { GivingWayLimits } from '../../src/temporal/shard/giving-way';
import type { Shard } from '../../src/temporal/shard/shard';
import { Shards, type BatcherAddress } from '../../src/temporal/shard/shards';
import { registerWithTemporal } from '../../src/temporal/server/register';
import { workerSinks } from '../../src/temporal/worker/worker-sinks';
import { createWorkflowAccess } from '../../src/temporal/worker/workflow-access';
import { createMemoryStore, type MemoryStore } from './memory-store';
import {
  canShareWorker,
  joinSharedWorker,
  quietRuntime,
  runWorker,
  type RunningWorker,
} from './shared-worker';
import { testServer } from './temporal-server';
import { TEST_SETTINGS } from './test-settings';
import { waitFor } from './wait-for';

/** Once in a suite is enough: all of its pipelines are in one namespace. */
let registered: Promise<true> | undefined;

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
  /** Shuts a worker of its own down gracefully; batchers and batches stay as they are. */
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
    /**
     * `shared` (default): that of the suite, on a task queue which its pipelines share. `own`: one that can be stopped and
     * started again; so it is with `tuning`. `none`: its own, which hasn't started.
     */
    worker?: 'shared' | 'own' | 'none';
    tuning?: Partial<WorkerOptions>;
    /** Who makes spans; then the worker is its own. */
    tracing?: Tracing;
    /** What a run takes from this process before the next one is awaited. */
    givingWay?: GivingWayLimits;
    /** Instead of what activities ask the server for. */
    access?: Partial<WorkflowAccess>;
    /** Instead of some of the activities. */
    activities?: (usual: Activities) => Partial<Activities>;
  } = {},
): Promise<TestPipeline> {
  quietRuntime();
  const connected = await connectClient(embeddedTarget(testServer().address));
  await (registered ??= waitFor('the server to know what is searched by', () => register(connected)));
  const memory = createMemoryStore();
  const name = `test-${randomUUID().slice(0, 8)}`;
  const { store = memory, worker = 'shared', tracing } = options;
  const tuning = tracing === undefined ? options.tuning : { sinks: workerSinks(undefined, tracing) };
  const isShared = worker === 'shared' && tuning === undefined && canShareWorker;
  // Ten seconds are too few on a busy machine; where a worker may be missing, calls have to end.
  const client = isShared ? withPatience(connected, 2 * MINUTE) : connected;
  const usual = createActivities({
    store: typeof store === 'function' ? store(memory) : store,
    workflows: { ...createWorkflowAccess(client), ...options.access },
    storePauses: { firstMs: 20, longestMs: 500 },
    tracing,
  });
  const activities = { ...usual, ...options.activities?.(usual) };
  const joined = isShared ? await joinSharedWorker(name, activities) : undefined;
  const taskQueue = joined?.taskQueue ?? name;
  const settings = { ...TEST_SETTINGS, ...options.settings };
  const address: BatcherAddress = { batcherId: name, shards: options.shards ?? 1, taskQueue, settings };
  const workflowId = batcherWorkflowId(name, 0);
  const shards = new Shards(client, address, WIDE, options.givingWay, undefined, tracing);
  const batcher = createBatcherClient(client, shards);

  // A batcher with limits of its own has to be there before the first signal starts one without.
  if (options.limits !== undefined) {
    await client.workflow.start(WORKFLOW_TYPE.batcher, {
      workflowId,
      taskQueue,
      args: [{ settings, limits: { ...RUN_LIMITS, ...options.limits } }],
    });
  }

  let running: RunningWorker | undefined;
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
      if (joined !== undefined) throw new Error("the suite's worker runs: use { worker: 'own' }");
      running = await runWorker(name, activities, tuning);
    },
    async stopWorker() {
      if (joined !== undefined) throw new Error("the suite's worker goes on: use { worker: 'own' }");
      const stopping = running;
      running = undefined;
      await stopping?.stop();
    },
    async close() {
      for (let shard = 0; shard < address.shards; shard++) {
        await client.workflow
          .getHandle(batcherWorkflowId(name, shard))
          .terminate('end of the test')
          .catch(() => undefined);
      }
      if (joined === undefined) await pipeline.stopWorker();
      else {
        joined.leave();
        await terminateChildren(client, name).catch(() => undefined);
      }
      await client.connection.close();
    },
  };
  if (joined === undefined && worker !== 'none') await pipeline.startWorker();
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

async function register(client: Client): Promise<true> {
  await registerWithTemporal(client);
  return true;
}

/** The same client with another deadline for its calls than the ten seconds that they have. */
function withPatience(client: Client, patienceMs: number): Client {
  return Object.create(client, {
    withDeadline: {
      value: <T>(_deadline: number, call: () => Promise<T>): Promise<T> =>
        client.withDeadline(Date.now() + patienceMs, call),
    },
  }) as Client;
}

/** What a pipeline leaves open would keep the suite's worker busy; visibility lags, so one or the other is left. */
async function terminateChildren({ workflow }: Client, name: string): Promise<void> {
  const query = `WorkflowId STARTS_WITH '${name}-' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId } of workflow.list({ query }))
    await workflow
      .getHandle(workflowId)
      .terminate('end of the test')
      .catch(() => undefined);
}
