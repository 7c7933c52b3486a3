import { z } from 'zod';
import { RECORD_STATE } from '../states';
import { batchSummarySchema } from './batches';
import { count } from './parts';
import { recordViewSchema } from './requests';

const foundRequestSchema = z
  .strictObject({
    requestId: z.string(),
    redriveOf: z.string().nullable().meta({ description: 'For a redrive: the record that it sends again' }),
    records: count(),
    counts: z.record(z.enum(Object.values(RECORD_STATE)), count()),
  })
  .meta({ id: 'FoundRequest' });
/** A request in figures. */
export type FoundRequest = z.infer<typeof foundRequestSchema>;

const foundSchema = z.union([
  z.strictObject({
    kind: z.literal('record'),
    record: recordViewSchema,
    request: foundRequestSchema,
  }),
  // `log`: the request that the API logged under that id.
  z.strictObject({ kind: z.enum(['request', 'log']), request: foundRequestSchema }),
  z.strictObject({
    kind: z.literal('batch'),
    batch: batchSummarySchema,
    file: z.string().nullable(),
  }),
]);
/** Something that has the id that was looked for. */
export type FoundView = z.infer<typeof foundSchema>;

export const findSchema = z
  .strictObject({
    query: z.string(),
    found: z
      .array(foundSchema)
      .meta({ description: 'What it most likely means first; empty when nothing is known under that id' }),
  })
  .meta({ id: 'Found' });
export type FindView = z.infer<typeof findSchema>;
