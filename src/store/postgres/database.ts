import { setTimeout as sleep } from 'node:timers/promises';
import { Pool, type PoolClient, type QueryResult } from 'pg';
import { isKeepapartError } from '../../domain/errors';
import { CouldNotBegin, asksForAnotherTry, isServerError, mayBegin } from './postgres-errors';

export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database`. */
  url: string;
  /** Maximum connections. */
  poolSize: number;
  /** Maximum time for one statement, for a lock, and for an unavailable server to return. */
  timeoutMs: number;
}

export type Row = Record<string, unknown>;

/** Runs one statement of a transaction; values are passed as parameters, never in the text. */
export type Run = <Result extends Row>(sql: string, values?: readonly unknown[]) => Promise<Result[]>;

/** A connection pool that runs transactions. */
export interface Database {
  /**
   * Runs work in one transaction and resolves when it is durable. If the server is unavailable before the work begins, it is
   * waited for, at most `patienceMs` (default `timeoutMs`). Deadlocks are retried at once.
   * @throws what the work throws, after which nothing of it is done; `CouldNotBegin`; and errors after which it is unknown
   *   whether it is done, because a connection may break during the commit: so the work must be repeatable
   */
  transaction<T>(work: (run: Run) => Promise<T>, patienceMs?: number): Promise<T>;
  /** Resolves when no transaction is running any more. */
  close(): Promise<void>;
}

const TRIES = 5;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [50, 1000];

export function createDatabase({ url, poolSize, timeoutMs }: DatabaseOptions): Database {
  const pool = new Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: timeoutMs,
    // The server's own limits, below, apply first; this one is for a server that doesn't answer at all.
    query_timeout: 2 * timeoutMs,
    keepAlive: true,
    application_name: 'keepapart',
  });
  // A connection that breaks between two statements reports it to whoever sends the next one. Without a listener, the error
  // event would end the process, whether the connection is in the pool or taken from it.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
  const begin = beginning(timeoutMs);
  let closed: Promise<void> | undefined;

  /** A connection with an open transaction in which nothing has been done yet. */
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
      // Without values, it may be several statements at once.
      (values.length === 0 ? await client.query<Result>(sql) : await client.query<Result>(sql, [...values]))
        .rows;
    try {
      const result = await work(run);
      const { command }: QueryResult = await client.query('COMMIT');
      // Postgres ends a failed transaction this way, without a further error.
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

/** Discards a connection that doesn't answer, or whose state is unknown. */
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
 * How every transaction begins. The settings are repeated for each transaction, because a pooler between us and the server
 * may assign it another session. The limits free the locks of a worker that is suspended or whose machine is gone; by
 * default the server would wait for hours. Acknowledged data must not depend on a later write, whatever the database's
 * default is.
 */
function beginning(timeoutMs: number): string {
  return [
    'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE',
    `SET LOCAL statement_timeout = ${timeoutMs}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${timeoutMs}`,
    `SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'`,
  ].join('; ');
}
