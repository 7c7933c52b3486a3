import { z } from 'zod';
import { isKeepapartError, KeepapartError } from '../domain/errors';
import { jsonBytes, type JsonValue } from '../domain/json';
import { MAX_RECORD_DEPTH } from '../domain/record';
import { parseJsonText } from './json-text';
import { validate } from './problems';

/** Bounds on what one client may send at once; see the settings of the same names in `docs/CONFIGURATION.md`. */
export interface RecordLimits {
  /** Of one record, as compact JSON in UTF-8. */
  maxRecordBytes: number;
  /** Of one body after decompression, and of its records written as compact JSON again. */
  maxRequestBytes: number;
  /** Records in one list. */
  maxRequestRecords: number;
}

/** A record stands in a list, which may stand in an object. */
export const MAX_BODY_DEPTH = MAX_RECORD_DEPTH + 2;

/** What a record is, in JSON Schema, which has no schema for our own checks. */
export const ANY_RECORD = {
  type: ['string', 'number', 'boolean', 'object', 'null'],
  description: 'Any JSON value but a list',
} as const;

/** One record: any JSON value but a list, so that a list in a list is never taken for something else. */
function recordSchema(limits: RecordLimits) {
  return z
    .custom<JsonValue>()
    .superRefine((record, context) => {
      const wrong = whatIsWrong(record, limits);
      if (wrong) context.addIssue({ code: 'custom', message: wrong.expected, params: wrong });
    })
    .meta(ANY_RECORD);
}

function whatIsWrong(
  record: JsonValue,
  { maxRecordBytes }: RecordLimits,
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
export function recordListSchema(limits: RecordLimits) {
  const most = limits.maxRequestRecords;
  return z
    .array(z.custom<JsonValue>().meta(ANY_RECORD), { error: 'a list of records' })
    .min(1, { error: 'at least one record' })
    .max(most, { error: `at most ${most} records` })
    .pipe(z.array(recordSchema(limits)));
}

/** `{"records": […]}`. */
export function recordEnvelopeSchema(limits: RecordLimits) {
  return z.strictObject(
    { records: recordListSchema(limits) },
    { error: 'a list of records, or {"records": [...]}' },
  );
}

/** A body, whichever of its two shapes it has, as the list of records that it holds; refused whole or not at all. */
export function recordsReader(limits: RecordLimits): (body: JsonValue | undefined) => JsonValue[] {
  const list = recordListSchema(limits);
  const envelope = recordEnvelopeSchema(limits);
  const detail = 'The records are not valid; none was taken';
  return (body) => {
    const values = Array.isArray(body)
      ? validate(list, body, detail)
      : validate(envelope, body, detail).records;
    const bytes = jsonBytes(values);
    if (bytes > limits.maxRequestBytes) {
      const detail = `The records take ${bytes} bytes as compact JSON, more than ${limits.maxRequestBytes}`;
      throw new KeepapartError('request-too-large', detail);
    }
    return values;
  };
}

/**
 * One record that stands alone, as the text of its JSON. Throws as {@link parseJsonText} and {@link recordsReader} do.
 * @param place how the client finds it: stands before what is wrong and in front of every field
 */
export function recordTextReader(limits: RecordLimits): (text: string, place: string) => JsonValue {
  const schema = recordSchema(limits);
  return (text, place) => {
    try {
      return validate(
        schema,
        parseJsonText(text, { maxDepth: MAX_RECORD_DEPTH + 1 }),
        'This is no valid record',
      );
    } catch (error) {
      if (!isKeepapartError(error)) throw error;
      const problems = error.problems.map((problem) => ({ ...problem, field: `${place}${problem.field}` }));
      throw new KeepapartError(error.code, `${place}: ${error.message}`, { problems });
    }
  };
}

function isDeeperThan(value: JsonValue, levels: number): boolean {
  if (value === null || typeof value !== 'object') return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}
