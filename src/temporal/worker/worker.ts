import {
  Worker,
  type NativeConnection,
  type WorkerDeploymentOptions,
  type WorkerOptions,
} from '@temporalio/worker';
import type { DataConverter } from '@temporalio/common';
import { WORKER_SLOTS } from '../views/workers-view';
import type { Activities } from '../../contracts/workflow/activities';
import { adoptionTaskQueue } from '../../contracts/workflow/ids';
import type { BatchInstruments } from '../../contracts/instruments';
import type { BatchTracing } from '../../contracts/tracing';
import { MINUTE, SECOND } from '../../domain/duration';
import { workerSinks } from './worker-sinks';
import type { WorkflowCode } from './workflow-bundle';

/** How long a stopping worker lets activities finish before it cancels them, and before it abandons them. */
const GRACE_MS = 10 * SECOND;
const FORCE_MS = 20 * SECOND;

/**
 * Maximum concurrent activities of children, mostly single saves; a waiting one costs memory, not a thread. And maximum
 * concurrent workflow tasks: none of them waits for anything, so a few keep the workflow threads busy.
 */
const { activities: ACTIVITY_SLOTS, workflowTasks: WORKFLOW_SLOTS } = WORKER_SLOTS;

/**
 * Maximum concurrent activities of batchers. Adoptions only wait, each until its child has closed; the others are short
 * and must never wait behind them. So there are more slots than all shards of an installation can have children.
 */
const ADOPTION_SLOTS = 100_000;

/**
 * A workflow task that takes longer by the clock is broken off. That is for tasks that never end, of which we have none;
 * with the 5 s of the SDK it happens to every task during which the process is stopped (a paused container, a machine that
 * sleeps) or has no CPU, and on Node 20 the process doesn't survive it ("async hook stack has become corrupted"). The SDK
 * takes this option, though its types leave it out.
 */
const PATIENCE = { isolateExecutionTimeout: 10 * MINUTE };

/** Everything but the connection. */
export interface WorkerSetup {
  namespace: string;
  taskQueue: string;
  activities: Activities;
  workflows: WorkflowCode;
  /** The build of the workflow code, with worker versioning; see docs/decisions/0007-worker-versioning.md. */
  version?: BuildVersion | undefined;
  /** Receives measurements of batches. */
  instruments?: BatchInstruments | undefined;
  /** Receives what becomes spans of batches. */
  tracing?: BatchTracing | undefined;
  /** Other options, for example fewer slots in tests. */
  tuning?: Partial<WorkerOptions>;
  /** What the payloads of workflows and activities are encoded with. Default: Temporal's own, which encrypts nothing. */
  dataConverter?: DataConverter;
}

/** A version of a Worker Deployment, in Temporal's terms. */
export interface BuildVersion {
  deployment: string;
  buildId: string;
}

/** Both workers of a process, as one. */
export interface PipelineWorker {
  /** Polls until `shutdown` was called and running work has finished; rejects if either worker fails. */
  run(): Promise<void>;
  /** Lets running work finish within the grace period. Call it once, after `run`. */
  shutdown(): void;
}

/**
 * The options of two workers for a process. One runs the workflows and the activities of their batches; the other runs
 * the activities of batchers, on their own task queue: if adoptions shared slots with saves, they could wait for saves that
 * wait for a slot. The second worker has no version: it runs no workflow code, so any process can serve a batcher of any
 * build.
 */
export function workerOptions(setup: WorkerSetup): WorkerOptions[] {
  const { workflows, activities, namespace, taskQueue, version, tuning, dataConverter = {} } = setup;
  const common = {
    namespace,
    dataConverter,
    maxConcurrentActivityTaskExecutions: ACTIVITY_SLOTS,
    shutdownGraceTime: GRACE_MS,
    shutdownForceTime: FORCE_MS,
    ...PATIENCE,
    ...tuning,
  };
  const { adoptChild, restartChild, findLeft, findStarted, readChild, readPage, ...others } = activities;
  return [
    {
      // After a crash, the batcher's next task waits this long for the dead worker before another one may take it.
      stickyQueueScheduleToStartTimeout: 5 * SECOND,
      maxConcurrentWorkflowTaskExecutions: WORKFLOW_SLOTS,
      sinks: workerSinks(setup.instruments, setup.tracing),
      ...common,
      taskQueue,
      activities: others,
      ...workflows,
      ...(version !== undefined && { workerDeploymentOptions: deploymentOptions(version) }),
    },
    {
      ...common,
      taskQueue: adoptionTaskQueue(taskQueue),
      maxConcurrentActivityTaskExecutions: ADOPTION_SLOTS,
      activities: { adoptChild, restartChild, findLeft, findStarted, readChild, readPage },
    },
  ];
}

/** The workers of a process. */
export async function createWorker({
  connection,
  ...setup
}: WorkerSetup & { connection: NativeConnection }): Promise<PipelineWorker> {
  const workers = await Promise.all(
    workerOptions(setup).map((options) => Worker.create({ connection, ...options })),
  );
  return {
    async run() {
      await Promise.all(workers.map((worker) => worker.run()));
    },
    shutdown() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    },
  };
}

function deploymentOptions({ deployment, buildId }: BuildVersion): WorkerDeploymentOptions {
  return {
    useWorkerVersioning: true,
    version: { deploymentName: deployment, buildId },
    // Every workflow chooses its own (workflows/versioned.ts); one that doesn't stays on its build.
    defaultVersioningBehavior: 'PINNED',
  };
}
