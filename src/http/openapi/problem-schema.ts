import { z } from 'zod';
import { ERRORS, SHARD_CHANGE, type ErrorCode } from '../../domain/errors';

/** Those of the catalogue that an HTTP client can meet. */
const HTTP_CODES = Object.entries(ERRORS).flatMap(([code, entry]) =>
  'status' in entry ? [code as ErrorCode] : [],
);

/** What `problemOf` makes: problem details (RFC 9457) with our extensions. */
const problemSchema = z
  .strictObject({
    type: z.string().meta({ examples: ['urn:keepapart:error:buffer-full'] }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z
      .string()
      .optional()
      .meta({ description: 'Names the HTTP request in our log; absent where it never became one' }),
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
      .meta({ description: 'What is wrong, place by place' }),
    shards: z
      .array(
        z.strictObject({
          batcher: z.string(),
          change: z.enum(Object.values(SHARD_CHANGE)),
          reason: z.string().optional(),
        }),
      )
      .optional()
      .meta({ description: 'Of a change of limits: what has come of it in each shard' }),
    requestId: z.string().optional().meta({ description: 'Of a stream that broke' }),
    accepted: z
      .int()
      .min(0)
      .optional()
      .meta({ description: 'Of a stream that broke: so many records, from its first on, are durable' }),
  })
  .meta({ id: 'Problem', description: 'Problem details (RFC 9457)' });

/** A refusal with one of these codes. */
export function problemWithCode(codes: readonly ErrorCode[]): z.ZodType {
  return z.intersection(problemSchema, z.looseObject({ code: z.enum(codes) }));
}
