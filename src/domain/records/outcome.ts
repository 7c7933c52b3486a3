import { KIB } from '../duration';
import { jsonBytes, utf8Bytes, type JsonValue } from '../json';
import type { KeptRecord } from './record';

/** How a record ended. */
export const OUTCOME = { saved: 'saved', rolledBack: 'rolled_back' } as const;
export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME];

/** How a record ended, without its value: what a batch reports back. */
export interface RecordOutcome {
  recordId: string;
  outcome: Outcome;
  /** Attempts of `save` that were made, from 1; 0 when it isn't known because the batch was cancelled or closed early. */
  attempts: number;
  /** Why it was rolled back, and that this failed if it did; only on `rolled_back`. */
  error?: string;
  /** Why what the record may have left in the store could not be removed; only on `rolled_back`, and then for an operator. */
  rollbackError?: string;
  /** When the outcome was known, in milliseconds since the epoch, on the workflow's clock. */
  atMs: number;
}

/** Error texts of a store are cut here, in bytes of UTF-8: they are repeated in history, in the result and in the file. */
export const MAX_ERROR_BYTES = 500;

/** What the errors of all outcomes in one payload may take together, in bytes of JSON: Temporal takes 2 MiB of all. */
export const MAX_ERRORS_BYTES = 256 * KIB;

/** The beginning of a text, of at most so many bytes in UTF-8; whole characters only. */
export function cutToBytes(text: string, maxBytes: number): string {
  // A UTF-16 unit takes at most three bytes.
  if (text.length * 3 <= maxBytes) return text;
  let bytes = 0;
  let kept = '';
  for (const character of text) {
    bytes += utf8Bytes(character);
    if (bytes > maxBytes) break;
    kept += character;
  }
  return kept;
}

/** The outcome with error texts of at most so many bytes of JSON together. */
export function withShortErrors<T extends RecordOutcome>(outcome: T, maxBytes: number): T {
  const { error, rollbackError } = outcome;
  const bytes = (text: string | undefined) => (text === undefined ? 0 : jsonBytes(text));
  if (bytes(error) + bytes(rollbackError) <= maxBytes) return outcome;
  // In JSON, a byte takes six at most, and a text two quotes; half of the room goes to each where there are two.
  const room = maxBytes / (error === undefined || rollbackError === undefined ? 1 : 2);
  const each = Math.max(0, Math.floor((room - 2) / 6));
  return {
    ...outcome,
    ...(error !== undefined && { error: cutToBytes(error, each) }),
    ...(rollbackError !== undefined && { rollbackError: cutToBytes(rollbackError, each) }),
  };
}

/** How the rollback of a record failed for good. */
export interface UndoFailure {
  /** Attempts that were made. */
  attempts: number;
  message: string;
  /** Whether the last of them said that no further one could succeed. */
  refused: boolean;
}

/** A rolled-back record whose rollback failed for good; the error tells it too, being what file and views show. */
export function withFailedUndo<T extends RecordOutcome>(
  outcome: T,
  { attempts, message, refused }: UndoFailure,
): T {
  const failed = refused
    ? `was refused for good at attempt ${attempts}`
    : `failed after ${attempts} attempts`;
  const rollbackError = cutToBytes(message, MAX_ERROR_BYTES);
  const error = `${outcome.error ?? 'rolled back'}; its undo ${failed}: ${rollbackError}`;
  return { ...outcome, error, rollbackError };
}

/** Outcomes counted. */
export interface OutcomeTally {
  saved: number;
  rolledBack: number;
  /** Attempts beyond the first, summed over the records. */
  retries: number;
}

export function tallyOutcomes(
  outcomes: readonly Pick<RecordOutcome, 'outcome' | 'attempts'>[],
): OutcomeTally {
  const saved = outcomes.filter(({ outcome }) => outcome === OUTCOME.saved).length;
  const retries = outcomes.reduce((sum, { attempts }) => sum + Math.max(0, attempts - 1), 0);
  return { saved, rolledBack: outcomes.length - saved, retries };
}

