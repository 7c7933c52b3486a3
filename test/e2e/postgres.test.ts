import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { batchFileName } from '../../src/domain/records/outcome';
import { runAuditCommand } from '../helpers/audit-command';
import type { PostgresDatabase } from '../helpers/postgres-server';
import { settle } from '../helpers/settle-batch';
import { openDatabase } from '../helpers/shared-postgres';
import { BATCH, record, rolledBack, saved } from '../helpers/store-folders';
import { postgresHarness } from '../helpers/store-harness';
import { startCommand, temporaryFolder } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';

jest.setTimeout(120_000);

/* What the commands make of STORE=postgres. */
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let database: PostgresDatabase;
beforeAll(async () => {
  folder = await temporaryFolder();
  database = await openDatabase();
});
afterAll(async () => {
  await database.remove();
  await folder.remove();
});

const NOBODY_LISTENS = 'postgres://me:hunter2@127.0.0.1:1/shop';

describe('a worker that can not use Postgres ends before it takes work, with one clear message:', () => {
  test.each<[what: string, code: number, env: () => Record<string, string>, told: string]>([
    [
      'what is no URL',
      2,
      () => ({ POSTGRES_URL: 'http://me:hunter2@127.0.0.1/shop' }),
      'KEEPAPART_POSTGRES_URL: expected nothing, or postgres://',
    ],
    [
      'a server that is not there',
      1,
      () => ({ POSTGRES_URL: NOBODY_LISTENS }),
      'Postgres (127.0.0.1:1/shop): ECONNREFUSED: connection refused (connect)',
    ],
    [
      'a table that is not there',
      1,
      () => ({ POSTGRES_URL: database.url, POSTGRES_STATEMENT: 'INSERT INTO nowhere SELECT $1::jsonb' }),
      'POSTGRES_STATEMENT: relation "nowhere" does not exist (SQLSTATE 42P01)',
    ],
    [
      'a statement that is no SQL',
      1,
      () => ({ POSTGRES_URL: database.url, POSTGRES_STATEMENT: 'UPSERT $1' }),
      'POSTGRES_STATEMENT: syntax error at or near "UPSERT" (SQLSTATE 42601)',
    ],
  ])('%s', async (_, expected, settings, told) => {
    const env = Object.entries(settings()).map(([name, value]) => [`KEEPAPART_${name}`, value] as const);
    const command = startCommand(['worker'], {
      cwd: folder.path,
      env: {
        TEMPORAL_ADDRESS: testServer().address,
        KEEPAPART_STORE: 'postgres',
        ...Object.fromEntries(env),
      },
    });
    const code = await command.ended;
    expect({ code, stderr: command.stderr() }).toEqual({
      code: expected,
      stderr: expect.stringContaining(told),
    });
    const name = expected === 2 ? 'invalid-config' : 'postgres-unusable';
    expect(command.stderr().match(/\[[a-z-]+\]$/gm)).toEqual([`[${name}]`]);
    expect(command.stdout() + command.stderr()).not.toContain('hunter2');
  });
});

test('An audit holds what is closed in Postgres against the files, byte by byte (G4, G10).', async () => {
  const harness = await postgresHarness(database);
  const store = await harness.worker();
  const batches = [1, 2, 3, 4].map((seq) => ({ ...BATCH, batchId: `batcher-0-0000000${seq}` }));
  for (const [index, batch] of batches.entries()) {
    const records = [saved(record(2 * index)), rolledBack(record(2 * index + 1))];
    await settle(store, { batch, records, format: 'json', together: index === 0 });
  }
  await harness.close();
  const audit = () =>
    runAuditCommand([], {
      cwd: folder.path,
      env: {
        KEEPAPART_OUT_DIR: harness.outDir,
        KEEPAPART_STORE: 'postgres',
        KEEPAPART_POSTGRES_URL: database.url,
        KEEPAPART_POSTGRES_SCHEMA: harness.schema,
      },
    });
  expect(await audit()).toMatchObject({
    code: 0,
    damage: {},
    report: { postgres: { closed: 4, publishing: 0, unlistedFiles: 0 }, files: { outcomes: { total: 8 } } },
  });

  const fileOf = (index: number) => path.join(harness.outDir, batchFileName(batches[index]!));
  // The first file is lost, the second one may be about to come.
  rmSync(fileOf(0));
  await database.query(
    `UPDATE ${harness.schema}.batches SET closed_at = closed_at - interval '1 hour' WHERE batch LIKE '%1'`,
  );
  rmSync(fileOf(1));
  writeFileSync(fileOf(2), '"save [4] failed, roll back"\n"save [5] failed, roll back"\n');
  await database.query(`DELETE FROM ${harness.schema}.batches WHERE batch LIKE '%4'`);
  expect(await audit()).toMatchObject({
    code: 1,
    damage: { notPublished: 1, publishedOtherwise: 1 },
    report: { postgres: { closed: 3, publishing: 1, unlistedFiles: 1 } },
  });
});

test('An audit that can not read Postgres is no clean one.', async () => {
  const command = startCommand(['audit'], {
    cwd: folder.path,
    env: { KEEPAPART_OUT_DIR: '.', KEEPAPART_STORE: 'postgres', KEEPAPART_POSTGRES_URL: NOBODY_LISTENS },
  });
  expect(await command.ended).toBe(1);
  expect(command.stderr()).toContain('Postgres (127.0.0.1:1/shop): ECONNREFUSED');
  expect(command.stderr()).toMatch(/\[postgres-unusable\]$/m);
  expect(command.stderr()).not.toContain('hunter2');
});
