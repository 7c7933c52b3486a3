import { KIB } from '../duration';
import { jsonBytes, utf8Bytes, type JsonValue } from '../json';
import type { KeptRecord } from './record';

export const OUTCOME = { saved: 'saved', rolledBack: 'rolled_back' } as const;
export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME];

/** The outcome of a record, without its value. */
export interface RecordOutcome {
  recordId: string;
  outcome: Outcome;
  /** Number of `save` attempts; 0 if unknown, because the batch was cancelled or ended early. */
  attempts: number;
  /** Why the record was rolled back, and why the rollback failed if it did. Only with `rolled_back`. */
  error?: string;
  /**
   * Why the rollback failed permanently, so that an operator has to remove what the record left in the store. Only with
   * `rolled_back`.
   */
  rollbackError?: string;
  /** When the outcome was known, in milliseconds since the epoch, on the workflow's clock. */
  atMs: number;
}

/** Error texts of stores are cut to this size in UTF-8, because history, result and file each repeat them. */
export const MAX_ERROR_BYTES = 500;

/** Total size of the error texts in one payload, in bytes of JSON. Temporal limits a payload to 2 MiB. */
export const MAX_ERRORS_BYTES = 256 * KIB;

/** The longest beginning of a text that takes at most `maxBytes` in UTF-8, without splitting a character. */
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

/** The outcome with its error texts shortened to at most `maxBytes` of JSON together. */
export function withShortErrors<T extends RecordOutcome>(outcome: T, maxBytes: number): T {
  const { error, rollbackError } = outcome;
  const bytes = (text: string | undefined) => (text === undefined ? 0 : jsonBytes(text));
  if (bytes(error) + bytes(rollbackError) <= maxBytes) return outcome;
  // A byte takes at most six in JSON, and a text two for its quotes. Two texts get half of the room each.
  const room = maxBytes / (error === undefined || rollbackError === undefined ? 1 : 2);
  const each = Math.max(0, Math.floor((room - 2) / 6));
  return {
    ...outcome,
    ...(error !== undefined && { error: cutToBytes(error, each) }),
    ...(rollbackError !== undefined && { rollbackError: cutToBytes(rollbackError, each) }),
  };
}

/** A rollback that failed permanently. */
export interface UndoFailure {
  /** Number of rollback attempts. */
  attempts: number;
  message: string;
  /** Whether the store rejected it permanently, so that no further attempt was made. */
  refused: boolean;
}

/** The outcome of a record whose rollback failed permanently. `error` says so as well, because files and views show it. */
export function withFailedUndo<T extends RecordOutcome>(
  outcome: T,
  { attempts, message, refused }: UndoFailure,
): T {
  const failed = refused
    ? `was permanently rejected at attempt ${attempts}`
    : `failed after ${attempts} attempts`;
  const rollbackError = cutToBytes(message, MAX_ERROR_BYTES);
  const error = `${outcome.error ?? 'rolled back'}; its rollback ${failed}: ${rollbackError}`;
  return { ...outcome, error, rollbackError };
}

/** Numbers of outcomes. */
export interface OutcomeTally {
  saved: number;
  rolledBack: number;
  /** Attempts beyond the first, summed over the records. */
  retries: number;
}

/** Counts outcomes. */
export function tallyOutcomes(
  outcomes: readonly Pick<RecordOutcome, 'outcome' | 'attempts'>[],
): OutcomeTally {
  const saved = outcomes.filter(({ outcome }) => outcome === OUTCOME.saved).length;
  const retries = outcomes.reduce((sum, { attempts }) => sum + Math.max(0, attempts - 1), 0);
  return { saved, rolledBack: outcomes.length - saved, retries };
}

/** A record with its outcome: one line of the batch file. */
export type SettledRecord = KeptRecord & RecordOutcome;

/** The outcome of a settled record, without its value. */
export function outcomeOf(record: RecordOutcome): RecordOutcome {
  return { recordId: record.recordId, ...howItEnded(record) };
}

/** An outcome without the id of its record. */
export type HowItEnded = Omit<RecordOutcome, 'recordId'>;

/** The outcome of a record, without its id and value. */
export function howItEnded(record: HowItEnded): HowItEnded {
  const { outcome, attempts, error, rollbackError, atMs } = record;
  return {
    outcome,
    attempts,
    ...(error !== undefined && { error }),
    ...(rollbackError !== undefined && { rollbackError }),
    atMs,
  };
}

/** Formats of the lines of batch files; see {@link outcomeLine}. `text` is the format of the original experiment. */
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
 * `text`: a JSON string, `"save [1] success"` or `"save [2] failed, roll back"`, with the value as JSON in the brackets.
 * `json`: a {@link JsonOutcomeLine}; `error` is null for saved records.
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
 * Parses the line of a record in a batch file, in either format; `undefined` if the line is not this record's. A text
 * line has no attempts, error and time: `attempts` and `atMs` are 0 then.
 */
export function outcomeFromLine(record: KeptRecord, line: string): SettledRecord | undefined {
  const asText = Object.values(OUTCOME).find(
    (outcome) => line === outcomeLine({ ...record, outcome, attempts: 0, atMs: 0 }, 'text'),
  );
  if (asText !== undefined) return { ...record, outcome: asText, attempts: 0, atMs: 0 };
  const asJson = jsonOutcomeLine(line);
  if (asJson?.recordId !== record.recordId) return undefined;
  const { value, outcome, attempts, error, at } = asJson;
  if (JSON.stringify(value) !== JSON.stringify(record.value)) return undefined;
  return { ...record, outcome, attempts, ...(error !== null && { error }), atMs: Date.parse(at) };
}

/** Parses a line of the format `json`; `undefined` if it isn't one. */
export function jsonOutcomeLine(line: string): JsonOutcomeLine | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  const entry = parsed as Partial<JsonOutcomeLine> | null;
  return typeof entry?.recordId === 'string' &&
    Object.values(OUTCOME).some((known) => known === entry.outcome)
    ? (entry as JsonOutcomeLine)
    : undefined;
}

/** Content of a batch file: one line per record, in batch order, each with a trailing newline. */
export function outcomeFileContent(records: readonly SettledRecord[], format: OutcomeFormat): string {
  return records.map((record) => `${outcomeLine(record, format)}\n`).join('');
}

/** Name of a batch's file: `test_log_<YYYYMMDDHHMM>_<batchId>.log`, with the minute (UTC) of `openedAtMs`. */
export function batchFileName(batch: { batchId: string; openedAtMs: number }): string {
  const minute = new Date(batch.openedAtMs).toISOString().slice(0, 16).replace(/[-T:]/g, '');
  return `test_log_${minute}_${batch.batchId}.log`;
}
