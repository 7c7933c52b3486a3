import { z } from 'zod';
import { count, operatorActionFields, operatorActionSchema } from './parts';
import { storeAwaySchema } from './status';

const drainingShardSchema = z.strictObject({
  shard: count(),
  /** Workflow id of its batcher. */
  batcher: z.string(),
  bufferedRecords: count(),
  /** Number of batches in flight. */
  inFlight: count(),
  /** Who paused the shard, and when; null if it isn't paused. */
  paused: operatorActionSchema.nullable(),
  storeAway: storeAwaySchema,
});
/** The records of one shard that were accepted before a drain and have no outcome yet. */
export type DrainingShard = z.infer<typeof drainingShardSchema>;

export const drainReportSchema = z
  .strictObject({
    ...operatorActionFields,
    drained: z
      .boolean()
      .meta({ description: 'Whether everything accepted before the drain has its outcome' }),
    shards: z.array(drainingShardSchema),
  })
  .meta({ id: 'DrainReport' });
/** The progress of a drain. */
export type DrainReport = z.infer<typeof drainReportSchema>;
