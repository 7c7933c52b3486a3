import type { RecordStore } from '../../src/domain/records/record-store';
import type { OutcomeLine } from '../helpers/audit';
import { audit, readBatchFiles } from '../helpers/audit';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { startPostgres, type PostgresServer } from '../helpers/postgres-server';
import { postgresHarness, type PostgresHarness } from '../helpers/store-harness';
import { waitFor } from '../helpers/wait-for';

/* The store in Postgres under real workflows. */
jest.setTimeout(180_000);

let server: PostgresServer;
beforeAll(async () => void (server = await startPostgres()));
afterAll(() => server.remove());

let harness: PostgresHarness;
let pipeline: TestPipeline;
afterEach(async () => {
  await pipeline.close();
  await harness.close();
});

const files = (): Promise<Map<string, OutcomeLine[]>> => readBatchFiles(harness.outDir);

test('Postgres is killed under load and comes back: everything accepted is saved, each record once (G4).', async () => {
  harness = await postgresHarness(server, { keyPointer: '/sku', timeoutMs: 60_000 });
  const rules = [{ distinct: '/sku' }];
  pipeline = await startPipeline({
    store: await harness.worker(),
    settings: { conflicts: rules, outcomeFormat: 'json' },
  });
  const lists = Array.from({ length: 12 }, (_, list) =>
    Array.from({ length: 10 }, (_one, index) => ({ sku: (list * 7 + index) % 50, price: list })),
  );
  const acknowledged: string[] = [];
  for (const [index, list] of lists.entries()) {
    const [requestId] = await pipeline.send(list);
    acknowledged.push(...list.map((_, at) => `${requestId}:${at}`));
    if (index === 4) {
      await waitFor('some files', async () => (await files()).size > 0);
      await server.kill();
    }
    if (index === 8) await server.start();
  }
  const { counters } = await waitFor(
    'everything to be through',
    async () => {
      const status = await pipeline.status();
      return status.bufferedRecords === 0 && status.inFlight === 0 && status;
    },
    { timeoutMs: 120_000 },
  );

  const found = audit(await files(), acknowledged, { maxBatchSize: 5, rules });
  expect(found).toEqual({
    outcomes: 120,
    missing: [],
    doubled: [],
    unknown: [],
    overSize: [],
    conflicting: [],
  });
  expect(counters).toMatchObject({ saved: 120, rolledBack: 0 });
  expect(await server.query(`SELECT count(*)::int AS count FROM ${harness.schema}.records`)).toEqual([
    { count: 50 },
  ]);
  expect(await harness.leftovers()).toEqual([]);
});

/** A table whose rows can be made impossible after they were saved, and a store that does so at its first closing. */
async function storeThatIsUndermined(): Promise<RecordStore> {
  await server.query(`
    DROP TABLE IF EXISTS products, suppliers;
    CREATE TABLE suppliers (name text PRIMARY KEY);
    CREATE TABLE products (sku text PRIMARY KEY, supplier text REFERENCES suppliers);
    INSERT INTO suppliers VALUES ('Zoë')`);
  harness = await postgresHarness(server, {
    statement: `INSERT INTO products SELECT r.value->>'sku', r.value->>'supplier'
      FROM jsonb_to_recordset($1) AS r (value jsonb) ON CONFLICT (sku) DO NOTHING`,
  });
  const inner = await harness.worker();
  let undermined: Promise<unknown> | undefined;
  return {
    ...inner,
    closeBatch: async (batch, records, format) => {
      await (undermined ??= server.query('DELETE FROM suppliers'));
      return inner.closeBatch(batch, records, format);
    },
  };
}

const REFUSAL =
  'its batch was rejected: insert or update on table "products" violates foreign key constraint ' +
  '"products_supplier_fkey" (SQLSTATE 23503)';

test('A batch that can no longer be written is rolled back with the reason, and holds nothing up (G4).', async () => {
  pipeline = await startPipeline({
    store: await storeThatIsUndermined(),
    settings: { outcomeFormat: 'json' },
  });
  await pipeline.send([{ sku: 'A-1', supplier: 'Zoë' }, { sku: 'A-2' }]);
  await waitFor('the batch to be settled', async () => (await files()).size === 1);
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ batchesFailed: 0, saved: 0, rolledBack: 2 });
  expect([...(await files()).values()].flat()).toMatchObject([
    { outcome: 'rolled_back', error: REFUSAL },
    { outcome: 'rolled_back', error: REFUSAL },
  ]);
  expect(await server.query('SELECT * FROM products')).toEqual([]);

  await pipeline.send([{ sku: 'A-3' }]);
  await waitFor('a later record to be saved', async () => (await files()).size === 2);
  expect(await harness.leftovers()).toEqual([]);
});

test('G9: of batches in one child, the one that can no longer be written is rolled back, and the others are saved.', async () => {
  pipeline = await startPipeline({
    store: await storeThatIsUndermined(),
    settings: { outcomeFormat: 'json', maxBatchSize: 1, saveActivity: 'batch' },
  });
  await pipeline.send([{ sku: 'A-1' }, { sku: 'A-2', supplier: 'Zoë' }, { sku: 'A-3' }]);
  await waitFor('the batches to be closed', async () => (await files()).size === 3);
  const { counters } = await pipeline.quiet();
  expect(counters).toMatchObject({ batchesFailed: 0, batchesCompleted: 3, saved: 2, rolledBack: 1 });
  expect(await server.query('SELECT sku FROM products ORDER BY sku')).toEqual([
    { sku: 'A-1' },
    { sku: 'A-3' },
  ]);
  const outcomes = [...(await files()).values()].flat();
  expect(outcomes.filter(({ outcome }) => outcome === 'rolled_back')).toMatchObject([
    { value: { sku: 'A-2' }, error: REFUSAL },
  ]);
  expect(await harness.leftovers()).toEqual([]);
});
