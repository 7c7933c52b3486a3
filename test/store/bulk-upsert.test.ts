import fc from 'fast-check';
import type { BatchRef } from '../../src/domain/records/batch';
import { conflicts } from '../../src/domain/rules';
import { isKeepapartError } from '../../src/domain/errors';
import { canonicalJson, type JsonValue } from '../../src/domain/json';
import type { KeptRecord } from '../../src/domain/records/record';
import type { RecordStore } from '../../src/domain/records/record-store';
import { jsonValues, similarValues } from '../helpers/arbitraries';
import type { PostgresDatabase } from '../helpers/postgres-server';
import { openDatabase } from '../helpers/shared-postgres';
import { postgresHarness } from '../helpers/store-harness';
import { BATCH, record, rolledBack, saved } from '../helpers/store-folders';

/* What the statement that writes a batch does, refuses and never does. */
let database: PostgresDatabase;
beforeAll(async () => void (database = await openDatabase()));
afterAll(() => database.remove());

let harness: Awaited<ReturnType<typeof postgresHarness>>;
async function open(options: Parameters<typeof postgresHarness>[1] = {}): Promise<RecordStore> {
  harness = await postgresHarness(database, options);
  return harness.worker();
}
afterEach(() => harness.close());

const rowsOf = (columns = 'key, value'): Promise<Record<string, unknown>[]> =>
  database.query(`SELECT ${columns} FROM ${harness.schema}.records ORDER BY key`);

/** A later batch than {@link BATCH}. */
const LATER: BatchRef = { batchId: 'batcher-0-00000002', openedAtMs: BATCH.openedAtMs + 1 };
const price = (index: number, sku: JsonValue, cents: number): KeptRecord => record(index, { sku, cents });

/** Saves what can be saved and closes the batch; gives the refusals. */
async function bring(store: RecordStore, batch: BatchRef, records: readonly KeptRecord[]): Promise<string[]> {
  const refusals: string[] = [];
  const settled = [];
  for (const one of records) {
    try {
      await store.save(one, batch);
      settled.push(saved(one));
    } catch (error) {
      if (!isKeepapartError(error) || error.code !== 'record-rejected') throw error;
      refusals.push(error.message);
      await store.rollback(one, batch);
      settled.push(rolledBack(one, error.message));
    }
  }
  await store.closeBatch(batch, settled, 'json');
  return refusals;
}

