import { z } from 'zod';
import type { BatcherCounters, DrainStatus } from '../../workflow/batcher-status';
import { SAVE_ACTIVITY } from '../../workflow/settings';
import { overriddenSchema, settingsSchema } from './limits';
import { count, operatorActionFields, operatorActionSchema, schemaOf } from './parts';
import { ruleCountsSchema } from './rules';

const counterSchema = schemaOf<BatcherCounters>()(
  z
    .strictObject({
      accepted: count(),
      batchesStarted: count(),
      batchesCompleted: count(),
      batchesFailed: count(),
      duplicateRequests: count(),
      repeatedMessages: count(),
      malformedMessages: count(),
      saved: count(),
      rolledBack: count(),
      retries: count(),
      lost: count().meta({
        description: 'Records without an outcome because somebody deleted the page or batch that held them',
      }),
    })
    .meta({ id: 'Counters', description: "Since the batcher's first run" }),
);

const cutsSchema = z
  .strictObject({
    batches: count(),
    records: count(),
    places: count().meta({ description: 'Total capacity of these batches, in records' }),
    fillRatio: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .meta({ description: 'Records divided by places; null before the first batch' }),
    lowerBound: count().meta({
      description: 'The fewest batches that any cut of the same buffers could make, in total',
    }),
    deferred: count().meta({
      description: 'Records that a rule kept out of an earlier batch that had room or took a younger record',
    }),
    deferredBy: ruleCountsSchema.meta({
      description:
        'By rule; a record deferred by several counts for each. At most 100 rules, those with the most records',
    }),
  })
  .meta({ id: 'Cuts', description: 'Figures about all batches so far; see docs/RULES.md' });
/** Totals of the batches of a shard, or of all shards. */
export type CutsView = z.infer<typeof cutsSchema>;

export const saveShapeSchema = z.enum([SAVE_ACTIVITY.record, SAVE_ACTIVITY.batch]);

const savingSchema = z
  .strictObject({
    shape: saveShapeSchema.meta({
      description: 'record: one activity per record; batch: many batches in bulk',
    }),
    since: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'When that was decided; null before the first batch' }),
    due: count().nullable().meta({
      description: 'Number of batches that were due when SAVE_ACTIVITY=auto chose batch; null otherwise',
    }),
    storeIsSlow: z.boolean().meta({
      description: 'Whether auto avoids bulk saving because even the fastest save took seconds',
    }),
  })
  .meta({ id: 'Saving', description: 'How batches are saved now' });
/** How batches are currently saved, and why: see `SAVE_ACTIVITY`. */
export type SavingView = z.infer<typeof savingSchema>;

export const storeAwaySchema = z
  .strictObject({
    since: z.iso.datetime(),
    reason: z.string().meta({ description: 'As the store reports it' }),
    workers: count().meta({ description: 'How many workers report it' }),
    holdsBack: z.boolean().meta({
      description: 'Whether this stops new batches; false while other workers still close batches',
    }),
  })
  .nullable()
  .meta({ description: 'Since when and why the store as a whole is unavailable; null while it works' });
/** An unavailable store, as reported by workers; see docs/OPERATIONS.md. */
export type StoreAwayView = NonNullable<z.infer<typeof storeAwaySchema>>;

const paceSchema = z
  .strictObject({
    room: count()
      .nullable()
      .meta({ description: 'How many records may start now; null without a rate for all records' }),
    values: count().meta({
      description:
        'How many values have started records so recently that their rate limits them; at most 500',
    }),
    heldRecords: count().meta({
      description:
        'Buffered records that may not start by the rate of their value, of those that batches are cut from',
    }),
    until: z.iso.datetime().nullable().meta({
      description: 'When the next record that is held back may start; null when none is',
    }),
  })
  .nullable()
  .meta({ description: 'What MAX_SAVES_PER_SECOND holds back; null without it' });
/** What `MAX_SAVES_PER_SECOND` holds back in one shard; see docs/TUNING.md. */
export type PaceView = NonNullable<z.infer<typeof paceSchema>>;

const loadFields = {
  bufferedRecords: count(),
  bufferedBytes: count(),
  oldestAgeMs: z
    .number()
    .nullable()
    .meta({ description: 'Age of the oldest buffered record; null when the buffer is empty' }),
  oldestDueAgeMs: z.number().nullable().meta({
    description: 'How long the record that has been due longest has been due; null when none is due',
  }),
  inFlight: count().meta({ description: 'Batches' }),
  inFlightRecords: count().meta({ description: 'Records in those batches that have no outcome yet' }),
  unaccounted: z.int().meta({
    description:
      'accepted - saved - rolledBack - lost - bufferedRecords - inFlightRecords: 0 unless there is a bug',
  }),
  counters: counterSchema,
  cuts: cutsSchema,
};

const runSchema = z
  .strictObject({
    historyEvents: count(),
    historyBytes: count(),
    /** Signals and updates. */
    messages: count(),
    continuedAsNew: count().meta({ description: 'Number of runs before this one' }),
  })
  .meta({ id: 'Run', description: "The batcher's current run" });
/** Size of the current run of a batcher, which continues as new before it reaches Temporal's limits. */
export type RunView = z.infer<typeof runSchema>;

const drainStatusSchema = schemaOf<DrainStatus>()(
  z.strictObject({ ...operatorActionFields, bufferedRecords: count(), inFlight: count() }),
);

const shardSchema = z
  .strictObject({
    shard: count(),
    /** Workflow id of its batcher. */
    batcher: z.string(),
    ...loadFields,
    pages: count().meta({ description: 'Parts of the buffer that are stored outside the batcher' }),
    run: runSchema,
    saving: savingSchema,
    /** Who paused the shard, and when; null if it isn't paused. */
    paused: operatorActionSchema.nullable(),
    pace: paceSchema,
    storeAway: storeAwaySchema,
    drain: drainStatusSchema
      .nullable()
      .meta({ description: 'Progress of the last drain; null if there was none' }),
    overridden: overriddenSchema,
  })
  .meta({ id: 'Shard' });
/** The status of one shard. */
export type ShardView = z.infer<typeof shardSchema>;

export const statusSchema = z
  .strictObject({
    shards: z.array(shardSchema),
    /** Sums over all shards. Ages are the maximum, `paused` is whether any shard is. */
    total: z.strictObject({ ...loadFields, paused: z.boolean() }),
    /** From the batcher of the first shard. */
    settings: settingsSchema,
  })
  .meta({ id: 'Status' });
export type StatusView = z.infer<typeof statusSchema>;
