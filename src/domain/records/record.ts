import type { JsonValue } from '../json';

/** One JSON value that a client sent, with its identity. */
export interface KeptRecord {
  /** `<requestId>:<index>`; unique, and the key of every idempotent step. */
  recordId: string;
  value: JsonValue;
}

/** Maximum nesting of arrays and objects in a record. */
export const MAX_RECORD_DEPTH = 32;

/** Id of a record: `<requestId>:<index>`. */
export function recordIdOf(requestId: string, index: number): string {
  return `${requestId}:${index}`;
}

/** Id of the request that a record belongs to. The index follows the last colon, because request ids may contain colons. */
export function requestIdOf(recordId: string): string {
  return recordId.slice(0, recordId.lastIndexOf(':'));
}

/** Index of a record in its request, from 0. */
export function indexOf(recordId: string): number {
  return Number(recordId.slice(recordId.lastIndexOf(':') + 1));
}

/** Total size of records, in bytes; a record of unknown size counts as 0. */
export function totalBytes(records: readonly { bytes?: number }[]): number {
  return records.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
}
