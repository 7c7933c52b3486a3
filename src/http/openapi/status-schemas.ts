import { z } from 'zod';
import type { LimitsAnswer } from '../../contracts/workflow/limits';
import { CONFLICT_SCOPE, ON_FAILURE, SAVE_ACTIVITY } from '../../contracts/workflow/settings';
import type { StatusView } from '../../contracts/api/views';
import { LIMIT_RANGES, type LimitsPatch } from '../../domain/limits';
import { MAX_PER_SECOND } from '../../domain/pace/pace-limits';
import { OUTCOME_FORMATS } from '../../domain/records/outcome';
import { count, operatorActionFields, operatorActionSchema, type Takes } from './answer-parts';
import { conflictRuleSchema, ruleCountsSchema } from './rule-schemas';
import { operatorField } from './schemas';

/* What is told of the system as a whole, and how its limits are changed; see `answers.ts`. */

function wholeNumber(key: keyof typeof LIMIT_RANGES) {
  const [least, greatest] = LIMIT_RANGES[key];
  return z.int().min(least).max(greatest);
}

const paceLimitSchema = z
  .strictObject({
    at: z.string().max(256).optional().meta({
      description:
        'JSON Pointer: the rate holds for each value there by itself, and not for records without one. Absent: for all records together',
    }),
    perSecond: z.int().min(1).max(MAX_PER_SECOND),
  })
  .meta({ id: 'PaceLimit', description: 'At most this many records start being saved per second' });

const LIMITS = {
  maxBatchSize: wholeNumber('maxBatchSize'),
  conflicts: z.array(conflictRuleSchema),
  flushIntervalMs: wholeNumber('flushIntervalMs'),
  batchSpacingMs: wholeNumber('batchSpacingMs'),
  maxSavesPerSecond: z.union([z.int().min(0).max(MAX_PER_SECOND), z.array(paceLimitSchema).max(2)]),
  maxInFlight: wholeNumber('maxInFlight'),
  maxAttempts: wholeNumber('maxAttempts'),
  retryIntervalMs: wholeNumber('retryIntervalMs'),
};
const limitsSchema = z
  .strictObject(LIMITS)
  .meta({ id: 'Limits', description: 'docs/CONFIGURATION.md explains each' });

/** As it is described; `problemsOfLimitsPatch` is what reads it, by the same ranges. */
export const limitsPatchSchema = z
  .strictObject({
    ...operatorField,
    maxBatchSize: LIMITS.maxBatchSize.nullable().optional(),
    conflicts: LIMITS.conflicts.nullable().optional(),
    flushIntervalMs: LIMITS.flushIntervalMs.nullable().optional(),
    batchSpacingMs: LIMITS.batchSpacingMs.nullable().optional(),
    maxSavesPerSecond: LIMITS.maxSavesPerSecond.nullable().optional(),
    maxInFlight: LIMITS.maxInFlight.nullable().optional(),
    maxAttempts: LIMITS.maxAttempts.nullable().optional(),
    retryIntervalMs: LIMITS.retryIntervalMs.nullable().optional(),
  })
  .meta({
    id: 'LimitsPatch',
    description: 'Limits that are not named stay unchanged; null resets a limit to the configuration',
  });

function overriddenTo<Value extends z.ZodType>(value: Value) {
  return z.strictObject({ ...operatorActionFields, value, configured: value }).optional();
}

const overriddenSchema = z
  .strictObject({
    maxBatchSize: overriddenTo(LIMITS.maxBatchSize),
    conflicts: overriddenTo(LIMITS.conflicts),
    flushIntervalMs: overriddenTo(LIMITS.flushIntervalMs),
    batchSpacingMs: overriddenTo(LIMITS.batchSpacingMs),
    maxSavesPerSecond: overriddenTo(LIMITS.maxSavesPerSecond),
    maxInFlight: overriddenTo(LIMITS.maxInFlight),
    maxAttempts: overriddenTo(LIMITS.maxAttempts),
    retryIntervalMs: overriddenTo(LIMITS.retryIntervalMs),
  })
  .meta({
    id: 'OverriddenLimits',
    description: 'Limits set at runtime, with the configured values',
  });

export const limitsAnswerSchema = z
  .strictObject({
    ...operatorActionFields,
    shards: z.array(
      z.strictObject({
        shard: count(),
        batcher: z.string(),
        limits: limitsSchema,
        overridden: overriddenSchema,
      }),
    ),
  })
  .meta({ id: 'LimitsAnswer', description: 'The limits now in force' });

const settingsSchema = z
  .strictObject({
    ...LIMITS,
    conflictScope: z.enum(Object.values(CONFLICT_SCOPE)),
    apartMs: count(),
    outcomeFormat: z.enum(OUTCOME_FORMATS),
    onFailure: z.enum(Object.values(ON_FAILURE)),
    saveActivity: z.enum(Object.values(SAVE_ACTIVITY)),
    idempotencyWindowMs: count(),
    idempotencyWindowKeys: count(),
  })
  .meta({ id: 'Settings', description: 'The settings in force; docs/CONFIGURATION.md explains each' });

const counterSchema = z
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
  .meta({ id: 'Counters', description: "Since the batcher's first run" });

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

const saveShapeSchema = z.enum([SAVE_ACTIVITY.record, SAVE_ACTIVITY.batch]);

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

export const batchSavingSchema = z
  .strictObject({ text: z.string(), shape: saveShapeSchema, due: count().nullable() })
  .meta({ id: 'BatchSaving', description: 'How the records of the batch are saved, and why' });

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

export const statusSchema = z
  .strictObject({
    shards: z.array(
      z
        .strictObject({
          shard: count(),
          batcher: z.string(),
          ...loadFields,
          pages: count().meta({
            description: 'Parts of the buffer that are stored outside the batcher',
          }),
          run: z
            .strictObject({
              historyEvents: count(),
              historyBytes: count(),
              messages: count(),
              continuedAsNew: count().meta({ description: 'Number of runs before this one' }),
            })
            .meta({ id: 'Run', description: "The batcher's current run" }),
          saving: savingSchema,
          paused: operatorActionSchema.nullable(),
          pace: paceSchema,
          storeAway: storeAwaySchema,
          drain: z
            .strictObject({
              ...operatorActionFields,
              bufferedRecords: count(),
              inFlight: count(),
            })
            .nullable()
            .meta({ description: 'Progress of the last drain; null if there was none' }),
          overridden: overriddenSchema,
        })
        .meta({ id: 'Shard' }),
    ),
    total: z.strictObject({ ...loadFields, paused: z.boolean() }),
    settings: settingsSchema,
  })
  .meta({ id: 'Status' });

/** No schema says less than the type of its answer does. */
export type StatusAnswersAgree = [
  Takes<typeof limitsPatchSchema, LimitsPatch>,
  Takes<typeof limitsAnswerSchema, LimitsAnswer>,
  Takes<typeof statusSchema, StatusView>,
];
