import { z } from 'zod';
import type { ZodOpenApiOverride } from 'zod-openapi';
import { LIMITS } from '../../contracts/api/answers/limits';
import { isKnowableRequestId } from '../../contracts/workflow/ids';
import { BATCH_STATES } from '../../contracts/api/states';

/** The operator's name: letters, digits, punctuation, symbols and spaces; no control characters. */
export const operatorField = {
  by: z
    .string({ error: 'a name of 1 to 64 printable characters' })
    .regex(/^[\p{L}\p{M}\p{N}\p{P}\p{S}][\p{L}\p{M}\p{N}\p{P}\p{S} ]{0,63}$/u, {
      error: 'a name of 1 to 64 printable characters',
    })
    .exactOptional(),
};

export const operatorBodySchema = z.strictObject(operatorField, { error: 'an object' });

/** A query contains only text, but generated clients should see a number. */
function describeAsInteger(bounds: {
  minimum: number;
  maximum: number;
  default: number;
}): ZodOpenApiOverride {
  return ({ jsonSchema }) => {
    delete jsonSchema.pattern;
    Object.assign(jsonSchema, { type: 'integer', ...bounds });
  };
}

const CURSOR_EXPECTED = { error: 'the nextCursor of the page before' };

/** `?limit=&cursor=` of every list that comes in pages. */
export const pageFields = {
  limit: z
    .string({ error: 'a whole number from 1 to 200' })
    .regex(/^([1-9]\d?|1\d\d|200)$/, { error: 'a whole number from 1 to 200' })
    .default('50')
    .transform(Number)
    .meta({ override: describeAsInteger({ minimum: 1, maximum: 200, default: 50 }) }),
  cursor: z
    .string(CURSOR_EXPECTED)
    .regex(/^[A-Za-z0-9_-]{1,4096}$/, CURSOR_EXPECTED)
    .exactOptional(),
};

const ID_EXPECTED = { error: 'an id of 1 to 255 printable characters' };

/**
 * An id in a path. We never issue ids that are longer or contain control or formatting characters. The characters are
 * listed by number, because the content of a Unicode class depends on its version.
 */
export const idSchema = z
  .string(ID_EXPECTED)
  .regex(/^[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]{1,255}$/u, ID_EXPECTED)
  // Lone surrogates are refused; not by the pattern, because not every reader supports surrogates there.
  .refine((id) => !/\p{Cs}/u.test(id), ID_EXPECTED);

/** `GET /v1/batches?state=&requestId=&limit=&cursor=`. */
export const batchesQuerySchema = z.strictObject({
  state: z.enum(BATCH_STATES, { error: `one of ${BATCH_STATES.join(', ')}` }).exactOptional(),
  requestId: idSchema.refine(isKnowableRequestId, { error: 'the id of a request' }).exactOptional(),
  ...pageFields,
});

/** For the description; `problemsOfLimitsPatch` validates the body, with the same ranges. */
export const limitsPatchSchema = z
  .strictObject({
    ...operatorField,
    maxBatchSize: LIMITS.maxBatchSize.nullable().optional(),
    conflicts: LIMITS.conflicts.nullable().optional(),
    flushIntervalMs: LIMITS.flushIntervalMs.nullable().optional(),
    batchSpacingMs: LIMITS.batchSpacingMs.nullable().optional(),
    maxSavesPerSecond: LIMITS.maxSavesPerSecond.nullable().optional(),
    maxInFlight: LIMITS.maxInFlight.nullable().optional(),
    maxAttempts: LIMITS.maxAttempts.nullable().optional(),
    retryIntervalMs: LIMITS.retryIntervalMs.nullable().optional(),
  })
  .meta({
    id: 'LimitsPatch',
    description: 'Limits that are not named stay unchanged; null resets a limit to the configuration',
  });
