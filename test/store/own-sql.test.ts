import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { KeptRecord } from '../../src/domain/records/record';
import type { PostgresDatabase } from '../helpers/postgres-server';
import { openDatabase } from '../helpers/shared-postgres';
import { BATCH, record, saved } from '../helpers/store-folders';
import { postgresHarness, type PostgresHarness } from '../helpers/store-harness';

/* What docs/STORES.md says of "Your own SQL", with its statements and the table of examples/bulk-upsert. */
const ROOT = path.resolve(__dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const [, section = ''] = read('docs/STORES.md').split('## Your own SQL');
const [history = '', statement = ''] = [...section.matchAll(/^```sql\n(.*?)^```$/gms)].map(([, sql]) => sql);

let database: PostgresDatabase;
let harness: PostgresHarness;
beforeAll(async () => {
  database = await openDatabase();
  await database.query(read('examples/bulk-upsert/table.sql'));
  await database.query(history);
});
afterAll(() => database.remove());
beforeEach(async () => {
  await database.query('TRUNCATE products, price_changes');
  harness = await postgresHarness(database, { statement, keyPointer: '/sku' });
});
afterEach(() => harness.close());

const price = (index: number, sku: string, cents: number): KeptRecord => record(index, { sku, cents });
const products = () => database.query('SELECT sku, cents FROM products ORDER BY sku');
const changes = () => database.query('SELECT id, sku, cents FROM price_changes ORDER BY id');

test('The statement with WITH writes both tables when a batch is closed, and nothing of it before or twice.', async () => {
  const store = await harness.worker();
  const records = [price(1, 'A-1', 1990), price(2, 'B-2', 450)];
  await store.saveAll?.([{ batch: BATCH, records }]);
  expect([await products(), await changes()]).toEqual([[], []]);
  for (let again = 0; again < 2; again++) await store.closeBatch(BATCH, records.map(saved), 'json');
  expect(await products()).toEqual([
    { sku: 'A-1', cents: 1990 },
    { sku: 'B-2', cents: 450 },
  ]);
  expect(await changes()).toEqual([
    { id: 'request:1', sku: 'A-1', cents: 1990 },
    { id: 'request:2', sku: 'B-2', cents: 450 },
  ]);
});

test('A record that one of the tables refuses costs only itself, and is in neither (G9).', async () => {
  const store = await harness.worker();
  const [good, bad] = [price(1, 'A-1', 1990), price(2, 'B-2', -1)];
  const [results] = (await store.saveAll?.([{ batch: BATCH, records: [good, bad] }])) ?? [];
  expect(results).toMatchObject([
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: 'record-rejected', message: expect.stringContaining('23514') } },
  ]);
  await store.rollback(bad, BATCH);
  await store.closeBatch(BATCH, [saved(good)], 'json');
  expect(await products()).toEqual([{ sku: 'A-1', cents: 1990 }]);
  expect(await changes()).toMatchObject([{ id: 'request:1' }]);
});

test('Of two batches the price of the one that was cut later stays, whichever is closed first, and both are in the history.', async () => {
  const store = await harness.worker();
  const later = { batchId: 'batcher-0-00000002', openedAtMs: BATCH.openedAtMs + 1 };
  const [older, newer] = [price(1, 'A-1', 1990), price(2, 'A-1', 1790)];
  await store.save(older, BATCH);
  await store.save(newer, later);
  await store.closeBatch(later, [saved(newer)], 'json');
  await store.closeBatch(BATCH, [saved(older)], 'json');
  expect(await products()).toEqual([{ sku: 'A-1', cents: 1790 }]);
  expect(await changes()).toHaveLength(2);
});
