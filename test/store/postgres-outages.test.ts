import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MINUTE } from '../../src/domain/duration';
import { isKeepapartError } from '../../src/domain/errors';
import { outcomeFileContent } from '../../src/domain/records/outcome';
import { openPostgresStore } from '../../src/store/postgres/postgres-store';
import { ANSWER_LOST, interceptQueries } from '../helpers/intercept-queries';
import { startPostgres, type PostgresServer } from '../helpers/postgres-server';
import { stepsOf } from '../helpers/settle-batch';
import { postgresHarness, type PostgresHarness } from '../helpers/store-harness';
import { BATCH, BATCH_FILE, record, rolledBack, saved } from '../helpers/store-folders';
import { waitFor } from '../helpers/wait-for';

/* Connections that break, servers that go and come back, workers that stand still. */
let server: PostgresServer;
beforeAll(async () => void (server = await startPostgres()));
afterAll(() => server.remove());

let harness: PostgresHarness;
let restore = (): void => undefined;
afterEach(async () => {
  restore();
  restore = () => undefined;
  await harness.close();
});

/** Ends every connection of workers, as a failing network or an administrator does. */
async function cut(): Promise<void> {
  await server.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'keepapart'`,
  );
}

const RECORDS = [saved(record(1, 'one')), rolledBack(record(2, 'two'))];

test.each([
  ['before it is sent', () => cut()],
  ['before its answer comes', () => ANSWER_LOST],
])(
  'G4, G10: at whichever statement the connection breaks (%s), the next attempt finishes, and everything is there once',
  async (_, breaks) => {
    harness = await postgresHarness(server);
    const store = await harness.worker();
    let broken = true;
    let point = 0;
    while (broken) {
      point++;
      broken = false;
      const batch = { ...BATCH, batchId: `b-${point}` };
      let statements = 0;
      restore = interceptQueries((sql) => {
        // The test's own are not counted.
        if (broken || /pg_terminate_backend/.test(sql) || ++statements !== point) return undefined;
        broken = true;
        return breaks();
      });
      for (const step of stepsOf(store, { batch, records: RECORDS, format: 'json' })) {
        for (let attempt = 1, done = false; !done; attempt++) {
          try {
            await step();
            done = true;
          } catch (error) {
            if (attempt === 3 || !isKeepapartError(error) || error.entry.retried !== 'by Temporal')
              throw error;
          }
        }
      }
      restore();
      const file = join(harness.outDir, BATCH_FILE.replace(BATCH.batchId, batch.batchId));
      expect(readFileSync(file, 'utf8')).toBe(outcomeFileContent(RECORDS, 'json'));
      expect(await server.query(`SELECT count(*)::int AS count FROM ${harness.schema}.outcomes`)).toEqual([
        { count: 2 * point },
      ]);
      expect(await harness.leftovers()).toEqual([]);
    }
    // Two saves, a rollback and a closing, each of several statements.
    expect(point).toBeGreaterThan(30);
    expect(await server.query(`SELECT key, value FROM ${harness.schema}.records`)).toEqual([
      { key: 'one', value: 'one' },
    ]);
  },
  2 * MINUTE,
);

test('A save that finds Postgres away waits for it, and is made when it is back: no attempt is lost.', async () => {
  harness = await postgresHarness(server, { timeoutMs: 60_000 });
  const store = await harness.worker();
  await store.save(record(1), BATCH);
  await server.stop();
  const saving = store.save(record(2), BATCH);
  await server.start();
  await saving;
  expect(await harness.leftovers()).toEqual(['request:1', 'request:2']);
});

test('What a server said is committed is there after it was killed (G4).', async () => {
  // For sessions that begin after it; and nobody else writes what a commit has not.
  await server.query('ALTER DATABASE postgres SET synchronous_commit = off');
  await server.query(`ALTER SYSTEM SET wal_writer_delay = '10s'`);
  await server.query('SELECT pg_reload_conf()');
  harness = await postgresHarness(server, { timeoutMs: 60_000 });
  const store = await harness.worker();
  for (const index of [1, 2, 3]) await store.save(record(index), BATCH);
  await server.kill();
  const closing = store.closeBatch(
    BATCH,
    [1, 2, 3].map((index) => saved(record(index))),
    'text',
  );
  await server.start();
  await server.query('ALTER DATABASE postgres RESET synchronous_commit');
  await server.query('ALTER SYSTEM RESET wal_writer_delay');
  await server.query('SELECT pg_reload_conf()');
  expect(await closing).toEqual({ location: BATCH_FILE });
});

test('A save that waits in vain says what it waited for.', async () => {
  harness = await postgresHarness(server, { timeoutMs: 200 });
  const store = await harness.worker();
  await server.stop();
  try {
    await expect(store.save(record(1), BATCH)).rejects.toMatchObject({
      code: 'store-away',
      message: 'Postgres: request:1 could not be saved: ECONNREFUSED: connection refused (connect)',
    });
  } finally {
    await server.start();
  }
});

test('G4: a worker that is suspended in a transaction delays its batch only until the timeout.', async () => {
  harness = await postgresHarness(server, { timeoutMs: 500 });
  const [still, other] = [await harness.worker(), await harness.worker()];
  let goOn: () => void = () => undefined;
  const standing = new Promise<void>((reached) => {
    restore = interceptQueries((sql) => {
      if (!sql.startsWith('SAVEPOINT')) return undefined;
      restore();
      reached();
      return new Promise<void>((resolve) => (goOn = resolve));
    });
  });
  const late = still.save(record(1), BATCH);
  await standing;
  for (let attempts = 1; ; attempts++) {
    // Repeated by Temporal: waiting for a lock has its limit too.
    const done = await other
      .closeBatch(BATCH, [rolledBack(record(1))], 'text')
      .catch((error: unknown) => error);
    if (!isKeepapartError(done)) break;
    if (attempts === 20 || done.code !== 'store-failed') throw done;
  }
  goOn();
  // Its connection is gone, which is nothing of the record's.
  await expect(late).rejects.toMatchObject({ code: 'store-away' });
  await expect(still.save(record(1), BATCH)).rejects.toMatchObject({ code: 'batch-already-closed' });
  expect(await harness.leftovers()).toEqual([]);
});

test('Two batches that lock rows in opposite order are both closed: a deadlock is tried again.', async () => {
  // Whoever has locked its first row waits until both have. A sequence counts outside of transactions, and starts at what
  // nobody waits for: a batch's statement is also run for each record that is saved.
  await server.query(`
    CREATE TABLE contended (key text PRIMARY KEY);
    INSERT INTO contended VALUES ('k1'), ('k2');
    CREATE SEQUENCE holders MINVALUE 0 START 2;
    CREATE FUNCTION lock_row(wanted text) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM FROM contended WHERE key = wanted FOR UPDATE;
      IF (SELECT last_value FROM holders) < 2 THEN
        PERFORM nextval('holders');
        WHILE (SELECT last_value FROM holders) < 2 LOOP PERFORM pg_sleep(0.01); END LOOP;
      END IF;
      RETURN wanted;
    END $$`);
  harness = await postgresHarness(server, {
    statement: `INSERT INTO contended SELECT lock_row(r.value->>0) FROM jsonb_to_recordset($1) AS r (value jsonb)
      ON CONFLICT (key) DO UPDATE SET key = excluded.key`,
    // On a busy machine the two need long to meet, and one that isn't waited for any more locks nothing.
    timeoutMs: 2 * MINUTE,
  });
  const worker = await harness.worker();
  const [one, two] = [record(1, ['k1']), record(2, ['k2'])];
  const batches = [one, two].map((first, index) => ({
    batch: { ...BATCH, batchId: `b-${index}` },
    records: first === one ? [one, two] : [two, one],
  }));
  for (const { batch, records } of batches) for (const each of records) await worker.save(each, batch);
  await server.query(`SELECT setval('holders', 0)`);
  await Promise.all(
    batches.map(({ batch, records }) => worker.closeBatch(batch, records.map(saved), 'text')),
  );
  // Told with a delay.
  await waitFor('the deadlock to be told', async () => {
    const [{ deadlocks } = { deadlocks: 0 }] = await server.query<{ deadlocks: number }>(
      'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
    );
    return deadlocks > 0;
  });
  expect(await server.query('SELECT count(*)::int AS count FROM contended')).toEqual([{ count: 2 }]);
});

describe('opening the store', () => {
  const open = async (options: Partial<PostgresHarness['opening']> = {}) => {
    harness = await postgresHarness(server, options);
    return harness.worker();
  };

  test('Opening the Postgres store creates its tables once, however many workers do it at the same moment.', async () => {
    harness = await postgresHarness(server);
    await Promise.all([1, 2, 3, 4].map(() => harness.worker()));
    expect(await server.query(`SELECT version FROM ${harness.schema}.version`)).toEqual([{ version: 1 }]);
  });

  test('Opening the Postgres store needs no right to create anything if the tables exist.', async () => {
    harness = await postgresHarness(server);
    await harness.worker();
    await server.query(`
      CREATE ROLE clerk LOGIN;
      GRANT USAGE ON SCHEMA ${harness.schema} TO clerk;
      GRANT ALL ON ALL TABLES IN SCHEMA ${harness.schema} TO clerk`);
    const url = server.url.replace('keepapart:', 'clerk:');
    const store = await openPostgresStore({ ...harness.opening, url });
    await store.save(record(1), BATCH);
    await store.close();
  });

  test('Opening the Postgres store checks whether the server keeps what it commits.', async () => {
    expect((await open()).durable).toBe(true);
    await harness.close();
    await server.query(`ALTER SYSTEM SET fsync = off`);
    await server.query(`SELECT pg_reload_conf()`);
    try {
      for (let durable = true; durable;) {
        ({ durable } = await open());
        await harness.close();
      }
    } finally {
      await server.query(`ALTER SYSTEM RESET fsync`);
      await server.query(`SELECT pg_reload_conf()`);
    }
  });

  test.each<[what: string, options: Partial<PostgresHarness['opening']>, message: string]>([
    [
      'nobody listens',
      { url: 'postgres://me:secret@127.0.0.1:1/db' },
      'Postgres (a test): ECONNREFUSED: connection refused (connect)',
    ],
    [
      'there is no such database',
      { url: 'elsewhere' },
      'Postgres (a test): database "elsewhere" does not exist (SQLSTATE 3D000)',
    ],
    [
      'the statement is wrong',
      { statement: 'INSERT INTO nowhere SELECT $1::jsonb' },
      'Postgres (a test): POSTGRES_STATEMENT: relation "nowhere" does not exist (SQLSTATE 42P01)',
    ],
    [
      'the statement takes no records',
      { statement: 'SELECT 1' },
      'Postgres (a test): POSTGRES_STATEMENT: bind message supplies 1 parameters, but prepared statement "" requires 0 ' +
        '(SQLSTATE 08P01)',
    ],
  ])('says so at once when %s, without the password', async (_, options, message) => {
    const url = options.url === 'elsewhere' ? server.url.replace(/postgres$/, 'elsewhere') : undefined;
    await expect(open({ ...options, ...(url && { url }) })).rejects.toMatchObject({
      code: 'postgres-unusable',
      message,
    });
  });

  test('Opening the Postgres store refuses tables that a newer version has made.', async () => {
    harness = await postgresHarness(server);
    await harness.worker();
    await server.query(`UPDATE ${harness.schema}.version SET version = 2`);
    await expect(harness.worker()).rejects.toMatchObject({
      code: 'postgres-unusable',
      message: expect.stringContaining('have version 2, but this keepapart needs version 1'),
    });
  });
});
