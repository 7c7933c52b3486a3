import { z } from 'zod';
import { isKeepapartError, KeepapartError } from '../domain/errors';
import { isDeeperThan, jsonBytes, type JsonValue } from '../domain/json';
import { MAX_RECORD_DEPTH } from '../domain/records/record';
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

interface Wrong {
  expected: string;
  received?: string;
}

function whatIsWrong(record: JsonValue, { maxRecordBytes }: RecordLimits): Wrong | undefined {
  const bytes = bytesOf(record);
  if (typeof bytes !== 'number') return bytes;
  if (bytes <= maxRecordBytes) return undefined;
  return { expected: `a record of at most ${maxRecordBytes} bytes`, received: `${bytes} bytes` };
}

/** Counted as it is kept: `1e20` takes four bytes on the wire and 21 as compact JSON. Or why that can't be a record. */
function bytesOf(record: JsonValue): number | Wrong {
  if (Array.isArray(record)) return { expected: 'a record that is not itself a list' };
  if (isDeeperThan(record, MAX_RECORD_DEPTH))
    return { expected: `a record of at most ${MAX_RECORD_DEPTH} levels`, received: 'more levels' };
  return jsonBytes(record);
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
  const invalid = 'The records are not valid; none was taken';
  const listIn = (body: JsonValue | undefined) =>
    Array.isArray(body) ? validate(list, body, invalid) : validate(envelope, body, invalid).records;
  return (body) => {
    const fineBytes = Array.isArray(body) ? bytesIfFine(body, limits) : undefined;
    const values = fineBytes === undefined ? listIn(body) : (body as JsonValue[]);
    const bytes = fineBytes ?? jsonBytes(values);
    if (bytes > limits.maxRequestBytes) {
      const detail = `The records take ${bytes} bytes as compact JSON, more than ${limits.maxRequestBytes}`;
      throw new KeepapartError('request-too-large', detail);
    }
    return values;
  };
}

/**
 * What a list takes as compact JSON, when nothing is wrong with it; else undefined. The schema, which tells what is wrong,
 * takes several times as long to find nothing.
 */
function bytesIfFine(
  values: JsonValue[],
  { maxRequestRecords, maxRecordBytes }: RecordLimits,
): number | undefined {
  if (values.length === 0 || values.length > maxRequestRecords) return undefined;
  let bytes = '[]'.length + (values.length - 1) * ','.length;
  for (const value of values) {
    const taken = bytesOf(value);
    if (typeof taken !== 'number' || taken > maxRecordBytes) return undefined;
    bytes += taken;
  }
  return bytes;
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
