import { z } from 'zod';
import type { DeadLetterGroups, DeadLetterPage, RedriveResult } from '../../contracts/api/dead-letters';
import type { DrainReport } from '../../contracts/api/drain';
import { BATCH_STATES, BATCH_STEPS, RECORD_STATE } from '../../contracts/api/views';
import { WAITS_FOR } from '../../contracts/workflow/waits';
import type { BatchPage, BatchView, RequestView, WaitsView } from '../../contracts/api/views';
import { FLUSH_REASON } from '../../domain/records/batch';
import { WHY_NO_LARGER } from '../../domain/explain';
import { HELD_UP, PACED } from '../../domain/explain/cut-reason';
import { RIGHTS } from '../../domain/rights';
import { batchSavingSchema, storeAwaySchema } from './status-schemas';
import { OUTCOME } from '../../domain/records/outcome';
import {
  anyRecord,
  count,
  cursor,
  operatorActionFields,
  operatorActionSchema,
  recordId,
  timestamp,
  type Takes,
} from './answer-parts';
import { conflictRuleSchema, ruleCountsSchema } from './rule-schemas';

/*
 * What the API answers, for its description and for the tests that hold the answers against it. At the end each is
 * checked against the type that the answer really has; the texts are what a reader of the description sees.
 */

export const acceptedListSchema = z
  .strictObject({
    requestId: z.string(),
    accepted: count().meta({ description: 'Number of records: all of the list' }),
    records: z.array(z.strictObject({ recordId: recordId(), value: anyRecord() })),
  })
  .meta({ id: 'AcceptedList', description: 'Every record of the list is durable.' });

export const acceptedStreamSchema = z
  .strictObject({
    requestId: z.string(),
    accepted: count().meta({ description: 'Number of records: all of the stream' }),
  })
  .meta({ id: 'AcceptedStream', description: 'Every record of the stream is durable.' });

export const actionSchema = z
  .strictObject({ accepted: z.literal(true), action: z.string(), by: z.string() })
  .meta({ id: 'Action', description: 'The action is durable and takes effect in order with the records.' });

const waitFields = {
  text: z.string().meta({ description: 'A sentence that says what the other fields say' }),
  for: z.enum(Object.values(WAITS_FOR)),
  until: timestamp()
    .optional()
    .meta({ description: 'For age the latest time, for spacing the earliest; ISO 8601, UTC' }),
  by: z.string().optional().meta({ description: 'For resume: who paused the shard' }),
  since: timestamp()
    .optional()
    .meta({ description: 'For store: when it was found to be unavailable; ISO 8601, UTC' }),
  reason: z
    .string()
    .optional()
    .meta({ description: 'For store: why it is unavailable, as the store reports it' }),
};

const waitSchema = z
  .strictObject({
    ...waitFields,
    passedOverBy: z
      .array(conflictRuleSchema)
      .optional()
      .meta({ description: 'Rules that kept it out of a batch that has started since' }),
    keptApartBy: z
      .array(conflictRuleSchema)
      .optional()
      .meta({ description: 'Rules that keep it apart from an older buffered record' }),
  })
  .meta({ id: 'Wait', description: 'What must happen before its batch starts; see docs/RULES.md' });

export const waitsSchema = z
  .strictObject({
    shards: z.array(
      z.strictObject({
        shard: count(),
        batcher: z.string(),
        bufferedRecords: count(),
        waits: z.array(z.strictObject({ ...waitFields, records: count() })).meta({
          description: 'Covers all buffered records; those after the first 1,000 count as older_records',
        }),
        rules: ruleCountsSchema.meta({
          description:
            'Rules that delay records, because of a batch that has started or an older record; among the first 1,000',
        }),
      }),
    ),
  })
  .meta({ id: 'Waits' });

export const callerSchema = z
  .strictObject({
    name: z.string().nullable().meta({ description: 'Name of the API key; null if no key is needed' }),
    rights: z.array(z.enum(RIGHTS)),
  })
  .meta({ id: 'Caller' });

export const recordViewSchema = z
  .strictObject({
    recordId: recordId(),
    state: z.enum(Object.values(RECORD_STATE)),
    batchId: z.string().optional(),
    attempts: count().optional(),
    error: z.string().optional().meta({ description: 'Error of the last failed attempt' }),
    waitsFor: waitSchema.optional().meta({
      description:
        'Given for the first 1,000 buffered records, and for a record whose batch waits for an unavailable store',
    }),
  })
  .meta({ id: 'Record' });

export const requestViewSchema = z
  .strictObject({
    requestId: z.string(),
    redriveOf: z.string().optional().meta({ description: 'For a redrive: the record that it sends again' }),
    counts: z.record(z.enum(Object.values(RECORD_STATE)), count()),
    records: z.array(recordViewSchema).meta({ description: 'In the order in which the client sent them' }),
  })
  .meta({ id: 'Request' });

const batchSummaryFields = {
  batchId: z.string(),
  batcher: z.string().meta({ description: 'Workflow id of the batcher that started it' }),
  state: z.enum(BATCH_STATES),
  flushReason: z.enum(Object.values(FLUSH_REASON)),
  requestIds: z.array(z.string()),
  startedAt: timestamp(),
  closedAt: timestamp().nullable(),
  saved: count()
    .nullable()
    .meta({ description: 'This and the next two are known once the batch has completed' }),
  rolledBack: count().nullable(),
  retries: count().nullable(),
  runId: z.string().meta({ description: "Temporal's run id, for the Web UI" }),
};

export const batchSummarySchema = z.strictObject(batchSummaryFields).meta({ id: 'BatchSummary' });

export const batchPageSchema = z
  .strictObject({
    batches: z.array(batchSummarySchema),
    nextCursor: cursor(),
  })
  .meta({ id: 'BatchPage' });

