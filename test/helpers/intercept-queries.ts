import { Client } from 'pg';

type Query = (...args: unknown[]) => unknown;

/** Returned by a hook: the statement is sent, and its answer lost with the connection. */
export const ANSWER_LOST = Symbol('answer lost');

/**
 * Calls `before` ahead of every statement that is sent to Postgres, with its text; what it throws, the caller gets. For
 * what can't be had on demand: a kill, a broken connection or another worker between two statements.
 * @returns a function that puts the original back
 */
export function interceptQueries(before: (sql: string) => unknown): () => void {
  const prototype = Client.prototype as unknown as { query: Query };
  const original = prototype.query;
  prototype.query = async function (this: Client, ...args: unknown[]): Promise<unknown> {
    const lost = (await before(String(args[0]))) === ANSWER_LOST;
    const answer = await original.apply(this, args);
    if (lost) throw new Error('Connection terminated unexpectedly');
    return answer;
  };
  return () => (prototype.query = original);
}
