import { z } from 'zod';
import { ERRORS, SHARD_CHANGE, type ErrorCode } from '../../domain/errors';

/** The errors of the catalogue that HTTP clients can get. */
const HTTP_CODES = Object.entries(ERRORS).flatMap(([code, entry]) =>
  'status' in entry ? [code as ErrorCode] : [],
);

/** The result of `problemOf`: problem details (RFC 9457) with our extensions. */
const problemSchema = z
  .strictObject({
    type: z.string().meta({ examples: ['urn:keepapart:error:buffer-full'] }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().optional().meta({
      description: 'Identifies the HTTP request in the log; absent if the bytes received were not a request',
    }),
    code: z.enum(HTTP_CODES).meta({ description: 'Stable; docs/ERRORS.md explains each' }),
    problems: z
      .array(
        z.strictObject({
          field: z.string().meta({ description: 'JSON Pointer into the body, or the name of a parameter' }),
          expected: z.string(),
          received: z.string(),
        }),
      )
      .optional()
      .meta({ description: 'Each problem with its position' }),
    shards: z
      .array(
        z.strictObject({
          batcher: z.string(),
          change: z.enum(Object.values(SHARD_CHANGE)),
          reason: z.string().optional(),
        }),
      )
      .optional()
      .meta({ description: 'After a change of limits: the result for each shard' }),
    requestId: z.string().optional().meta({ description: 'After a broken stream: its requestId' }),
    accepted: z
      .int()
      .min(0)
      .optional()
      .meta({ description: 'After a broken stream: the number of its first records that are durable' }),
  })
  .meta({ id: 'Problem', description: 'Problem details (RFC 9457)' });

/** A refusal with one of these codes. */
export function problemWithCode(codes: readonly ErrorCode[]): z.ZodType {
  return z.intersection(problemSchema, z.looseObject({ code: z.enum(codes) }));
}
