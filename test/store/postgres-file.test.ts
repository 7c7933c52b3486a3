import { join } from 'node:path';
import { interceptFs } from '../helpers/intercept-fs';
import { interceptQueries } from '../helpers/intercept-queries';
import type { PostgresDatabase } from '../helpers/postgres-server';
import { openDatabase } from '../helpers/shared-postgres';
import { BATCH, BATCH_FILE, record, saved } from '../helpers/store-folders';
import { postgresHarness, type PostgresHarness } from '../helpers/store-harness';

/** The file that a batch in Postgres has as well. */
let database: PostgresDatabase;
beforeAll(async () => void (database = await openDatabase()));
afterAll(() => database.remove());

let harness: PostgresHarness;
const restores: (() => void)[] = [];
afterEach(async () => {
  for (const restore of restores.splice(0)) restore();
  await harness.close();
});

test('A batch is committed before its file is there, and its file durable before it counts as closed (G4, G10).', async () => {
  harness = await postgresHarness(database);
  const store = await harness.worker();
  await store.save(record(1), BATCH);
  const steps: string[] = [];
  restores.push(
    interceptQueries((sql) => sql === 'COMMIT' && steps.push('commit')),
    interceptFs(({ name, path }) => {
      if (name === 'link') steps.push('publish');
      if (name === 'sync') steps.push(path === harness.outDir ? 'sync the folder' : 'sync the content');
    }),
  );
  await store.closeBatch(BATCH, [saved(record(1))], 'text');
  expect(steps).toEqual(['commit', 'sync the content', 'publish', 'sync the folder']);
});

test('A file that is there and was not synced, as its writer was killed, is synced by the next attempt (G4).', async () => {
  harness = await postgresHarness(database);
  const store = await harness.worker();
  await store.save(record(1), BATCH);
  const close = () => store.closeBatch(BATCH, [saved(record(1))], 'text');
  const restore = interceptFs(({ name, path }) => {
    if (name === 'sync' && path === harness.outDir) throw new Error('killed');
  });
  await expect(close()).rejects.toMatchObject({ code: 'store-failed' });
  restore();
  const synced: string[] = [];
  restores.push(interceptFs(({ name, path }) => name === 'sync' && synced.push(path)));
  expect(await close()).toEqual({ location: BATCH_FILE });
  expect(synced).toEqual([join(harness.outDir)]);
});
