import { z } from 'zod';
import { RECORD_STATE } from '../states';
import { WAITS_FOR } from '../../workflow/waits';
import { count, recordId, timestamp } from './parts';
import { conflictRuleSchema, ruleCountsSchema } from './rules';

const waitFields = {
  text: z.string().meta({ description: 'A sentence that says what the other fields say' }),
  for: z.enum(Object.values(WAITS_FOR)),
  until: timestamp().exactOptional().meta({
    description:
      'For age the latest time, for spacing the earliest, for conflict the end of APART_MS; ISO 8601, UTC',
  }),
  heldBy: z
    .strictObject({
      rule: conflictRuleSchema.exactOptional(),
      batchId: z.string().exactOptional(),
      recordId: z.string().exactOptional(),
    })
    .exactOptional()
    .meta({
      description:
        'For conflict: the batch or the older record that it conflicts with, and the rule that keeps the two apart',
    }),
  by: z.string().exactOptional().meta({ description: 'For resume: who paused the shard' }),
  since: timestamp()
    .exactOptional()
    .meta({ description: 'For store: when it was found to be unavailable; ISO 8601, UTC' }),
  reason: z
    .string()
    .exactOptional()
    .meta({ description: 'For store: why it is unavailable, as the store reports it' }),
};

const waitSchema = z
  .strictObject({
    ...waitFields,
    passedOverBy: z
      .array(conflictRuleSchema)
      .exactOptional()
      .meta({ description: 'Rules that kept it out of a batch that has started since' }),
    keptApartBy: z
      .array(conflictRuleSchema)
      .exactOptional()
      .meta({ description: 'Rules that keep it apart from an older buffered record' }),
  })
  .meta({ id: 'Wait', description: 'What must happen before its batch starts; see docs/RULES.md' });
/** What has to happen before the batch of a buffered record starts. */
export type WaitView = z.infer<typeof waitSchema>;

const waitCountSchema = z.strictObject({ ...waitFields, records: count() });
/** How many buffered records have the same wait. */
export type WaitCountView = z.infer<typeof waitCountSchema>;

const shardWaitsSchema = z.strictObject({
  shard: count(),
  batcher: z.string(),
  bufferedRecords: count(),
  /** Most records first. */
  waits: z.array(waitCountSchema).meta({
    description: 'Covers all buffered records; those after the first 1,000 count as older_records',
  }),
  /** The 20 rules that delay most of them. */
  rules: ruleCountsSchema.meta({
    description:
      'Rules that delay records, because of a batch that has started or an older record; among the first 1,000',
  }),
});
/** What the buffered records of a shard wait for. */
export type ShardWaitsView = z.infer<typeof shardWaitsSchema>;

export const waitsSchema = z.strictObject({ shards: z.array(shardWaitsSchema) }).meta({ id: 'Waits' });
/** What all buffered records wait for. */
export type WaitsView = z.infer<typeof waitsSchema>;

export const recordViewSchema = z
  .strictObject({
    recordId: recordId(),
    state: z.enum(Object.values(RECORD_STATE)),
    batchId: z.string().exactOptional(),
    /** While `in_batch` and not saved yet, the number of the current or next attempt. */
    attempts: count().exactOptional(),
    error: z.string().exactOptional().meta({ description: 'Error of the last failed attempt' }),
    waitsFor: waitSchema.exactOptional().meta({
      description:
        'Given for the first 1,000 buffered records, and for a record whose batch waits for an unavailable store',
    }),
  })
  .meta({ id: 'Record' });
/** The state of one record of a request. */
export type RecordView = z.infer<typeof recordViewSchema>;

export const requestViewSchema = z
  .strictObject({
    requestId: z.string(),
    redriveOf: z
      .string()
      .exactOptional()
      .meta({ description: 'For a redrive: the record that it sends again' }),
    /** Number of records in each state. */
    counts: z.record(z.enum(Object.values(RECORD_STATE)), count()),
    records: z.array(recordViewSchema).meta({ description: 'In the order in which the client sent them' }),
  })
  .meta({ id: 'Request' });
export type RequestView = z.infer<typeof requestViewSchema>;
