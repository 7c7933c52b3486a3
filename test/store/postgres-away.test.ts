import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settleBatch } from '../../activities/settle-batch';
import type { JsonValue } from '../../src/domain/json';
import type { RecordStore } from '../../src/domain/records/record-store';
import { interceptQueries } from '../helpers/intercept-queries';
import { startPostgres, type PostgresServer } from '../helpers/postgres-server';
import { postgresHarness, type PostgresHarness } from '../helpers/store-harness';
import { BATCH, BATCH_FILE, record, rolledBack, saved } from '../helpers/store-folders';

/* What is the fault of Postgres, what is the fault of a record, and what neither may cost the others. */
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

const failureOf = (call: Promise<unknown>) => call.catch((error: unknown) => error);

test('A server that has become a standby counts as unavailable until it is promoted, with each of its errors.', async () => {
  harness = await postgresHarness(server, { timeoutMs: 200 });
  const store = await harness.worker();
  await server.stop();
  await server.start({ asStandby: true });
  expect(await failureOf(store.save(record(1), BATCH))).toMatchObject({
    code: 'store-away',
    message: expect.stringContaining('SQLSTATE'),
  });
  await server.query('SELECT pg_promote()');
  await store.save(record(1), BATCH);
});

test('A server that takes no more connections is away.', async () => {
  harness = await postgresHarness(server, { timeoutMs: 200 });
  await harness.worker();
  await harness.close();
  await server.query(`
    CREATE ROLE crowd LOGIN;
    GRANT USAGE ON SCHEMA ${harness.schema} TO crowd;
    GRANT ALL ON ALL TABLES IN SCHEMA ${harness.schema} TO crowd`);
  harness.opening.url = server.url.replace('keepapart:', 'crowd:');
  const store = await harness.worker();
  await server.query('ALTER ROLE crowd CONNECTION LIMIT 0');
  await server.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'keepapart'`,
  );
  expect(await failureOf(store.save(record(1), BATCH))).toMatchObject({
    code: 'store-away',
    message: expect.stringContaining('too many connections'),
  });
});

test('A connection that an administrator ends in the middle of a save says that the server is away.', async () => {
  harness = await postgresHarness(server);
  const store = await harness.worker();
  restore = interceptQueries(async (sql) => {
    if (!sql.startsWith('SAVEPOINT')) return undefined;
    restore();
    await server.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'keepapart'`,
    );
    return undefined;
  });
  expect(await failureOf(store.save(record(1), BATCH))).toMatchObject({ code: 'store-away' });
});

/** A statement that raises what a record asks for, by SQLSTATE. */
async function raising(): Promise<RecordStore> {
  await server.query(`
    CREATE OR REPLACE FUNCTION raise_state(state text) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN
      IF state <> '' THEN RAISE EXCEPTION 'as asked for' USING ERRCODE = state; END IF;
      RETURN state;
    END $$`);
  harness = await postgresHarness(server, {
    statement: `SELECT raise_state(r.value->>'state') FROM jsonb_to_recordset($1) AS r (value jsonb)`,
  });
  return harness.worker();
}

test.each([
  ['the disk is full', '53100', 'store-away'],
  ['memory is out', '53200', 'store-away'],
  ['it starts up', '57P03', 'store-away'],
  ['it is read-only', '25006', 'store-away'],
  ['the disk fails', '58030', 'store-away'],
  ['a table is gone', '42P01', 'store-away'],
  ['the record takes too long', '57014', 'save-failed'],
  ['a trigger says no', 'P0001', 'save-failed'],
  ['the record does not fit', '22001', 'record-rejected'],
])('where %s (%s), a save fails with that: %s', async (_, state, code) => {
  const store = await raising();
  const one = record(1, { state });
  expect(await failureOf(store.save(one, BATCH))).toMatchObject({ code });
  const batch = { ...BATCH, batchId: 'b-2' };
  const [results] = (await store.saveAll?.([{ batch, records: [one] }])) ?? [];
  expect(results).toMatchObject([{ status: 'rejected', reason: { code } }]);
});

