import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { JsonValue } from '../../src/domain/json';
import { apiOf } from '../helpers/api';
import { readBatchFiles } from '../helpers/audit';
import { openDatabase } from '../helpers/shared-postgres';
import { startCommand, startSystem, temporaryFolder, type StartedCommand } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';

jest.setTimeout(180_000);

/* What examples/bulk-upsert/README.md tells its reader to do, with its files. */
const EXAMPLE = path.resolve(__dirname, '../../examples/bulk-upsert');
const read = (name: string): string => readFileSync(path.join(EXAMPLE, name), 'utf8');
const PRICES = read('prices.json');
const RULE = '[{"distinct":"/sku"}]';
const REFUSED = 'ON CONFLICT DO UPDATE command cannot affect row a second time (SQLSTATE 21000)';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let database: Awaited<ReturnType<typeof openDatabase>>;
const started: StartedCommand[] = [];
beforeEach(async () => {
  folder = await temporaryFolder();
  database = await openDatabase();
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((command) => command.killGroup()));
  await database.remove();
  await folder.remove();
});

const products = () => database.query(`SELECT sku, cents FROM products ORDER BY sku`);
const WITHOUT_RULE = [
  { sku: 'A-1', cents: 1990 },
  { sku: 'B-2', cents: 450 },
  { sku: 'C-3', cents: 700 },
];
const WITH_RULE = [{ sku: 'A-1', cents: 1790 }, ...WITHOUT_RULE.slice(1)];

test('The same records fail with SQLSTATE 21000 without the rule and are saved with it, and what had failed is redriven.', async () => {
  await database.query(read('table.sql'));
  const statement = read('upsert.sql');
  const values = JSON.parse(PRICES) as JsonValue[];
  const rows = values.map((value) => ({ value, openedAt: '2026-01-31T12:00:00Z', batch: 'by hand' }));
  await expect(database.query(statement, [JSON.stringify(rows)])).rejects.toMatchObject({ code: '21000' });
  expect(await products()).toEqual([]);

  const env = {
    TEMPORAL_ADDRESS: testServer().address,
    KEEPAPART_BATCHER_ID: path.basename(folder.path),
    KEEPAPART_TASK_QUEUE: path.basename(folder.path),
    KEEPAPART_SAVE_ACTIVITY: 'batch',
    KEEPAPART_OUTCOME_FORMAT: 'json',
    KEEPAPART_STORE: 'postgres',
    KEEPAPART_POSTGRES_URL: database.url,
    KEEPAPART_POSTGRES_KEY: '/sku',
    KEEPAPART_POSTGRES_STATEMENT: statement,
  };
  const system = await startSystem('serve', { cwd: folder.path, env });
  started.push(system);
  expect(system.stderr() + system.stdout()).toContain('unless CONFLICTS has');
  const api = apiOf(system.apiUrl);

  async function run(args: readonly string[], input?: string) {
    const command = startCommand(args, { cwd: folder.path, env, ...(input !== undefined && { input }) });
    started.push(command);
    const code = await command.ended;
    return { code, stdout: command.stdout(), stderr: command.stderr() };
  }
  const at = ['--url', system.apiUrl];
  const send = () => run(['send', '--wait', ...at], PRICES);

  const without = await send();
  expect(without).toMatchObject({ code: 1, stdout: expect.stringContaining('3 saved, 2 rolled back') });
  const [lines = []] = (await readBatchFiles(path.join(folder.path, 'data/out'))).values();
  const refused = { outcome: 'rolled_back', error: expect.stringContaining(REFUSED) };
  const kept = { outcome: 'saved', error: null };
  expect(lines).toMatchObject([kept, kept, refused, kept, refused]);
  expect(await products()).toEqual(WITHOUT_RULE);

  expect(await run(['limits', 'set', `conflicts=${RULE}`, ...at])).toMatchObject({ code: 0 });
  expect(await send()).toMatchObject({ code: 0, stdout: expect.stringContaining('5 saved') });
  expect(await products()).toEqual(WITH_RULE);

  expect(await run(['redrive', '--all', ...at])).toMatchObject({ code: 0 });
  await api.settled(5 + 5 + 2);
  expect(await products()).toEqual(WITH_RULE);

  const audit = await run(['audit', '--conflicts', RULE, '--temporal']);
  expect(audit).toMatchObject({ code: 0, stderr: '' });
  expect(audit.stdout).toContain(`  Postgres: ${new URL(database.url).host}/`);
  // One without the rule, three of the same input with it, and two of what is sent again.
  expect(audit.stdout).toMatch(/^ +6 {2}batches closed in Postgres$/m);
  expect(await system.interrupt()).toBe(0);
});
