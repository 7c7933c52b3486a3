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

/** How long a stopping worker lets activities finish before it cancels them, and before it gives up on them. */
const GRACE_MS = 10 * SECOND;
const FORCE_MS = 20 * SECOND;

/** How many activities of children may run at once: single saves, most of all. One that waits costs memory, not a thread. */
const ACTIVITY_SLOTS = 400;

/**
 * How many activities of batchers may run at once. Adoptions only wait, each until its child has closed; the others are
 * short, and must never wait behind them: so there are more than all shards of an installation can have children.
 */
const ADOPTION_SLOTS = 100_000;

/** How many workflow tasks may run at once. None waits for anything, so a few keep the workflow threads busy. */
const WORKFLOW_SLOTS = 40;

export interface WorkerSetup {
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  activities: Activities;
  workflows: WorkflowCode;
  /** The build of the workflow code, where builds are told apart; see docs/decisions/0007-worker-versioning.md. */
  version?: BuildVersion | undefined;
  /** Who measures batches. */
  instruments?: BatchInstruments | undefined;
  /** Anything further, e.g. fewer slots in tests. */
  tuning?: Partial<WorkerOptions>;
}

/** A version of a Worker Deployment, in Temporal's terms. */
export interface BuildVersion {
  deployment: string;
  buildId: string;
}

/** Both workers of a process, as one. */
export interface PipelineWorker {
  /** Polls until `shutdown` has been called and what was held is finished; rejects when either worker fails. */
  run(): Promise<void>;
  /** Lets what is held finish within the grace period. Once, after `run`. */
  shutdown(): void;
}

/**
 * A worker for the workflows and what their batches do, on a task queue, and one for what batchers do, on theirs:
 * adoptions that shared slots with the saves could wait for saves that wait for a slot. The latter has no
 * version: it runs no workflow code, and any process that is there may serve a batcher, whatever build that is on.
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
      // After a crash the batcher's next task waits this long for the dead worker before any other may take it.
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
    // Every workflow says for itself (workflows/versioned.ts); one that forgot stays where it can't break.
    defaultVersioningBehavior: 'PINNED',
  };
}
