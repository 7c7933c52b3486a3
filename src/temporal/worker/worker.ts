import {
  Worker,
  type NativeConnection,
  type WorkerDeploymentOptions,
  type WorkerOptions,
} from '@temporalio/worker';
import type { Activities } from '../../contracts/workflow/activities';
import { adoptionTaskQueue } from '../../contracts/workflow/ids';
import type { BatchInstruments } from '../../contracts/instruments';
import { SECOND } from '../../domain/duration';
import { workerSinks } from './worker-sinks';
import type { WorkflowCode } from './workflow-bundle';

/** How long a stopping worker lets activities finish before it cancels them, and before it abandons them. */
const GRACE_MS = 10 * SECOND;
const FORCE_MS = 20 * SECOND;

/** Maximum concurrent activities of children, mostly single saves. A waiting one costs memory, not a thread. */
const ACTIVITY_SLOTS = 400;

/**
 * Maximum concurrent activities of batchers. Adoptions only wait, each until its child has closed; the others are short
 * and must never wait behind them. So there are more slots than all shards of an installation can have children.
 */
const ADOPTION_SLOTS = 100_000;

/** Maximum concurrent workflow tasks. None of them waits for anything, so a few keep the workflow threads busy. */
const WORKFLOW_SLOTS = 40;

export interface WorkerSetup {
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  activities: Activities;
  workflows: WorkflowCode;
  /** The build of the workflow code, with worker versioning; see docs/decisions/0007-worker-versioning.md. */
  version?: BuildVersion | undefined;
  /** Receives measurements of batches. */
  instruments?: BatchInstruments | undefined;
  /** Other options, for example fewer slots in tests. */
  tuning?: Partial<WorkerOptions>;
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
 * Creates two workers. One runs the workflows and the activities of their batches; the other runs the activities of
 * batchers, on their own task queue: if adoptions shared slots with saves, they could wait for saves that wait for a slot.
 * The second worker has no version: it runs no workflow code, so any process can serve a batcher of any build.
 */
export async function createWorker(setup: WorkerSetup): Promise<PipelineWorker> {
  const { workflows, activities, connection, namespace, taskQueue, version, tuning } = setup;
  const common = {
    connection,
    namespace,
    maxConcurrentActivityTaskExecutions: ACTIVITY_SLOTS,
    shutdownGraceTime: GRACE_MS,
    shutdownForceTime: FORCE_MS,
    ...tuning,
  };
  const { adoptChild, restartChild, findLeft, readChild, readPage, ...others } = activities;
  const workers = await Promise.all([
    Worker.create({
      // After a crash, the batcher's next task waits this long for the dead worker before another one may take it.
      stickyQueueScheduleToStartTimeout: 5 * SECOND,
      maxConcurrentWorkflowTaskExecutions: WORKFLOW_SLOTS,
      sinks: workerSinks(setup.instruments),
      ...common,
      taskQueue,
      activities: others,
      ...workflows,
      ...(version !== undefined && { workerDeploymentOptions: deploymentOptions(version) }),
    }),
    Worker.create({
      ...common,
      taskQueue: adoptionTaskQueue(taskQueue),
      maxConcurrentActivityTaskExecutions: ADOPTION_SLOTS,
      activities: { adoptChild, restartChild, findLeft, readChild, readPage },
    }),
  ]);
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
