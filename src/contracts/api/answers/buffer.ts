import { z } from 'zod';
import { anyRecord, count, recordId, timestamp } from './parts';

const bufferedRecordSchema = z
  .strictObject({
    recordId: recordId(),
    value: anyRecord(),
    acceptedAt: timestamp(),
    heldBy: z
      .strictObject({
        batches: z.array(z.string()).meta({
          description: 'In flight, at most five; where several share a workflow, the id of that workflow',
        }),
        until: timestamp().nullable().meta({
          description: 'When what has ended stops holding it; null if nothing of that does',
        }),
      })
      .nullable()
      .meta({ description: 'Null if nothing keeps it from starting' }),
  })
  .meta({ id: 'BufferedRecord' });
export type BufferedRecordView = z.infer<typeof bufferedRecordSchema>;

export const bufferSchema = z
  .strictObject({
    shards: z.array(
      z
        .strictObject({
          shard: count(),
          batcher: z.string(),
          records: z.array(bufferedRecordSchema),
          more: count().meta({ description: 'How many more are buffered' }),
        })
        .meta({ id: 'ShardBuffer' }),
    ),
  })
  .meta({ id: 'Buffer' });
/** The first records of every buffer, in order of acceptance: at most 300 records or 64 KiB of values per shard. */
export type BufferView = z.infer<typeof bufferSchema>;
