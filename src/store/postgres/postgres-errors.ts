import { isStoreAway } from '../../domain/records/store-away';
import { describeErrno } from '../durable-fs';

/** The five characters by which Postgres tells its errors apart; undefined for what it didn't say. */
export function sqlState(error: unknown): string | undefined {
  return isServerError(error) ? String((error as { code?: unknown }).code) : undefined;
}

/** Whether the server has answered with an error, so that it is known what became of the statement. */
export function isServerError(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && 'code' in error;
}

/**
 * No transaction could begin: nobody listens, the server starts up, shuts down, takes no more connections, is a standby, or
 * doesn't let us in. No record is involved yet, so none is at fault.
 */
export class CouldNotBegin extends Error {
  override readonly name = 'CouldNotBegin';

  constructor(override readonly cause: unknown) {
    super(describePostgresError(cause), { cause });
  }
}

/**
 * Connection lost (08), no resources: too many connections, disk full, out of memory (53), shut down or starting up (57P),
 * read-only, as a standby is (25006), I/O error (58030), and what was there when the store was opened and is gone since:
 * tables, columns, rights (42), the schema (3F).
 */
const AWAY = /^(08|53|57P|25006|58030|42|3F)/;

/** What `pg` says of a connection that is lost, or of a server that doesn't answer; none of them has a code. */
const CONNECTION_LOST =
  /^(Connection terminated|Client has encountered a connection error|Query read timeout|timeout exceeded when trying to connect|Client was closed)/;

/** Whether it is Postgres that can't work at the moment, whatever the record. */
export function isAway(error: unknown): boolean {
  if (error instanceof CouldNotBegin) return true;
  const state = sqlState(error);
  if (state !== undefined) return AWAY.test(state);
  return isStoreAway(error) || (error instanceof Error && CONNECTION_LOST.test(error.message));
}

/** Whether a connection or a beginning that failed so is worth another look in a moment. */
export function mayBegin(error: unknown): boolean {
  const state = sqlState(error);
  // 0A000: a standby refuses to begin a transaction that may write.
  return state === undefined || /^(08|53|57P|25006|0A000|58030)/.test(state);
}

/** Deadlock and serialization failure: the server has undone everything, and asks for another try. */
export function asksForAnotherTry(error: unknown): boolean {
  return ['40P01', '40001'].includes(sqlState(error) ?? '');
}

/** What a statement can't do with these values, however often it is repeated: they don't fit its columns or its rules. */
const NEVER = /^(21|22|54|23502|23514)/;

/**
 * What may go through another time, but not while things are as they are: a row that another one refers to is missing,
 * or another unique index has the value already. When a batch is closed, nobody can wait for that.
 */
const NOT_NOW = /^(23|P0001)/;

/** Whether the values are at fault for good. */
export function isRefusal(error: unknown): boolean {
  return NEVER.test(sqlState(error) ?? '');
}

/** Whether the values are at fault, as things stand. */
export function isRefusalAtClosing(error: unknown): boolean {
  return isRefusal(error) || NOT_NOW.test(sqlState(error) ?? '');
}

/** Two rows of one statement meet the same row of the table, among others. */
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