test('Two rows of one statement with the same key are what Postgres refuses with SQLSTATE 21000.', async () => {
  await open();
  const upsert = database.query(
    `INSERT INTO ${harness.schema}.records
     SELECT '"A-1"', to_jsonb(value), '', '', now(), now() FROM unnest(ARRAY[1, 2]) AS value
     ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
  );
  await expect(upsert).rejects.toMatchObject({ code: '21000' });
});

test('G9: of two records of a batch that meet the same row the second is refused, naming the first and the missing rule.', async () => {
  const store = await open({ keyPointer: '/sku' });
  const records = [price(1, 'A-1', 100), price(2, 'B-2', 200), price(3, 'A-1', 300), price(4, 'C-3', 400)];
  expect(await bring(store, BATCH, records)).toEqual([
    'ON CONFLICT DO UPDATE command cannot affect row a second time (SQLSTATE 21000): request:3 meets the same row as ' +
      'request:1 in batch batcher-0-00000001. A rule in CONFLICTS keeps them apart: {"distinct":"/sku"}',
  ]);
  expect(await rowsOf("key, value->'cents' AS cents")).toEqual([
    { key: 'A-1', cents: 100 },
    { key: 'B-2', cents: 200 },
    { key: 'C-3', cents: 400 },
  ]);
});

test('What is saved can be seen only when its batch is closed, and then all at once.', async () => {
  const store = await open({ keyPointer: '/sku' });
  for (const index of [1, 2, 3]) await store.save(price(index, `A-${index}`, 100), BATCH);
  expect(await rowsOf()).toEqual([]);
  const closing = { over: false };
  const closed = store
    .closeBatch(
      BATCH,
      [1, 2, 3].map((index) => saved(price(index, `A-${index}`, 100))),
      'text',
    )
    .finally(() => (closing.over = true));
  const seen = new Set<number>();
  do seen.add((await rowsOf()).length);
  while (!closing.over);
  await closed;
  expect([...seen].filter((count) => count !== 0 && count !== 3)).toEqual([]);
});

test('{"distinct":POSTGRES_KEY} keeps apart just those records whose keys are equal in Postgres.', async () => {
  await open();
  const value = fc.oneof(fc.constantFrom(...similarValues), jsonValues({ maxDepth: 2 }));
  const pairs = fc.array(
    fc.tuple(value, value).filter((pair) => !/\\u(0000|d[89a-f])/i.test(JSON.stringify(pair))),
    { minLength: 50, maxLength: 50 },
  );
  await fc.assert(
    fc.asyncProperty(pairs, async (some) => {
      const found = await database.query<{ equal: boolean }>(
        `SELECT pair->0 = pair->1 AS equal FROM jsonb_array_elements($1) WITH ORDINALITY AS pairs (pair, place)
         ORDER BY place`,
        [JSON.stringify(some)],
      );
      expect(found.map(({ equal }) => equal)).toEqual(
        some.map(([a, b]) => conflicts({ key: a }, { key: b }, [{ distinct: '/key' }])),
      );
      expect(found.map(({ equal }) => equal)).toEqual(
        some.map(([a, b]) => canonicalJson(a) === canonicalJson(b)),
      );
    }),
    { numRuns: 40 },
  );
});

test('Of two records with one key, that of the batch that was cut later stays, whichever is closed first.', async () => {
  const store = await open({ keyPointer: '/sku' });
  const [older, newer] = [price(1, 'A-1', 100), price(2, 'A-1', 200)];
  await store.save(older, BATCH);
  await store.save(newer, LATER);
  await store.closeBatch(LATER, [saved(newer)], 'text');
  await store.closeBatch(BATCH, [saved(older)], 'text');
  expect(await rowsOf()).toEqual([{ key: 'A-1', value: newer.value }]);

  const nextOfTheSameMoment = { ...LATER, batchId: 'batcher-0-00000010' };
  await bring(store, nextOfTheSameMoment, [price(3, 'A-1', 300)]);
  expect(await rowsOf("value->'cents' AS cents, record_id, batch")).toEqual([
    { cents: 300, record_id: 'request:3', batch: 'test_log_202601312359_batcher-0-00000010' },
  ]);
});

test.each<[what: string, value: JsonValue, sqlState: string]>([
  ['has nothing at POSTGRES_KEY', { name: 'no sku' }, '23502'],
  ['holds a NUL, which no text in Postgres can', { sku: 'A-1', name: 'a\0b' }, '22P05'],
  ['has a key that is too long for an index', { sku: noise(9_000) }, '54000'],
])(
  'G9: a record that %s is refused for good, and the others of its batch are saved',
  async (_, value, sqlState) => {
    const store = await open({ keyPointer: '/sku' });
    const refusals = await bring(store, BATCH, [price(1, null, 1), record(2, value), price(3, [0], 3)]);
    expect(refusals).toEqual([expect.stringContaining(`(SQLSTATE ${sqlState})`)]);
    expect(await rowsOf("key, value->'cents' AS cents")).toEqual([
      { key: null, cents: 1 },
      { key: [0], cents: 3 },
    ]);
  },
);

/** Text that doesn't compress. */
function noise(length: number): string {
  let state = 1;
  return Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return String.fromCharCode(0x4e00 + (state % 20_000));
  }).join('');
}

describe('a statement of the user', () => {
  const statement = `
    INSERT INTO shop.products (sku, cents, supplier)
    SELECT r.value->>'sku', (r.value->>'cents')::int, r.value->>'supplier'
    FROM jsonb_to_recordset($1) AS r (value jsonb)
    ON CONFLICT (sku) DO UPDATE SET cents = excluded.cents, supplier = excluded.supplier`;
  beforeEach(() =>
    database.query(`
      CREATE SCHEMA shop;
      CREATE TABLE shop.suppliers (name text PRIMARY KEY);
      CREATE TABLE shop.products (
        sku text PRIMARY KEY,
        cents int NOT NULL CHECK (cents > 0),
        supplier text REFERENCES shop.suppliers DEFERRABLE INITIALLY DEFERRED,
        slug text UNIQUE
      )`),
  );
  afterEach(() => database.query('DROP SCHEMA shop CASCADE'));
  const products = () => database.query(`SELECT sku, cents, supplier FROM shop.products ORDER BY sku`);
  const product = (
    index: number,
    sku: string,
    cents: JsonValue,
    supplier: string | null = null,
  ): KeptRecord => record(index, { sku, cents, supplier });

  test("A user's statement writes their own table, and a record that its columns or checks refuse costs only itself (G9).", async () => {
    const store = await open({ statement, keyPointer: '/sku' });
    const refusals = await bring(store, BATCH, [
      product(1, 'A-1', 100),
      product(2, 'A-2', -1),
      product(3, 'A-3', 'much'),
      product(4, 'A-1', 400),
      product(5, 'A-5', 500),
    ]);
    expect(refusals.map((message) => /SQLSTATE (\w+)/.exec(message)?.[1])).toEqual([
      '23514',
      '22P02',
      '21000',
    ]);
    expect(await products()).toEqual([
      { sku: 'A-1', cents: 100, supplier: null },
      { sku: 'A-5', cents: 500, supplier: null },
    ]);
  });

  test("A user's statement that needs a row of another table fails at saving, deferred or not, until that row exists.", async () => {
    const store = await open({ statement, keyPointer: '/sku' });
    const one = product(1, 'A-1', 100, 'Zoë');
    await expect(store.save(one, BATCH)).rejects.toMatchObject({
      code: 'save-failed',
      message: expect.stringContaining('SQLSTATE 23503'),
    });
    await database.query(`INSERT INTO shop.suppliers VALUES ('Zoë')`);
    expect(await bring(store, BATCH, [one])).toEqual([]);
    expect(await products()).toHaveLength(1);
  });

  test("A user's statement that fails only when its batch is closed has the whole batch refused.", async () => {
    const store = await open({ statement, keyPointer: '/sku' });
    await database.query(`INSERT INTO shop.suppliers VALUES ('Zoë')`);
    const records = [product(1, 'A-1', 100), product(2, 'A-2', 200, 'Zoë')];
    for (const one of records) await store.save(one, BATCH);
    await database.query(`DELETE FROM shop.suppliers`);
    await expect(store.closeBatch(BATCH, records.map(saved), 'json')).rejects.toMatchObject({
      code: 'batch-rejected',
      entry: { retried: 'never' },
    });
    expect(await products()).toEqual([]);
    // As the run does that settles the batch.
    for (const one of records) await store.rollback(one, BATCH);
    await store.closeBatch(
      BATCH,
      records.map((one) => rolledBack(one)),
      'json',
    );
    expect(await harness.leftovers()).toEqual([]);
  });
});
