import { z } from 'zod';
import type { ZodOpenApiOverride } from 'zod-openapi';
import { isKnowableRequestId } from '../../contracts/workflow/ids';
import { BATCH_STATES } from '../../contracts/api/views';

/** Who does something by hand: letters, digits, punctuation, symbols and spaces; nothing that moves a terminal. */
export const operatorField = {
  by: z
    .string({ error: 'a name of 1 to 64 printable characters' })
    .regex(/^[\p{L}\p{M}\p{N}\p{P}\p{S}][\p{L}\p{M}\p{N}\p{P}\p{S} ]{0,63}$/u, {
      error: 'a name of 1 to 64 printable characters',
    })
    .exactOptional(),
};

export const operatorBodySchema = z.strictObject(operatorField, { error: 'an object' });

/** A query holds text alone; generated clients had better see a number. */
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
 * An id as it may stand in a path: what is longer or holds control or formatting characters is none of ours. By their
 * numbers, as what a class of Unicode holds depends on its version.
 */
export const idSchema = z
  .string(ID_EXPECTED)
  .regex(/^[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]{1,255}$/u, ID_EXPECTED)
  // Half a character is none, and patterns that name surrogates can't be read everywhere.
  .refine((id) => !/\p{Cs}/u.test(id), ID_EXPECTED);

/** `GET /v1/batches?state=&requestId=&limit=&cursor=`. */
export const batchesQuerySchema = z.strictObject({
  state: z.enum(BATCH_STATES, { error: `one of ${BATCH_STATES.join(', ')}` }).exactOptional(),
  requestId: idSchema.refine(isKnowableRequestId, { error: 'the id of a request' }).exactOptional(),
  ...pageFields,
});
