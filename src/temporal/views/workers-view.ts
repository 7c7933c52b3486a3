import { keepAnswer } from '../../concurrency/keep-answer';
import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import type { TaskQueueView, WorkersView, WorkerView } from '../../contracts/api/answers/workers';
import type { TaskKind } from '../../contracts/api/states';
import { adoptionTaskQueue } from '../../contracts/workflow/ids';
import { SECOND } from '../../domain/duration';
import { callTemporal } from '../server/calls';
import { msOf, recentPollers, type Poller } from '../server/pollers';

const { TaskQueueType } = temporal.api.enums.v1;
const TYPES = {
  workflow: TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  activity: TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
} as const satisfies Record<TaskKind, unknown>;

/** How many activities and workflow tasks a worker of this release takes at once. */
export const WORKER_SLOTS = { activities: 400, workflowTasks: 40 } as const;

/** However many look on, Temporal is asked no more often. */
const EVERY_MS = 5 * SECOND;

interface Polled {
  queue: TaskQueueView;
  pollers: Poller[];
}

/** The workers on the queues of an installation. One per process: callers share the last answer. */
export class WorkersReader {
  /** Rejects with KeepapartError `temporal-unavailable`. */
  readonly read = keepAnswer(EVERY_MS, () => this.ask());

  constructor(
    private readonly client: Client,
    private readonly taskQueue: string,
  ) {}

  private async ask(): Promise<WorkersView> {
    const adoption = adoptionTaskQueue(this.taskQueue);
    const atMs = Date.now();
    const polled = await Promise.all([
      this.describe(this.taskQueue, 'workflow', 'batchers and batches', atMs),
      this.describe(this.taskQueue, 'activity', 'saves, rollbacks and files', atMs),
      this.describe(adoption, 'activity', 'following earlier batches', atMs),
    ]);
    const workers = new Map<string, WorkerView>();
    for (const { queue, pollers } of polled) {
      for (const { identity, buildId, polledAtMs } of pollers) {
        const lastPolledAt = new Date(polledAtMs).toISOString();
        const known = workers.get(identity) ?? { identity, buildId, lastPolledAt, taskQueues: [] };
        workers.set(identity, {
          ...known,
          // The adoption queue is polled without a build.
          buildId: known.buildId ?? buildId,
          lastPolledAt: known.lastPolledAt > lastPolledAt ? known.lastPolledAt : lastPolledAt,
          taskQueues: [...new Set([...known.taskQueues, queue.name])],
        });
      }
    }
    return {
      atMs,
      isServed: polled[0].pollers.length > 0,
      workers: [...workers.values()].sort((a, b) => (a.identity < b.identity ? -1 : 1)),
      taskQueues: polled.map(({ queue }) => queue),
      slots: WORKER_SLOTS,
    };
  }

  private async describe(name: string, kind: TaskKind, purpose: string, nowMs: number): Promise<Polled> {
    const described = await callTemporal(this.client, `could not look at task queue ${name}`, () =>
      this.client.workflowService.describeTaskQueue({
        namespace: this.client.options.namespace,
        taskQueue: { name },
        taskQueueType: TYPES[kind],
        reportStats: true,
      }),
    );
    const { stats } = described;
    const pollers = recentPollers(described.pollers, nowMs);
    return {
      pollers,
      queue: {
        name,
        kind,
        purpose,
        pollers: new Set(pollers.map(({ identity }) => identity)).size,
        backlog: stats?.approximateBacklogCount?.toNumber() ?? null,
        backlogAgeMs: msOf(stats?.approximateBacklogAge) ?? null,
        addedPerSecond: rateOf(stats?.tasksAddRate),
        dispatchedPerSecond: rateOf(stats?.tasksDispatchRate),
      },
    };
  }
}

function rateOf(rate: number | null | undefined): number | null {
  return rate == null ? null : Math.round(rate * 10) / 10;
}
