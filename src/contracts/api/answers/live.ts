import { z } from 'zod';
import { ERRORS, type ErrorCode } from '../../../domain/errors';
import { WAITS_FOR } from '../../workflow/waits';
import { count, millisecondsSinceEpoch } from './parts';
import { waitsSchema } from './requests';
import { statusSchema } from './status';

const amount = () => z.number().min(0);
const rate = () => z.number().min(0).nullable();

const latencySchema = z
  .strictObject({ p50: amount(), p95: amount(), p99: amount() })
  .meta({ id: 'Latency', description: 'Percentiles, in milliseconds' });
export type Latency = z.infer<typeof latencySchema>;

const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];

const pointSchema = z
  .strictObject({
    atMs: millisecondsSinceEpoch(),
    accepted: rate(),
    saved: rate(),
    rolledBack: rate(),
    retries: rate(),
    /** Age of the oldest buffered record; 0 where there is none. */
    oldestAgeMs: amount(),
    /** For how long the oldest due record has been due; 0 where there is none. */
    dueAgeMs: amount(),
    buffered: count(),
    inFlight: count(),
    fill: rate().meta({ description: 'Records per place of the batches cut since the point before' }),
    batches: rate().meta({ description: 'Batches cut since then' }),
    lowerBound: rate().meta({ description: 'The fewest there could have been' }),
    waits: z
      .partialRecord(z.enum(Object.values(WAITS_FOR)), count())
      .meta({ description: 'Buffered records by what they wait for' }),
    refused: z
      .partialRecord(z.enum(ERROR_CODES), amount())
      .meta({ description: 'Requests that this process refused, per second, by code' }),
    commit: latencySchema
      .nullable()
      .meta({ description: 'How long records took to be durable, in this process' }),
    save: latencySchema.nullable().meta({
      description: 'How long the store took to save, if the worker is in this process',
    }),
  })
  .meta({ id: 'Point', description: 'Rates are per second since the point before; null where unknown' });
/** What plots show of one moment. */
export type Point = z.infer<typeof pointSchema>;

const pictureSchema = z
  .strictObject({
    atMs: millisecondsSinceEpoch(),
    status: statusSchema
      .nullable()
      .meta({ description: 'Null while no batcher has answered for 20 seconds' }),
    waits: waitsSchema,
    asOfMs: millisecondsSinceEpoch()
      .nullable()
      .meta({ description: "When the oldest of the batchers' answers was asked for" }),
    silent: z.array(z.string()).meta({ description: 'Batchers that have not answered for 4 seconds' }),
    point: pointSchema.nullable(),
  })
  .meta({ id: 'Picture' });
/** One picture: the data of an event `picture`. */
export type LiveView = z.infer<typeof pictureSchema>;
/** The state of every shard at one moment, from the last answer of each batcher. */
export type Overview = Omit<LiveView, 'atMs' | 'point'>;

/** Rows hold the values of the fields, in their order; the type of a row can't be expressed more narrowly. */
const rowSchema = z.array(z.unknown()).meta({ description: 'Values in the order of `fields`' });
const historySchema = z
  .strictObject({
    sinceMs: millisecondsSinceEpoch().meta({ description: 'Since when this process has remembered' }),
    fields: z.array(z.string()).meta({ description: 'Names of the fields of a point' }),
    seconds: z.array(rowSchema),
    tens: z.array(rowSchema),
  })
  .meta({ id: 'History', description: 'Points as rows, oldest first' });
/** Points as they are sent. */
export type PackedHistory = z.infer<typeof historySchema>;

const eventFields = { id: z.string() };

export const liveEventSchema = z
  .union([
    z.strictObject({ event: z.literal('picture'), ...eventFields, data: pictureSchema }),
    z.strictObject({ event: z.literal('history'), ...eventFields, data: historySchema }),
  ])
  .meta({ id: 'LiveEvent' });
