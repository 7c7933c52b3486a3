import { isStoreAway } from '../../domain/records/store-away';
import { describeErrno } from '../durable-fs';

/** Postgres' five-character error code; undefined for errors that aren't the server's. */
export function sqlState(error: unknown): string | undefined {
  return isServerError(error) ? String((error as { code?: unknown }).code) : undefined;
}

/** Whether the server answered with an error, so it is known what happened to the statement. */
export function isServerError(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && 'code' in error;
}

/**
 * No transaction could begin: nobody listens, the server starts up, shuts down, accepts no more connections, is a standby, or
 * denies access. No record is involved yet, so none is the cause.
 */
export class CouldNotBegin extends Error {
  override readonly name = 'CouldNotBegin';

  constructor(override readonly cause: unknown) {
    super(describePostgresError(cause), { cause });
  }
}

/**
 * Connection lost (08), no resources: too many connections, disk full, out of memory (53), shutting down or starting up
 * (57P), read-only, such as a standby (25006), I/O error (58030), and things that existed when the store was opened and are
 * missing since: tables, columns, privileges (42), the schema (3F).
 */
const AWAY = /^(08|53|57P|25006|58030|42|3F)/;

/** Messages of `pg` for a lost connection or a server that doesn't answer; none of them has a code. */
const CONNECTION_LOST =
  /^(Connection terminated|Client has encountered a connection error|Query read timeout|timeout exceeded when trying to connect|Client was closed)/;

/** Whether Postgres itself is unavailable, regardless of the record. */
export function isAway(error: unknown): boolean {
  if (error instanceof CouldNotBegin) return true;
  const state = sqlState(error);
  if (state !== undefined) return AWAY.test(state);
  return isStoreAway(error) || (error instanceof Error && CONNECTION_LOST.test(error.message));
}

/** Whether it is worth trying to connect and begin again in a moment. */
export function mayBegin(error: unknown): boolean {
  const state = sqlState(error);
  // 0A000: a standby refuses to begin a transaction that may write.
  return state === undefined || /^(08|53|57P|25006|0A000|58030)/.test(state);
}

/** Deadlock or serialization failure: the server has undone everything and expects a retry. */
export function asksForAnotherTry(error: unknown): boolean {
  return ['40P01', '40001'].includes(sqlState(error) ?? '');
}

/** What a statement can never do with these values: they don't fit its columns or constraints. */
const NEVER = /^(21|22|54|23502|23514)/;

/**
 * What may succeed another time, but not in the current state: a referenced row is missing, or another unique index already
 * has the value. Closing a batch can't wait for that.
 */
const NOT_NOW = /^(23|P0001)/;

/** Whether the values can never be written. */
export function isRefusal(error: unknown): boolean {
  return NEVER.test(sqlState(error) ?? '');
}

/** Whether the values can't be written in the current state. */
export function isRefusalAtClosing(error: unknown): boolean {
  return isRefusal(error) || NOT_NOW.test(sqlState(error) ?? '');
}

/** Two rows of one statement affect the same row of the table, among other causes. */
export function isCardinalityViolation(error: unknown): boolean {
  return sqlState(error) === '21000';
}

/** What happened, in the server's words, without its `detail`, which quotes rows. */
export function describePostgresError(error: unknown): string {
  if (error instanceof CouldNotBegin) return error.message;
  const state = sqlState(error);
  if (state !== undefined) return `${(error as Error).message} (SQLSTATE ${state})`;
  // Every address of a host name was tried.
  const [first = error] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return describeErrno(first);
}