/** A record together with how it ended: what a line of the batch file is made from. */
export type SettledRecord = KeptRecord & RecordOutcome;

/** The outcome alone. */
export function outcomeOf(record: RecordOutcome): RecordOutcome {
  return { recordId: record.recordId, ...howItEnded(record) };
}

/** The outcome without whose it is. */
export function howItEnded(record: Omit<RecordOutcome, 'recordId'>): Omit<RecordOutcome, 'recordId'> {
  const { outcome, attempts, error, rollbackError, atMs } = record;
  return {
    outcome,
    attempts,
    ...(error !== undefined && { error }),
    ...(rollbackError !== undefined && { rollbackError }),
    atMs,
  };
}

/** The two ways to write an outcome as a line; `text` is the format of the original experiment. */
export const OUTCOME_FORMATS = ['text', 'json'] as const;
export type OutcomeFormat = (typeof OUTCOME_FORMATS)[number];

/** A line of a batch file in the format `json`. */
export interface JsonOutcomeLine {
  recordId: string;
  value: JsonValue;
  outcome: Outcome;
  attempts: number;
  error: string | null;
  /** ISO 8601, UTC. */
  at: string;
}

/**
 * One line of a batch file, without its newline.
 * `text`: a JSON string, `"save [1] success"` or `"save [2] failed, roll back"`, the value as JSON between the brackets.
 * `json`: an object with recordId, value, outcome, attempts, error (null when saved) and at (ISO 8601, UTC).
 */
export function outcomeLine(record: SettledRecord, format: OutcomeFormat): string {
  if (format === 'json') {
    const { recordId, value, outcome, attempts, error = null, atMs } = record;
    return JSON.stringify({ recordId, value, outcome, attempts, error, at: new Date(atMs).toISOString() });
  }
  const value = JSON.stringify(record.value);
  return JSON.stringify(
    record.outcome === OUTCOME.saved ? `save [${value}] success` : `save [${value}] failed, roll back`,
  );
}

/**
 * What a line of a batch file, in either format, says of a record; `undefined` when it isn't a line of this record. A
 * text line doesn't tell attempts, error and time.
 */
export function outcomeFromLine(record: KeptRecord, line: string): SettledRecord | undefined {
  const told = Object.values(OUTCOME).find(
    (outcome) => line === outcomeLine({ ...record, outcome, attempts: 0, atMs: 0 }, 'text'),
  );
  if (told !== undefined) return { ...record, outcome: told, attempts: 0, atMs: 0 };
  const asJson = jsonOutcomeLine(line);
  if (asJson?.recordId !== record.recordId) return undefined;
  const { value, outcome, attempts, error, at } = asJson;
  if (JSON.stringify(value) !== JSON.stringify(record.value)) return undefined;
  return { ...record, outcome, attempts, ...(error !== null && { error }), atMs: Date.parse(at) };
}

/** A line of the format `json`, read; `undefined` when it isn't one. */
export function jsonOutcomeLine(line: string): JsonOutcomeLine | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  const told = parsed as Partial<JsonOutcomeLine> | null;
  return typeof told?.recordId === 'string' && Object.values(OUTCOME).some((known) => known === told.outcome)
    ? (told as JsonOutcomeLine)
    : undefined;
}

/** The whole content of a batch file: one line per record in batch order, each ended by a newline. */
export function outcomeFileContent(records: readonly SettledRecord[], format: OutcomeFormat): string {
  return records.map((record) => `${outcomeLine(record, format)}\n`).join('');
}

/** `test_log_<YYYYMMDDHHMM>_<batchId>.log`, the minute (UTC) in which the batch was opened. */
export function batchFileName(batch: { batchId: string; openedAtMs: number }): string {
  const minute = new Date(batch.openedAtMs).toISOString().slice(0, 16).replace(/[-T:]/g, '');
  return `test_log_${minute}_${batch.batchId}.log`;
}
