import { setTimeout as sleep } from 'node:timers/promises';
import { Pool, type PoolClient, type QueryResult } from 'pg';
import { isKeepapartError } from '../../domain/errors';
import { CouldNotBegin, asksForAnotherTry, isServerError, mayBegin } from './postgres-errors';

export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database`. */
  url: string;
  /** Most connections at once. */
  poolSize: number;
  /** Longest time for one statement, for a lock, and for a server that is away to come back. */
  timeoutMs: number;
}

export type Row = Record<string, unknown>;

/** One statement of a transaction; the values go beside it, never into it. */
export type Run = <Result extends Row>(sql: string, values?: readonly unknown[]) => Promise<Result[]>;

/** A pool of connections that runs transactions. */
export interface Database {
  /**
   * Runs the work in one transaction and resolves when that is durable. A server that is away is waited for before the
   * work begins, for `timeoutMs` or as long as is said; a deadlock is tried again at once.
   * @throws what the work throws, with nothing of it done; `CouldNotBegin` where it didn't come to that; and errors after which nobody knows whether it is done, as a
   *   connection may break while it commits: so the work has to be such that it can be repeated
   */
  transaction<T>(work: (run: Run) => Promise<T>, patienceMs?: number): Promise<T>;
  /** Returns when no transaction runs any more. */
  close(): Promise<void>;
}

const TRIES = 5;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [50, 1000];

export function createDatabase({ url, poolSize, timeoutMs }: DatabaseOptions): Database {
  const pool = new Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: timeoutMs,
    // The server's own limits, below, come first; this is for one that doesn't answer at all.
    query_timeout: 2 * timeoutMs,
    keepAlive: true,
    application_name: 'keepapart',
  });
  // A connection that breaks between two statements tells it to whoever sends the next; without a listener, in the pool
  // or taken from it, it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
  const begin = beginning(timeoutMs);
  let closed: Promise<void> | undefined;

  /** A connection with a transaction open in which nothing has been done yet. */
  async function open(patienceMs: number): Promise<PoolClient> {
    const deadline = Date.now() + patienceMs;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      let client: PoolClient | undefined;
      try {
        client = await pool.connect();
        await client.query(begin);
        return client;
      } catch (error) {
        client?.release(true);
        if (pool.ending || !mayBegin(error) || Date.now() + pauseMs > deadline)
          throw new CouldNotBegin(error);
      }
      await sleep(pauseMs);
    }
  }

  async function attempt<T>(work: (run: Run) => Promise<T>, patienceMs: number): Promise<T> {
    const client = await open(patienceMs);
    const run: Run = async <Result extends Row>(sql: string, values: readonly unknown[] = []) =>
      // Without values it may be several statements at once.
      (values.length === 0 ? await client.query<Result>(sql) : await client.query<Result>(sql, [...values]))
        .rows;
    try {
      const result = await work(run);
      const { command }: QueryResult = await client.query('COMMIT');
      // A transaction that an error has spoilt ends so, without a further error.
      if (command !== 'COMMIT') throw new Error('the transaction was undone by an earlier error');
      client.release();
      return result;
    } catch (error) {
      await putBack(client, error);
      throw error;
    }
  }

  return {
    async transaction(work, patienceMs = timeoutMs) {
      for (let tries = 1; ; tries++) {
        try {
          return await attempt(work, patienceMs);
        } catch (error) {
          if (tries === TRIES || !asksForAnotherTry(error)) throw error;
        }
      }
    },
    close: () => (closed ??= pool.end()),
  };
}

/** A connection that doesn't answer, or of which nobody knows what it is at, isn't used again. */
async function putBack(client: PoolClient, error: unknown): Promise<void> {
  if (!isKeepapartError(error) && !isServerError(error)) {
    client.release(true);
    return;
  }
  await client.query('ROLLBACK').then(
    () => client.release(),
    () => client.release(true),
  );
}

/**
 * How every transaction begins. Said each time and for it alone: a pooler between us and the server may give the next
 * one another session. The limits free the locks of a worker that stands still or whose machine is gone; the server
 * itself would wait for hours. Nothing that was acknowledged may hang on a later write, whatever the database's default.
 */
function beginning(timeoutMs: number): string {
  return [
    'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE',
    `SET LOCAL statement_timeout = ${timeoutMs}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${timeoutMs}`,
    `SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'`,
  ].join('; ');
}
