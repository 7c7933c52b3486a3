import type { JsonValue } from '../json';

/** One JSON value that a client sent, with its identity. */
export interface KeptRecord {
  /** `<requestId>:<index>`; unique for ever, the key of every idempotent step. */
  recordId: string;
  value: JsonValue;
}

/** Levels of lists and objects in one record. */
export const MAX_RECORD_DEPTH = 32;

/** `<requestId>:<index>`, the record's identity everywhere. */
export function recordIdOf(requestId: string, index: number): string {
  return `${requestId}:${index}`;
}

/** The request that a record came with. The index is what follows the last colon: a requestId may hold colons. */
export function requestIdOf(recordId: string): string {
  return recordId.slice(0, recordId.lastIndexOf(':'));
}

/** The record's place in its request, from 0. */
export function indexOf(recordId: string): number {
  return Number(recordId.slice(recordId.lastIndexOf(':') + 1));
}
