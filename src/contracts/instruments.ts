import type { FlushReason } from '../domain/records/batch';
import type { ErrorCode } from '../domain/errors';

/*
 * The ports through which keepapart reports measurements. Calls return at once and never throw, and nothing depends on
 * their effect. Seconds are fractional.
 */

/** The ways in which records arrive. */
export const VIA = { http: 'http', ndjson: 'ndjson', tcp: 'tcp' } as const;
export type Via = (typeof VIA)[keyof typeof VIA];

/** An HTTP request that was answered, or whose client disconnected. */
export interface EndedRequest {
  method: string;
  /** The route's path in OpenAPI, for example `/v1/batches/{batchId}`; undefined if the request was refused before routing. */
  route: string | undefined;
  status: number;
  seconds: number;
}

/** Measurements of the HTTP API. */
export interface HttpInstruments {
  requestEnded(request: EndedRequest): void;
  refused(code: ErrorCode): void;
}

/** Measurements of accepted records. */
export interface IntakeInstruments {
  /** Records are durable. `bytes` is the size of their JSON as received, after decompression. */
  received(via: Via, records: number, bytes: number): void;
}

/** Measurements of the group commit. */
export interface CommitInstruments {
  /** The commit of a group of requests succeeded or failed. */
  committed(requests: number, seconds: number): void;
}

/** Result of an attempt to save; for several records in one call, the worst of their results. */
export const SAVE_RESULT = { saved: 'saved', failed: 'failed', refused: 'refused', away: 'away' } as const;
export type SaveResultKind = (typeof SAVE_RESULT)[keyof typeof SAVE_RESULT];

/** Measurements of a store. */
export interface SaveInstruments {
  saveEnded(result: SaveResultKind, seconds: number): void;
}

/** How many times a value occurred. */
export type Occurrence = [value: number, times: number];

/** A batch that was closed. Times are in milliseconds. */
export interface ClosedBatchReport {
  reason: FlushReason;
  /** The maximum batch size it was cut by. */
  places: number;
  /** From its cut to the publishing of its file. */
  tookMs: number;
  saved: number;
  rolledBack: number;
  /** Records whose rollback failed permanently. */
  undoFailed: number;
  /** Numbers of attempts per record, without records for which it is unknown. */
  attempts: Occurrence[];
  /** How long records had waited when the batch was cut, with the numbers of their outcomes. Empty if unknown. */
  waits: { waitedMs: number; saved: number; rolledBack: number }[];
}

/** Batches that ended early, without completing. */
export interface EarlyEndReport {
  reason: FlushReason;
  batches: number;
}

/** Measurements of batches. */
export interface BatchInstruments {
  batchesClosed(reports: readonly ClosedBatchReport[]): void;
  batchesEndedEarly(reports: readonly EarlyEndReport[]): void;
}
