import { z } from 'zod';
import { anyRecord, count, cursor, recordId, timestamp } from './parts';

const deadLetterSchema = z
  .strictObject({
    recordId: recordId(),
    requestId: z.string(),
    value: anyRecord(),
    /** Number of `save` attempts; 0 if unknown. */
    attempts: count(),
    /** Error of the last attempt. */
    error: z.string().nullable(),
    /** Why the rollback failed, so that something may be left in the store; null if it succeeded. */
    rollbackError: z.string().nullable(),
    /** When it was rolled back. */
    at: timestamp(),
    batchId: z.string(),
    /** Workflow id of the batcher that started the batch. */
    batcher: z.string(),
    /** Name of the batch's file in `OUT_DIR`. */
    file: z.string(),
    /** The client's original record, if this one was sent by a redrive; otherwise null. */
    redriveOf: z.string().nullable(),
    /** The request that redrove this dead letter; null if none did. */
    redrivenAs: z.string().nullable(),
  })
  .meta({ id: 'DeadLetter' });
/** A rolled-back record, kept for an operator. */
export type DeadLetter = z.infer<typeof deadLetterSchema>;

export const deadLetterPageSchema = z
  .strictObject({ deadLetters: z.array(deadLetterSchema), nextCursor: cursor() })
  .meta({ id: 'DeadLetterPage' });
/** Dead letters, by the time at which their batches closed, latest first. */
export type DeadLetterPage = z.infer<typeof deadLetterPageSchema>;

const deadLetterGroupSchema = z
  .strictObject({
    error: z.string().meta({ description: 'With a # for what differs from record to record' }),
    records: count(),
    /** When the first was rolled back. */
    oldestAt: timestamp(),
    /** When the last was rolled back. */
    newestAt: timestamp(),
    /** Null where Temporal's retention period isn't known. */
    forgottenAt: timestamp().nullable().meta({ description: 'When Temporal forgets the oldest of them' }),
    examples: z.array(recordId()),
  })
  .meta({ id: 'DeadLetterGroup' });
/** Dead letters with the same kind of error, without those that were sent again. */
export type DeadLetterGroup = z.infer<typeof deadLetterGroupSchema>;

export const deadLetterGroupsSchema = z
  .strictObject({
    /** The largest first. */
    groups: z.array(deadLetterGroupSchema),
    isWhole: z
      .boolean()
      .meta({ description: 'False when there are more than are looked at: the latest are counted' }),
  })
  .meta({ id: 'DeadLetterGroups' });
export type DeadLetterGroups = z.infer<typeof deadLetterGroupsSchema>;

const redrivenRecordSchema = z.strictObject({ recordId: recordId(), requestId: z.string() });
/** A dead letter and the request that redrives it. */
export type RedrivenRecord = z.infer<typeof redrivenRecordSchema>;

export const redriveAnswerSchema = z
  .strictObject({
    redriven: z.array(redrivenRecordSchema).meta({ description: 'Sent by this call' }),
    alreadyRedriven: z
      .array(redrivenRecordSchema)
      .meta({ description: 'Sent by an earlier call; not sent again' }),
    /** Selected records that are not dead letters, or whose retention period is over. */
    notFound: z.array(z.string()),
    /** The operator's name. */
    by: z.string(),
  })
  .meta({ id: 'RedriveResult' });
export type RedriveAnswer = z.infer<typeof redriveAnswerSchema>;
export type RedriveResult = Omit<RedriveAnswer, 'by'>;
