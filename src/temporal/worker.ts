import {
  Worker,
  type NativeConnection,
  type WorkerOptions,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import type { Activities } from '../contracts/activities';
import { SECOND } from '../domain/duration';

/** How long a stopping worker lets activities finish before it cancels them, and before it gives up on them. */
const GRACE_MS = 10 * SECOND;
const FORCE_MS = 20 * SECOND;

/**
 * Saves and long-polling adoptions share these slots: enough for `MAX_IN_FLIGHT` batches of five beside as many
 * adoptions. An activity that waits costs memory, not a thread.
 */
const ACTIVITY_SLOTS = 400;

/**
 * A worker for both workflows and all activities of one task queue. It polls once `run()` is called; `shutdown()` lets
 * what it holds finish within the grace period.
 */
export function createWorker(options: {
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  activities: Activities;
  workflows: { workflowBundle: WorkflowBundleOption } | { workflowsPath: string };
  /** Anything further, e.g. a smaller workflow cache in tests. */
  tuning?: Partial<WorkerOptions>;
}): Promise<Worker> {
  const { workflows, activities, connection, namespace, taskQueue, tuning } = options;
  return Worker.create({
    connection,
    namespace,
    taskQueue,
    activities,
    ...workflows,
    maxConcurrentActivityTaskExecutions: ACTIVITY_SLOTS,
    shutdownGraceTime: GRACE_MS,
    shutdownForceTime: FORCE_MS,
    // After a crash the batcher's next task waits this long for the dead worker before any other may take it.
    stickyQueueScheduleToStartTimeout: 5 * SECOND,
    ...tuning,
  });
}
