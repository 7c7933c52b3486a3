import { z } from 'zod';
import { BATCH_STATES } from '../contracts/views';
import { jsonBytes } from '../domain/json';
import type { JsonValue } from '../domain/json';
import type { HttpLimits } from './deps';

/** Levels of lists and objects in one record. */
export const MAX_RECORD_DEPTH = 32;

/** A record stands in a list, which may stand in an object. */
export const MAX_BODY_DEPTH = MAX_RECORD_DEPTH + 2;

/** One record: any JSON value but a list, so that a list in a list is never taken for something else. */
export function recordSchema(limits: HttpLimits) {
  return z
    .custom<JsonValue>()
    .superRefine((record, context) => {
      const wrong = whatIsWrong(record, limits);
      if (wrong) context.addIssue({ code: 'custom', message: wrong.expected, params: wrong });
    })
    .meta({ description: 'Any JSON value but a list' });
}

function whatIsWrong(
  record: JsonValue,
  { maxRecordBytes }: HttpLimits,
): { expected: string; received?: string } | undefined {
  if (Array.isArray(record)) return { expected: 'a record that is not itself a list' };
  if (isDeeperThan(record, MAX_RECORD_DEPTH))
    return { expected: `a record of at most ${MAX_RECORD_DEPTH} levels`, received: 'more levels' };
  // Counted as it is kept: `1e20` takes four bytes on the wire and 21 as compact JSON.
  const bytes = jsonBytes(record);
  if (bytes <= maxRecordBytes) return undefined;
  return { expected: `a record of at most ${maxRecordBytes} bytes`, received: `${bytes} bytes` };
}

/** The bare list; its length is looked at first, so that what is far too long costs little. */
export function recordListSchema(limits: HttpLimits) {
  const most = limits.maxRequestRecords;
  return z
    .array(z.custom<JsonValue>(), { error: 'a list of records' })
    .min(1, { error: 'at least one record' })
    .max(most, { error: `at most ${most} records` })
    .pipe(z.array(recordSchema(limits)));
}

/** `{"records": […]}`. */
export function recordEnvelopeSchema(limits: HttpLimits) {
  return z.strictObject(
    { records: recordListSchema(limits) },
    { error: 'a list of records, or {"records": [...]}' },
  );
}

/** Who does something by hand: letters, digits, punctuation, symbols and spaces; nothing that moves a terminal. */
export const operatorField = {
  by: z
    .string({ error: 'a name of 1 to 64 printable characters' })
    .regex(/^(?! )[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,64}$/u, {
      error: 'a name of 1 to 64 printable characters',
    })
    .exactOptional(),
};

export const operatorBodySchema = z.strictObject(operatorField, { error: 'an object' });

/** `?limit=&cursor=` of every list that comes in pages. */
export const pageFields = {
  limit: z
    .string({ error: 'a whole number from 1 to 200' })
    .regex(/^([1-9]\d?|1\d\d|200)$/, { error: 'a whole number from 1 to 200' })
    .default('50')
    .transform(Number),
  cursor: z
    .string({ error: 'the nextCursor of the page before' })
    .min(1, { error: 'the nextCursor of the page before' })
    .exactOptional(),
};

/** `GET /v1/batches?state=&limit=&cursor=`. */
export const batchesQuerySchema = z.strictObject({
  state: z.enum(BATCH_STATES, { error: `one of ${BATCH_STATES.join(', ')}` }).exactOptional(),
  ...pageFields,
});

const ID_EXPECTED = { error: 'an id of 1 to 255 printable characters' };

/** An id as it may stand in a path: what is longer or holds control characters is none of ours. */
export const idSchema = z.string(ID_EXPECTED).regex(/^[^\p{C}]{1,255}$/u, ID_EXPECTED);

function isDeeperThan(value: JsonValue, levels: number): boolean {
  if (value === null || typeof value !== 'object') return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}
