import { z } from 'zod';
import { TASK_KINDS } from '../states';
import { count, millisecondsSinceEpoch, timestamp } from './parts';

const perSecond = () => z.number().min(0).nullable();

const workerSchema = z
  .strictObject({
    identity: z.string().meta({ description: 'Process and host' }),
    /** `BUILD_ID`; null where it has none. */
    buildId: z.string().nullable(),
    /** A poll is held for up to a minute. */
    lastPolledAt: timestamp(),
    taskQueues: z.array(z.string()),
  })
  .meta({ id: 'Worker' });
/** A process that polls for work. */
export type WorkerView = z.infer<typeof workerSchema>;

const taskQueueSchema = z
  .strictObject({
    name: z.string(),
    kind: z.enum(TASK_KINDS),
    /** What its tasks are for. */
    purpose: z.string(),
    pollers: count().meta({ description: 'Workers that poll it' }),
    backlog: count().nullable().meta({ description: 'Tasks that wait, about' }),
    backlogAgeMs: z.number().min(0).nullable().meta({ description: 'Age of the oldest of them' }),
    /** Tasks. */
    addedPerSecond: perSecond(),
    /** Tasks handed to workers. */
    dispatchedPerSecond: perSecond(),
  })
  .meta({ id: 'TaskQueue', description: 'Null where Temporal does not say' });
/** A task queue of Temporal: where work waits for a worker. */
export type TaskQueueView = z.infer<typeof taskQueueSchema>;

export const workersSchema = z
  .strictObject({
    atMs: millisecondsSinceEpoch().meta({
      description: 'When Temporal was asked: at most every five seconds',
    }),
    isServed: z
      .boolean()
      .meta({ description: 'Whether any worker polls for workflow tasks; without one nothing moves' }),
    workers: z.array(workerSchema),
    taskQueues: z.array(taskQueueSchema),
    slots: z
      .strictObject({ activities: count(), workflowTasks: count() })
      .meta({ description: 'How many of each a worker takes at once' }),
  })
  .meta({ id: 'Workers' });
/** The workers of an installation, and what waits for them. */
export type WorkersView = z.infer<typeof workersSchema>;
