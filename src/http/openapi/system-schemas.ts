import { z } from 'zod';
import type { ControlsView } from '../../contracts/api/controls';
import type { FindView } from '../../contracts/api/find';
import { TASK_KINDS, type WorkersView } from '../../contracts/api/workers';
import { CONTROL_ACTIONS } from '../../contracts/workflow/controls';
import { RECORD_STATE } from '../../contracts/api/views';
import { count, millisecondsSinceEpoch, timestamp, type Takes } from './answer-parts';
import { batchSummarySchema, recordViewSchema } from './answers';

/* What is answered about the system around the records: workers, operators, and where something is. */

const perSecond = () => z.number().min(0).nullable();

export const workersSchema = z
  .strictObject({
    atMs: millisecondsSinceEpoch().meta({
      description: 'When Temporal was asked: at most every five seconds',
    }),
    isServed: z
      .boolean()
      .meta({ description: 'Whether any worker polls for workflow tasks; without one nothing moves' }),
    workers: z.array(
      z
        .strictObject({
          identity: z.string().meta({ description: 'Process and host' }),
          buildId: z.string().nullable(),
          lastPolledAt: timestamp(),
          taskQueues: z.array(z.string()),
        })
        .meta({ id: 'Worker' }),
    ),
    taskQueues: z.array(
      z
        .strictObject({
          name: z.string(),
          kind: z.enum(TASK_KINDS),
          purpose: z.string(),
          pollers: count().meta({ description: 'Workers that poll it' }),
          backlog: count().nullable().meta({ description: 'Tasks that wait, about' }),
          backlogAgeMs: z.number().min(0).nullable().meta({ description: 'Age of the oldest of them' }),
          addedPerSecond: perSecond(),
          dispatchedPerSecond: perSecond(),
        })
        .meta({ id: 'TaskQueue', description: 'Null where Temporal does not say' }),
    ),
    slots: z
      .strictObject({ activities: count(), workflowTasks: count() })
      .meta({ description: 'How many of each a worker takes at once' }),
  })
  .meta({ id: 'Workers' });

export const controlsSchema = z
  .strictObject({
    controls: z
      .array(
        z
          .strictObject({
            action: z.enum(CONTROL_ACTIONS),
            by: z.string(),
            at: timestamp(),
            detail: z
              .string()
              .nullable()
              .meta({ description: 'Of limits the change, of redrive the number of records' }),
            shards: z.array(count()),
          })
          .meta({ id: 'Control' }),
      )
      .meta({ description: 'The latest first. Each batcher remembers its latest 20' }),
  })
  .meta({ id: 'Controls' });

const foundRequestSchema = z
  .strictObject({
    requestId: z.string(),
    redriveOf: z.string().nullable().meta({ description: 'For a redrive: the record that it sends again' }),
    records: count(),
    counts: z.record(z.enum(Object.values(RECORD_STATE)), count()),
  })
  .meta({ id: 'FoundRequest' });

export const findSchema = z
  .strictObject({
    query: z.string(),
    found: z
      .array(
        z.union([
          z.strictObject({
            kind: z.literal('record'),
            record: recordViewSchema,
            request: foundRequestSchema,
          }),
          z.strictObject({ kind: z.enum(['request', 'log']), request: foundRequestSchema }),
          z.strictObject({
            kind: z.literal('batch'),
            batch: batchSummarySchema,
            file: z.string().nullable(),
          }),
        ]),
      )
      .meta({ description: 'What it most likely means first; empty when nothing is known under that id' }),
  })
  .meta({ id: 'Found' });

/** No schema says less than the type of its answer does. */
export type SystemAnswersAgree = [
  Takes<typeof workersSchema, WorkersView>,
  Takes<typeof controlsSchema, ControlsView>,
  Takes<typeof findSchema, FindView>,
];
