import type { JsonValue } from '../../domain/json';

/** A record that was rolled back, kept for an operator: what the record was, and how it ended. */
export interface DeadLetter {
  recordId: string;
  requestId: string;
  value: JsonValue;
  /** Attempts of `save` that were made; 0 when it isn't known. */
  attempts: number;
  /** Of the last attempt. */
  error: string | null;
  /** Why what it may have left in the store could not be removed; null when nothing is left. */
  rollbackError: string | null;
  /** When it was rolled back; ISO 8601, UTC. */
  at: string;
  batchId: string;
  /** Workflow id of the batcher that started the batch. */
  batcher: string;
  /** Name of the batch's file in `OUT_DIR`. */
  file: string;
  /** The record as a client sent it, when this one was itself sent by a redrive. */
  redriveOf: string | null;
  /** The request by which it was sent again; null when it wasn't. */
  redrivenAs: string | null;
}

/** Which dead letters are listed: those that were not sent again, those that were, or both. */
export const REDRIVEN = ['false', 'true', 'any'] as const;
export type Redriven = (typeof REDRIVEN)[number];

export interface DeadLetterFilter {
  /** How many batches with dead letters a page looks into; it has all of theirs that fit the filter, perhaps none. */
  limit: number;
  cursor?: string;
  requestId?: string;
  batchId?: string;
  redriven: Redriven;
}

/** Of the batch that closed last first. */
export interface DeadLetterPage {
  deadLetters: DeadLetter[];
  /** Opaque; hand it back as `cursor` for the next page; null on the last one. */
  nextCursor: string | null;
}

/** Which dead letters are to be sent again. */
export type RedriveSelection =
  { records: readonly string[] } | { batchId: string } | { requestId: string } | { all: true };

/** A dead letter and the request that sends it again. */
export interface RedrivenRecord {
  recordId: string;
  requestId: string;
}

export interface RedriveResult {
  /** Sent by this call. */
  redriven: RedrivenRecord[];
  /** Sent by an earlier one; not sent again. */
  alreadyRedriven: RedrivenRecord[];
  /** Of the records that were named: no dead letters, or of batches that Temporal doesn't know any more. */
  notFound: string[];
}
