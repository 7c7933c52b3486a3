import type { JsonValue } from '../../domain/json';

/** A rolled-back record, kept for an operator. */
export interface DeadLetter {
  recordId: string;
  requestId: string;
  value: JsonValue;
  /** Number of `save` attempts; 0 if unknown. */
  attempts: number;
  /** Error of the last attempt. */
  error: string | null;
  /** Why the rollback failed, so that something may be left in the store; null if it succeeded. */
  rollbackError: string | null;
  /** When it was rolled back; ISO 8601, UTC. */
  at: string;
  batchId: string;
  /** Workflow id of the batcher that started the batch. */
  batcher: string;
  /** Name of the batch's file in `OUT_DIR`. */
  file: string;
  /** The client's original record, if this one was sent by a redrive; otherwise null. */
  redriveOf: string | null;
  /** The request that redrove this dead letter; null if none did. */
  redrivenAs: string | null;
}

/** Which dead letters to list: those that were not redriven, those that were, or both. */
export const REDRIVEN = ['false', 'true', 'any'] as const;
export type Redriven = (typeof REDRIVEN)[number];

export interface DeadLetterFilter {
  /** How many batches with dead letters a page covers. The page has all their dead letters that match, possibly none. */
  limit: number;
  cursor?: string;
  requestId?: string;
  batchId?: string;
  redriven: Redriven;
}

/** Dead letters, by the time at which their batches closed, latest first. */
export interface DeadLetterPage {
  deadLetters: DeadLetter[];
  /** Opaque; pass it as `cursor` to get the next page; null on the last page. */
  nextCursor: string | null;
}

/** Which dead letters to redrive. */
export type RedriveSelection =
  { records: readonly string[] } | { batchId: string } | { requestId: string } | { all: true };

/** A dead letter and the request that redrives it. */
export interface RedrivenRecord {
  recordId: string;
  requestId: string;
}

export interface RedriveResult {
  /** Dead letters that this call redrove. */
  redriven: RedrivenRecord[];
  /** Dead letters that an earlier call redrove; not sent again. */
  alreadyRedriven: RedrivenRecord[];
  /** Selected records that are not dead letters, or whose retention period is over. */
  notFound: string[];
}
