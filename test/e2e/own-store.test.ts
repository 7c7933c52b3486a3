import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { apiOf } from '../helpers/api';
import { readBatchFiles } from '../helpers/audit';
import { startCommand, startSystem, temporaryFolder, type StartedCommand } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';
import { waitFor } from '../helpers/wait-for';

jest.setTimeout(240_000);

/* A store of the user's own, through the commands. */
const EXAMPLE = path.resolve(__dirname, '../../examples/own-store/store.mjs');

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const started: StartedCommand[] = [];
beforeEach(async () => void (folder = await temporaryFolder()));
afterEach(async () => {
  await Promise.all(started.splice(0).map((command) => command.killGroup()));
  await folder.remove();
});

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const command = startCommand(args, { cwd: folder.path, env });
  started.push(command);
  const code = await command.ended;
  return { code, stdout: command.stdout(), stderr: command.stderr() };
}

/** Writes a module into the working directory. */
function module(name: string, code: string): string {
  writeFileSync(path.join(folder.path, name), code);
  return `./${name}`;
}

test('Store test finds that the example keeps the whole contract, killed workers included.', async () => {
  const { code, stdout, stderr } = await run(['store', 'test', EXAMPLE], {
    SAVED: path.join(folder.path, 'saved'),
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('✓ G4, G10: wherever a worker is killed');
  expect(stdout).not.toContain('Not checked');
  expect(stdout).toMatch(/(\d+) of \1 hold\n$/);
});

test('Store test says what a store does not keep, as CommonJS here, and exits with 1.', async () => {
  const careless = module(
    'careless.cjs',
    `const { appendFileSync, existsSync, readFileSync, writeFileSync } = require('node:fs');
     const rows = () => (existsSync('rows') ? readFileSync('rows', 'utf8').split('\\n') : []);
     module.exports = {
       saveBatch(records) {
         for (const { recordId } of records) appendFileSync('rows', recordId + '\\n');
         return records.map(() => 'saved');
       },
       undo(records) {
         const gone = records.map(({ recordId }) => recordId);
         writeFileSync('rows', rows().filter((id) => !gone.includes(id)).join('\\n'));
       },
       testing: { find: (ids) => rows().filter((id) => ids.includes(id)) },
     };`,
  );
  const { code, stdout } = await run(['store', 'test', careless, '--json']);
  expect(code).toBe(1);
  const { failed, checked } = JSON.parse(stdout) as {
    failed: number;
    checked: { title: string; passed: boolean; error?: string }[];
  };
  expect(failed).toBeGreaterThan(0);
  expect(checked.find(({ title }) => title.startsWith('G4, G10: wherever a worker is killed'))).toMatchObject(
    {
      passed: false,
      error: expect.stringMatching(/the store holds contract-\S+, which is saved, 2 times/),
    },
  );
});

describe('a worker whose store can not be used ends before it takes work, with one clear message:', () => {
  test.each<
    [what: string, code: number, content: string | undefined, env: Record<string, string>, told: string[]]
  >([
    [
      'no module',
      2,
      undefined,
      {},
      ['STORE: expected the path of a module that can be loaded', 'received "./store.mjs"'],
    ],
    ['a module that throws', 2, `throw new Error('no such table');`, {}, ['no such table', 'store.mjs:1']],
    [
      'a module without a store',
      2,
      'export const save = 1;',
      {},
      ['STORE: expected a default export with saveBatch', 'received an object with save'],
    ],
    [
      'options that the schema refuses',
      2,
      `export default {
         options: { parse(value) { if (typeof value.table !== 'string') throw new Error('table is missing'); } },
         open: () => ({ saveBatch: () => [] }),
       };`,
      { KEEPAPART_STORE_OPTIONS: '{"password":"hunter2"}' },
      ["STORE_OPTIONS: expected a value that the store's schema accepts: table is missing"],
    ],
    [
      'options that nothing takes',
      2,
      'export default { saveBatch: () => [] };',
      { KEEPAPART_STORE_OPTIONS: '{"password":"hunter2"}' },
      ['STORE_OPTIONS: expected nothing, because this store takes no options; received 1 options'],
    ],
    [
      'an open that fails',
      1,
      `export default { open() { throw new Error('nobody listens'); } };`,
      {},
      ['open failed: Error: nobody listens', 'at Object.open', '[store-unusable]'],
    ],
  ])('%s', async (_, expected, content, settings, told) => {
    if (content !== undefined) module('store.mjs', content);
    const { code, stdout, stderr } = await run(['worker'], {
      TEMPORAL_ADDRESS: testServer().address,
      KEEPAPART_STORE: './store.mjs',
      ...settings,
    });
    expect({ code, stderr }).toEqual({ code: expected, stderr: expect.stringContaining(told[0] ?? '') });
    for (const part of told) expect(stderr).toContain(part);
    expect(stdout + stderr).not.toContain('hunter2');
  });
});

test.each(['record', 'batch'])(
  'with SAVE_ACTIVITY=%s records go through code of the user, rejected ones are rolled back, and what it throws costs its batch and is logged with its stack',
  async (saveActivity) => {
    const store = module(
      'store.mjs',
      `import { appendFileSync } from 'node:fs';
       export default {
         saveBatch(records, { batchId, attempt }) {
           appendFileSync('calls', JSON.stringify({ batchId, attempt, values: records.map(({ value }) => value) }) + '\\n');
           if (records.some(({ value }) => value === 'bug') && attempt < 2) null.property;
           return records.map(({ value }) => value === 'odd' ? { outcome: 'rejected', reason: 'it is odd' } : 'saved');
         },
       };`,
    );
    const env = {
      TEMPORAL_ADDRESS: testServer().address,
      KEEPAPART_BATCHER_ID: `${path.basename(folder.path)}-${saveActivity}`,
      KEEPAPART_TASK_QUEUE: `${path.basename(folder.path)}-${saveActivity}`,
      KEEPAPART_SAVE_ACTIVITY: saveActivity,
      KEEPAPART_OUTCOME_FORMAT: 'json',
      KEEPAPART_STORE: store,
    };
    const system = await startSystem('serve', { cwd: folder.path, env });
    started.push(system);
    const api = apiOf(system.apiUrl);
    await api.send([1, 'odd', 3, 4, 5]);
    await api.send(['bug', 7]);
    await api.settled(7);
    const lines = [...(await readBatchFiles(path.join(folder.path, 'data/out'))).values()].flat();
    const told = lines.map((line) => {
      const { value, outcome, attempts, error } = line as unknown as Record<string, unknown>;
      return { value, outcome, attempts, error };
    });
    const saved = (value: unknown, attempts: number) => ({ value, outcome: 'saved', attempts, error: null });
    const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
    expect(told.sort(byText)).toEqual(
      [
        ...[1, 3, 4, 5].map((value) => saved(value, 1)),
        { value: 'odd', outcome: 'rolled_back', attempts: 1, error: expect.stringContaining('it is odd') },
        ...['bug', 7].map((value) => saved(value, 2)),
      ].sort(byText),
    );
    const calls = readFileSync(path.join(folder.path, 'calls'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { values: unknown[]; attempt: number });
    expect(calls.flatMap(({ values }) => values).filter((value) => value === 1)).toHaveLength(1);
    const logged = () => system.stderr() + system.stdout();
    await waitFor('the stack in the log', () => Promise.resolve(/store\.mjs:5/.test(logged())));
    expect(logged()).toContain("Cannot read properties of null (reading 'property')");
    expect(await system.interrupt()).toBe(0);
    expect(readdirSync(path.join(folder.path, 'data/staging'))).toEqual([]);
  },
);
