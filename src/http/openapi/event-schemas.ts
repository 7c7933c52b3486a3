import { z } from 'zod';
import type { LiveView, Point } from '../../contracts/api/live';
import { ERRORS, type ErrorCode } from '../../domain/errors';
import { WAITS_FOR } from '../../contracts/workflow/waits';
import { waitsSchema } from './answers';
import { count, millisecondsSinceEpoch, type Takes } from './answer-parts';
import { statusSchema } from './status-schemas';

const amount = () => z.number().min(0);
const rate = () => z.number().min(0).nullable();

const latencySchema = z
  .strictObject({ p50: amount(), p95: amount(), p99: amount() })
  .meta({ id: 'Latency', description: 'Percentiles, in milliseconds' })
  .nullable();

const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];

const pointSchema = z
  .strictObject({
    atMs: millisecondsSinceEpoch(),
    accepted: rate(),
    saved: rate(),
    rolledBack: rate(),
    retries: rate(),
    oldestAgeMs: amount(),
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
    commit: latencySchema.meta({ description: 'How long records took to be durable, in this process' }),
    save: latencySchema.meta({
      description: 'How long the store took to save, if the worker is in this process',
    }),
  })
  .meta({ id: 'Point', description: 'Rates are per second since the point before; null where unknown' });

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

const eventFields = { id: z.string() };

export const liveEventSchema = z
  .union([
    z.strictObject({ event: z.literal('picture'), ...eventFields, data: pictureSchema }),
    z.strictObject({ event: z.literal('history'), ...eventFields, data: historySchema }),
  ])
  .meta({ id: 'LiveEvent' });

/** No schema says less than the type of its answer does. */
export type EventsAgree = [Takes<typeof pictureSchema, LiveView>, Takes<typeof pointSchema, Point>];
