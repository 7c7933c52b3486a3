/** A process that polls for work. */
export interface WorkerView {
  /** As Temporal's SDK names it: process and host. */
  identity: string;
  /** `BUILD_ID`; null where it has none. */
  buildId: string | null;
  /** Its last poll, ISO 8601, UTC. A poll is held for up to a minute. */
  lastPolledAt: string;
  /** Names of the queues that it polls. */
  taskQueues: string[];
}

/** Which tasks a queue has. */
export const TASK_KINDS = ['workflow', 'activity'] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

/** A task queue of Temporal: where work waits for a worker. */
export interface TaskQueueView {
  name: string;
  kind: TaskKind;
  /** What its tasks are for. */
  purpose: string;
  /** Workers that poll it. */
  pollers: number;
  /** Tasks that wait, about; age of the oldest; tasks added and handed out per second. Null where Temporal doesn't say. */
  backlog: number | null;
  backlogAgeMs: number | null;
  addedPerSecond: number | null;
  dispatchedPerSecond: number | null;
}

/** The workers of an installation, and what waits for them. */
export interface WorkersView {
  /** When Temporal was asked, in milliseconds since the epoch. At most every five seconds, however many callers there are. */
  atMs: number;
  /** Whether any worker polls for workflow tasks: without one nothing moves, though records are still accepted. */
  isServed: boolean;
  workers: WorkerView[];
  taskQueues: TaskQueueView[];
  /** How many activities and workflow tasks each worker takes at once. */
  slots: { activities: number; workflowTasks: number };
}

/** How many activities and workflow tasks a worker of this release takes at once. */
export const WORKER_SLOTS = { activities: 400, workflowTasks: 40 } as const;