const batchCutSchema = z
  .strictObject({
    text: z.string().meta({ description: 'A sentence that says what the other fields say' }),
    maxBatchSize: count().meta({ description: 'Maximum number of records when it was cut' }),
    why: z.enum([...Object.values(WHY_NO_LARGER), HELD_UP, PACED]),
    oldestMs: z.number().min(0).nullable().meta({
      description:
        'How long its oldest record had waited, in milliseconds. This and the fields below are null or empty for a full batch',
    }),
    left: count()
      .nullable()
      .meta({ description: 'Records that stayed in the buffer or left it after the batch' }),
    unseen: count()
      .nullable()
      .meta({ description: 'How many of those were not examined; the fields below cover the others' }),
    keptOut: ruleCountsSchema.meta({
      description:
        'By rule; a record kept out by several counts for each. At most 20 rules, those with the most records',
    }),
    tooLarge: count()
      .nullable()
      .meta({ description: 'Kept out by no rule, but too large in bytes for the batch' }),
    fitting: count().nullable().meta({
      description:
        'Would have fitted: they are in other batches, or delayed by batches in flight or by MAX_SAVES_PER_SECOND',
    }),
  })
  .meta({ id: 'BatchCut', description: 'Why the batch is not larger; see docs/RULES.md' });

const batchWorkSchema = z
  .strictObject({
    text: z.string().meta({ description: 'A sentence that says what the other fields say' }),
    step: z.enum(BATCH_STEPS),
    attempt: count(),
    error: z.string().nullable().meta({
      description: 'Why its last attempt failed, or why the store it waits for is unavailable',
    }),
    waitsForStoreSince: timestamp()
      .nullable()
      .meta({ description: 'Since when the store it waits for has been unavailable' }),
  })
  .meta({ id: 'BatchWork' });

export const batchViewSchema = z
  .strictObject({
    ...batchSummaryFields,
    file: z
      .string()
      .nullable()
      .meta({ description: 'Name of the file in OUT_DIR, once the batch has completed' }),
    cut: batchCutSchema,
    saving: batchSavingSchema,
    work: z.array(batchWorkSchema).meta({
      description: 'Steps of the batch or its child that are being retried or are waiting; usually empty',
    }),
    records: z.array(
      z.strictObject({
        recordId: recordId(),
        value: anyRecord(),
        outcome: z.enum(Object.values(OUTCOME)).nullable(),
        attempts: count().nullable(),
        error: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'Batch' });

export const deadLetterPageSchema = z
  .strictObject({
    deadLetters: z.array(
      z
        .strictObject({
          recordId: recordId(),
          requestId: z.string(),
          value: anyRecord(),
          attempts: count(),
          error: z.string().nullable(),
          rollbackError: z.string().nullable(),
          at: timestamp(),
          batchId: z.string(),
          batcher: z.string(),
          file: z.string(),
          redriveOf: z.string().nullable(),
          redrivenAs: z.string().nullable(),
        })
        .meta({ id: 'DeadLetter' }),
    ),
    nextCursor: cursor(),
  })
  .meta({ id: 'DeadLetterPage' });

export const deadLetterGroupsSchema = z
  .strictObject({
    groups: z.array(
      z
        .strictObject({
          error: z.string().meta({ description: 'With a # for what differs from record to record' }),
          records: count(),
          oldestAt: timestamp(),
          newestAt: timestamp(),
          forgottenAt: timestamp()
            .nullable()
            .meta({ description: 'When Temporal forgets the oldest of them' }),
          examples: z.array(recordId()),
        })
        .meta({ id: 'DeadLetterGroup' }),
    ),
    isWhole: z
      .boolean()
      .meta({ description: 'False when there are more than are looked at: the latest are counted' }),
  })
  .meta({ id: 'DeadLetterGroups' });

const redrivenSchema = z.array(z.strictObject({ recordId: recordId(), requestId: z.string() }));

export const redriveResultSchema = z
  .strictObject({
    redriven: redrivenSchema.meta({ description: 'Sent by this call' }),
    alreadyRedriven: redrivenSchema.meta({ description: 'Sent by an earlier call; not sent again' }),
    notFound: z.array(z.string()),
    by: z.string(),
  })
  .meta({ id: 'RedriveResult' });

export const drainReportSchema = z
  .strictObject({
    ...operatorActionFields,
    drained: z
      .boolean()
      .meta({ description: 'Whether everything accepted before the drain has its outcome' }),
    shards: z.array(
      z.strictObject({
        shard: count(),
        batcher: z.string(),
        bufferedRecords: count(),
        inFlight: count(),
        paused: operatorActionSchema.nullable(),
        storeAway: storeAwaySchema,
      }),
    ),
  })
  .meta({ id: 'DrainReport' });

export const healthSchema = z
  .strictObject({
    status: z.enum(['ok', 'ready']),
    storeAwaySince: timestamp().optional().meta({
      description:
        'When ready: since when batches have been waiting for an unavailable store; records are still accepted',
    }),
  })
  .meta({ id: 'Health' });

/** No schema says less than the type of its answer does. */
export type AnswersAgree = [
  Takes<typeof requestViewSchema, RequestView>,
  Takes<typeof waitsSchema, WaitsView>,
  Takes<typeof batchPageSchema, BatchPage>,
  Takes<typeof batchViewSchema, BatchView>,
  Takes<typeof deadLetterPageSchema, DeadLetterPage>,
  Takes<typeof deadLetterGroupsSchema, DeadLetterGroups>,
  Takes<typeof redriveResultSchema, RedriveResult & { by: string }>,
  Takes<typeof drainReportSchema, DrainReport>,
];
