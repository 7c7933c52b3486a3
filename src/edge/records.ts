import { z } from 'zod';
import { ANY_RECORD } from '../contracts/api/answers/parts';
import { isKeepapartError, KeepapartError } from '../domain/errors';
import { isDeeperThan, jsonBytes, type JsonValue } from '../domain/json';
import { MAX_RECORD_DEPTH } from '../domain/records/record';
import { parseJsonText } from './json-text';
import { validate } from './problems';

/** Bounds on what one client may send at once; see the settings of the same names in `docs/CONFIGURATION.md`. */
export interface RecordLimits {
  /** Size of one record as compact JSON in UTF-8. */
  maxRecordBytes: number;
  /** Size of one body after decompression, and of its records as compact JSON. */
  maxRequestBytes: number;
  /** Number of records in one list. */
  maxRequestRecords: number;
}

/** A record is in a list, which may be in an object. */
export const MAX_BODY_DEPTH = MAX_RECORD_DEPTH + 2;

/** One record: any JSON value except a list, so that a nested list is never mistaken for something else. */
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

/** Size of a record as it is stored: `1e20` takes four bytes on the wire and 21 as compact JSON. Or why it isn't valid. */
function bytesOf(record: JsonValue): number | Wrong {
  if (Array.isArray(record)) return { expected: 'a record that is not itself a list' };
  if (isDeeperThan(record, MAX_RECORD_DEPTH))
    return { expected: `a record of at most ${MAX_RECORD_DEPTH} levels`, received: 'more levels' };
  return jsonBytes(record);
}

/** A list without an envelope. Its length is checked first, so that a list that is far too long costs little. */
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

/** A valid list of records, with its size. */
export interface RecordList {
  values: JsonValue[];
  /** Sum of the sizes of the values, as {@link jsonBytes} counts them. */
  bytes: number;
}

/**
 * Reads the records of a body in either of its two shapes; all of them are valid, or none is accepted.
 * @throws `invalid-request` with all problems; `request-too-large`
 */
export function recordsReader(limits: RecordLimits): (body: JsonValue | undefined) => RecordList {
  const list = recordListSchema(limits);
  const envelope = recordEnvelopeSchema(limits);
  const invalid = 'The records are not valid; none was accepted';
  const listIn = (body: JsonValue | undefined) =>
    Array.isArray(body) ? validate(list, body, invalid) : validate(envelope, body, invalid).records;
  return (body) => {
    const validBytes = Array.isArray(body) ? bytesIfValid(body, limits) : undefined;
    const values = validBytes === undefined ? listIn(body) : (body as JsonValue[]);
    const bytes = validBytes ?? values.reduce<number>((sum, value) => sum + jsonBytes(value), 0);
    const listBytes = bytes + '[]'.length + (values.length - 1) * ','.length;
    if (listBytes > limits.maxRequestBytes) {
      const detail = `The records take ${listBytes} bytes as compact JSON, more than ${limits.maxRequestBytes}`;
      throw new KeepapartError('request-too-large', detail);
    }
    return { values, bytes };
  };
}

/**
 * The sum of the sizes of the values if all of them are valid, else undefined. Validating with the schema, which says what
 * is wrong, takes several times as long.
 */
function bytesIfValid(
  values: JsonValue[],
  { maxRequestRecords, maxRecordBytes }: RecordLimits,
): number | undefined {
  if (values.length === 0 || values.length > maxRequestRecords) return undefined;
  let bytes = 0;
  for (const value of values) {
    const taken = bytesOf(value);
    if (typeof taken !== 'number' || taken > maxRecordBytes) return undefined;
    bytes += taken;
  }
  return bytes;
}

/**
 * Reads one record from its JSON text. Throws as {@link parseJsonText} and {@link recordsReader} do.
 * @param place where the client finds it; prefixes the message and every field
 */
export function recordTextReader(limits: RecordLimits): (text: string, place: string) => JsonValue {
  const schema = recordSchema(limits);
  return (text, place) => {
    try {
      return validate(
        schema,
        parseJsonText(text, { maxDepth: MAX_RECORD_DEPTH + 1 }),
        'This is not a valid record',
      );
    } catch (error) {
      if (!isKeepapartError(error)) throw error;
      const problems = error.problems.map((problem) => ({ ...problem, field: `${place}${problem.field}` }));
      throw new KeepapartError(error.code, `${place}: ${error.message}`, { problems });
    }
  };
}
