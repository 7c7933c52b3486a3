import { z } from 'zod';
import { RIGHTS } from '../../../domain/rights';
import { anyRecord, count, recordId, timestamp } from './parts';

/* Answers of a few fields. */

export const acceptedListSchema = z
  .strictObject({
    requestId: z.string(),
    accepted: count().meta({ description: 'Number of records: all of the list' }),
    records: z.array(z.strictObject({ recordId: recordId(), value: anyRecord() })),
  })
  .meta({ id: 'AcceptedList', description: 'Every record of the list is durable.' });
export type AcceptedRecords = z.infer<typeof acceptedListSchema>;

export const acceptedStreamSchema = z
  .strictObject({
    requestId: z.string(),
    accepted: count().meta({ description: 'Number of records: all of the stream' }),
  })
  .meta({ id: 'AcceptedStream', description: 'Every record of the stream is durable.' });
export type AcceptedStream = z.infer<typeof acceptedStreamSchema>;

export const actionSchema = z
  .strictObject({ accepted: z.literal(true), action: z.enum(['flush', 'pause', 'resume']), by: z.string() })
  .meta({ id: 'Action', description: 'The action is durable and takes effect in order with the records.' });
/** The answer to a manual operation, with the operator's name as it is stored in the history. */
export type OperatorAnswer = z.infer<typeof actionSchema>;

export const callerSchema = z
  .strictObject({
    name: z.string().nullable().meta({ description: 'Name of the API key; null if no key is needed' }),
    rights: z.array(z.enum(RIGHTS)),
  })
  .meta({ id: 'Caller' });
/** The caller, as the API sees it. */
export type Caller = z.infer<typeof callerSchema>;

export const healthSchema = z
  .strictObject({
    status: z.enum(['ok', 'ready']),
    storeAwaySince: timestamp().exactOptional().meta({
      description:
        'When ready: since when batches have been waiting for an unavailable store; records are still accepted',
    }),
  })
  .meta({ id: 'Health' });
export type Health = z.infer<typeof healthSchema>;
