import { z } from 'zod';
import { WHY_NO_LARGER } from '../../../domain/explain';
import { HELD_UP, PACED } from '../../../domain/explain/cut-reason';
import { FLUSH_REASON } from '../../../domain/records/batch';
import { OUTCOME } from '../../../domain/records/outcome';
import { BATCH_STATES, BATCH_STEPS } from '../states';
import { anyRecord, count, cursor, recordId, timestamp } from './parts';
import { ruleCountsSchema } from './rules';
import { saveShapeSchema } from './status';

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
export type BatchSummary = z.infer<typeof batchSummarySchema>;

export const batchPageSchema = z
  .strictObject({
    batches: z.array(batchSummarySchema),
    nextCursor: cursor(),
  })
  .meta({ id: 'BatchPage' });
export type BatchPage = z.infer<typeof batchPageSchema>;

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
/** Why a batch has the records that it has. */
export type BatchCutView = z.infer<typeof batchCutSchema>;

const batchSavingSchema = z
  .strictObject({ text: z.string(), shape: saveShapeSchema, due: count().nullable() })
  .meta({ id: 'BatchSaving', description: 'How the records of the batch are saved, and why' });
/** How the records of a batch are saved. */
export type BatchSavingView = z.infer<typeof batchSavingSchema>;

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
/** A step of an unfinished batch that is being retried, or waits. */
export type BatchWorkView = z.infer<typeof batchWorkSchema>;

const batchRecordSchema = z.strictObject({
  recordId: recordId(),
  value: anyRecord(),
  outcome: z.enum(Object.values(OUTCOME)).nullable(),
  attempts: count().nullable(),
  error: z.string().nullable(),
});
export type BatchRecordView = z.infer<typeof batchRecordSchema>;

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
    records: z.array(batchRecordSchema),
  })
  .meta({ id: 'Batch' });
export type BatchView = z.infer<typeof batchViewSchema>;
