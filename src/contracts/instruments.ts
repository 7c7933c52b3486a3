import type { FlushReason } from '../domain/records/batch';
import type { ErrorCode } from '../domain/errors';

/*
 * What the parts of keepapart tell whoever measures. Every call returns at once and throws nothing; nothing depends on
 * what becomes of it. Seconds are fractional.
 */

/** By which way records come in. */
export const VIA = { http: 'http', ndjson: 'ndjson', tcp: 'tcp' } as const;
export type Via = (typeof VIA)[keyof typeof VIA];

/** An HTTP request that is over: answered, or its client has gone. */
export interface EndedRequest {
  method: string;
  /** As the API describes it, e.g. `/v1/batches/{batchId}`; undefined for one that was refused before its route was known. */
  route: string | undefined;
  status: number;
  seconds: number;
}

/** Of the HTTP API. */
export interface HttpInstruments {
  requestEnded(request: EndedRequest): void;
  refused(code: ErrorCode): void;
}

/** Of every way in. */
export interface IntakeInstruments {
  /** Records were taken: they are durable. Bytes are those of their JSON as it came, without compression. */
  received(via: Via, records: number, bytes: number): void;
}

/** Of the group commit. */
export interface CommitInstruments {
  /** A group of requests is durable, or has failed. */
  committed(requests: number, seconds: number): void;
}

/** How an attempt to save ended; of records that are saved by one call, the worst of theirs. */
export const SAVE_RESULT = { saved: 'saved', failed: 'failed', refused: 'refused', away: 'away' } as const;
export type SaveResultKind = (typeof SAVE_RESULT)[keyof typeof SAVE_RESULT];

/** Of a store. */
export interface SaveInstruments {
  saveEnded(result: SaveResultKind, seconds: number): void;
}

/** How often something occurred. */
export type Occurrence = [value: number, times: number];

/** A batch that got its file. Times are in milliseconds. */
export interface ClosedBatchReport {
  reason: FlushReason;
  /** The most records that it was to have. */
  places: number;
  /** From its cut to its file. */
  tookMs: number;
  saved: number;
  rolledBack: number;
  /** Records whose rollback failed for good. */
  undoFailed: number;
  /** Attempts that records took; without those of which it isn't known. */
  attempts: Occurrence[];
  /** How long records had waited when the batch was cut, with how they ended. Empty where it isn't known. */
  waits: { waitedMs: number; saved: number; rolledBack: number }[];
}

/** Batches that closed without completing. */
export interface EarlyEndReport {
  reason: FlushReason;
  batches: number;
}

/** Of the workflows' ends. */
export interface BatchInstruments {
  batchesClosed(reports: readonly ClosedBatchReport[]): void;
  batchesEndedEarly(reports: readonly EarlyEndReport[]): void;
}
