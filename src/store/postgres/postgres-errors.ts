import { describeErrno } from '../durable-fs';

/** The five characters by which Postgres tells its errors apart; undefined for what it didn't say. */
export function sqlState(error: unknown): string | undefined {
  return isServerError(error) ? String((error as { code?: unknown }).code) : undefined;
}

/** Whether the server has answered with an error, so that it is known what became of the statement. */
export function isServerError(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && 'code' in error;
}

/** The server is away, shuts down, starts up or takes no more connections: it may be there in a moment. */
export function isAway(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined || /^(08|53|57P)/.test(state);
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
  const state = sqlState(error);
  if (state !== undefined) return `${(error as Error).message} (SQLSTATE ${state})`;
  // Every address of a host name was tried.
  const [first = error] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return describeErrno(first);
}