describe('In a database whose encoding does not have every character', () => {
  const VALUES: JsonValue[] = ['plain', 'café', 'price € 5', { n: 1 }, '😀'];

  async function latin1(): Promise<RecordStore> {
    await server.query('DROP DATABASE IF EXISTS latin1 WITH (FORCE)');
    await server.query(
      `CREATE DATABASE latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
    );
    harness = await postgresHarness({ ...server, url: server.url.replace(/postgres$/, 'latin1') });
    return harness.worker();
  }

  test("A record that the database's encoding cannot hold costs only itself, and its outcome is kept (G4, G9).", async () => {
    const store = await latin1();
    const records = VALUES.map((value, index) => record(index, value));
    const settled = [];
    for (const one of records) {
      const error = await store.save(one, BATCH).then(
        () => undefined,
        (reason: unknown) => `${(reason as { code: string }).code}: ${(reason as Error).message}`,
      );
      settled.push(error === undefined ? saved(one) : rolledBack(one, error));
    }
    expect(settled.map(({ outcome }) => outcome)).toEqual([
      ...['saved', 'saved', 'rolled_back', 'saved', 'rolled_back'],
    ]);
    expect(settled[2]?.error).toContain('record-rejected');
    const withEuro = settled.map((one) => (one.error === undefined ? one : { ...one, error: '€ 😀 "\\' }));
    await store.closeBatch(BATCH, withEuro, 'json');
    expect(readFileSync(join(harness.outDir, BATCH_FILE), 'utf8').split('\n')).toHaveLength(6);
    const read = await store.readBatch({ ...BATCH, records });
    expect(read?.records).toEqual(withEuro);
  });

  test('A batch is settled in a database of any encoding, with any values in its records (G4).', async () => {
    const store = await latin1();
    const batch = { ...BATCH, flushReason: 'size' as const, records: VALUES.map((v, i) => record(i, v)) };
    const { outcomes } = await settleBatch(store, { batch, format: 'json', reason: 'ended: €', atMs: 1 }, 1);
    expect(outcomes).toHaveLength(5);
  });
});

test('A batch with the same record twice, as its key was forgotten, is settled (G4).', async () => {
  harness = await postgresHarness(server);
  const store = await harness.worker();
  const twice = [record(1, 'a'), record(1, 'a')];
  await store.closeBatch(
    BATCH,
    twice.map((one) => rolledBack(one, 'no')),
    'json',
  );
  expect(readFileSync(join(harness.outDir, BATCH_FILE), 'utf8').split('\n')).toHaveLength(3);
});

test('A record without the key is refused without its value in the log of Postgres.', async () => {
  harness = await postgresHarness(server, { keyPointer: '/sku' });
  const store = await harness.worker();
  expect(await failureOf(store.save(record(1, { name: 'confidential' }), BATCH))).toMatchObject({
    code: 'record-rejected',
    message: expect.stringContaining('23502'),
  });
  await store.save(record(2, { sku: null }), BATCH);
  expect(server.log()).not.toContain('confidential');
});

test('For two records that only the statement writes to one row, the error does not suggest a rule that is in force.', async () => {
  await server.query('CREATE TABLE texts (sku text PRIMARY KEY, cents int)');
  harness = await postgresHarness(server, {
    keyPointer: '/sku',
    statement: `INSERT INTO texts SELECT r.value->>'sku', (r.value->>'cents')::int
      FROM jsonb_to_recordset($1) AS r (value jsonb) ON CONFLICT (sku) DO UPDATE SET cents = excluded.cents`,
  });
  const store = await harness.worker();
  await store.save(record(1, { sku: 1, cents: 1 }), BATCH);
  expect(await failureOf(store.save(record(2, { sku: '1', cents: 2 }), BATCH))).toMatchObject({
    code: 'record-rejected',
    message: expect.stringMatching(/^(?!.*A rule in CONFLICTS keeps them apart).*differ as JSON/),
  });
});
