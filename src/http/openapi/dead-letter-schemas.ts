import { z } from 'zod';
import type { RedriveSelection } from '../../contracts/api/filters';
import { REDRIVEN } from '../../contracts/api/states';
import { idSchema, operatorField, pageFields } from './schemas';

/** How many records one redrive may name. */
const MAX_NAMED_RECORDS = 1000;

/** `GET /v1/dead-letters?limit=&cursor=&requestId=&batchId=&redriven=`. */
export const deadLettersQuerySchema = z.strictObject({
  ...pageFields,
  requestId: idSchema.exactOptional(),
  batchId: idSchema.exactOptional(),
  redriven: z.enum(REDRIVEN, { error: `one of ${REDRIVEN.join(', ')}` }).default('false'),
});

const WAYS = ['records', 'batchId', 'requestId', 'error', 'all'] as const;

/** `{"records":[…]}`, `{"batchId":"…"}`, `{"requestId":"…"}` or `{"all":true}`, and perhaps `by`. */
export const redriveBodySchema = z
  .strictObject(
    {
      ...operatorField,
      records: z
        .array(idSchema, { error: 'a list of recordIds' })
        .min(1, { error: 'at least one recordId' })
        .max(MAX_NAMED_RECORDS, { error: `at most ${MAX_NAMED_RECORDS} recordIds` })
        .exactOptional(),
      batchId: idSchema.exactOptional(),
      requestId: idSchema.exactOptional(),
      error: z
        .string({ error: 'the error of a group' })
        .min(1, { error: 'the error of a group' })
        .max(10_000, { error: 'the error of a group' })
        .exactOptional()
        .meta({ description: 'All of a group that `GET /v1/dead-letters/groups` lists' }),
      all: z.literal(true, { error: 'true' }).exactOptional(),
    },
    { error: `an object with one of ${WAYS.join(', ')}` },
  )
  .meta({ override: { oneOf: WAYS.map((way) => ({ required: [way] })) } })
  .transform(({ by, ...ways }, context): { by: string | undefined; selection: RedriveSelection } => {
    const given = WAYS.filter((way) => ways[way] !== undefined);
    if (given.length === 1) return { by, selection: ways as RedriveSelection };
    const received = given.length === 0 ? 'none of them' : given.join(' and ');
    const message = `exactly one of ${WAYS.join(', ')}`;
    context.addIssue({ code: 'custom', message, params: { received } });
    return z.NEVER;
  });
