import { appendFile, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { BatchSummary, LimitsAnswer, RequestView, StatusView } from '../../src/client';
import { listen, type Listening } from '../../src/http/listen';
import { startStreamApi, type StreamApi } from '../client/stream-api';
import { startCommand, startSystem, temporaryFolder, type StartedCommand } from '../helpers/system';
import { waitFor } from '../helpers/wait-for';
import { testApp, type TestApp } from '../http/test-app';

jest.setTimeout(180_000);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const started: StartedCommand[] = [];
beforeEach(async () => (folder = await temporaryFolder()));
afterEach(async () => {
  await Promise.all(started.splice(0).map((command) => command.killGroup()));
  await folder.remove();
});

function start(args: string[], input?: string): StartedCommand {
  const command = startCommand(args, { cwd: folder.path, ...(input !== undefined && { input }) });
  started.push(command);
  return command;
}

/** Runs a command to its end. */
async function run(args: string[], input?: string) {
  const command = start(args, input);
  const code = await command.ended;
  return { code, stdout: command.stdout(), stderr: command.stderr() };
}

test('Records are sent, followed, listed and held up by commands, on a real system.', async () => {
  const system = await startSystem('serve', {
    cwd: folder.path,
    env: {
      KEEPAPART_FLUSH_INTERVAL_MS: '100',
      KEEPAPART_SAVE_FAILURE_RATE: '1',
      KEEPAPART_MAX_ATTEMPTS: '1',
    },
  });
  started.push(system);
  const at = ['--url', system.apiUrl];
  const json = async <T>(args: string[]) => JSON.parse((await run([...args, '--json', ...at])).stdout) as T;

  const sent = await run(['send', '[1,{"a":"ä"}]', '--key', 'k-1', '--wait', ...at]);
  expect(sent).toMatchObject({ code: 1, stderr: '' });
  expect(sent.stdout).toMatch(/^Accepted 2 records as k-1\.\nrequest k-1: .*, 2 rolled back\n/);
  expect(sent.stdout).toMatch(/^k-1:1 +{"a":"ä"} +rolled back +1 +batcher-0-0000000\d /m);
  const other = await run(['send', '[2]', '--key', 'k-1', ...at]);
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('[idempotency-key-reused]')]);

  const paused = await run(['pause', '--by', 'Zoë', ...at]);
  expect(paused).toMatchObject({ code: 0, stdout: expect.stringContaining('By Zoë.') });
  const [held] = (await run(['send', '--json', ...at], '[\n3\n]')).stdout.split('\n');
  const { requestId } = JSON.parse(held!) as { requestId: string };
  const table = await run(['status', ...at]);
  expect(table.stdout).toMatch(/^0 +1 +\d+ B .* 3 +0 +2 +0 +paused by Zoë since \S+\ntotal +1 /m);
  const late = await run(['request', requestId, '--wait', '--timeout', '0', '--json', ...at]);
  expect(late).toMatchObject({ code: 1, stderr: expect.stringContaining('1 record left') });
  expect((JSON.parse(late.stdout) as RequestView).counts.buffered).toBe(1);
  expect(await run(['resume', ...at])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('anonymous'),
  });
  expect(await run(['request', requestId, '--wait', ...at])).toMatchObject({ code: 1 });
  expect((await json<StatusView>(['status'])).total.counters.rolledBack).toBe(3);

  const asJson = await run([
    'limits',
    'set',
    'maxAttempts=2',
    'CONFLICTS=[]',
    '--by',
    'Zoë',
    '--json',
    ...at,
  ]);
  expect(asJson).toMatchObject({ code: 0, stderr: '' });
  expect((JSON.parse(asJson.stdout) as LimitsAnswer).shards[0]).toMatchObject({
    limits: { maxAttempts: 2, conflicts: [] },
  });
  expect((await run(['limits', ...at])).stdout).toMatch(
    /^maxBatchSize +5 +– +– +–\nconflicts +\[\] +\[\{"pair":\[1,2\]\}\] +Zoë +\S+Z\n(.*\n)*maxAttempts +2 +1 +Zoë /m,
  );
  expect((await run(['limits', 'reset', '--all', ...at])).stdout).toMatch(/^maxAttempts +1 +– +– +–$/m);
  const [unknown, unnamed] = await Promise.all([
    run(['limits', 'set', 'batch=2', ...at]),
    run(['limits', 'reset', ...at]),
  ]);
  expect([unknown.code, unnamed.code]).toEqual([1, 2]);
  expect(unknown.stderr).toContain('/batch: expected one of maxBatchSize');

  const batches = await waitFor('all batches to be listed', async () => {
    const listed = await json<BatchSummary[]>(['batches', '--state', 'completed', '--limit', '2']);
    return listed.length === 2 && listed;
  });
  const { stdout } = await run(['batches', batches[0]!.batchId, ...at]);
  expect(stdout).toMatch(new RegExp(`^batch +${batches[0]!.batchId} \\(completed, (age|manual)\\)`));
  expect(stdout).toMatch(new RegExp(`^${requestId}:0 +3 +rolled back +1 `, 'm'));
  const nothing = await run(['request', 'unknown', ...at]);
  expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringContaining('[request-not-found]')]);
});

test('A file of more records than the buffer may hold is imported whole, each record once.', async () => {
  const system = await startSystem('serve', {
    cwd: folder.path,
    env: {
      KEEPAPART_FLUSH_INTERVAL_MS: '50',
      KEEPAPART_MAX_BUFFERED_RECORDS: '500',
      KEEPAPART_OUT_DIR: path.join(folder.path, 'out'),
    },
  });
  started.push(system);
  const values = Array.from({ length: 2000 }, (_, n) => JSON.stringify({ n }));
  await writeFile(path.join(folder.path, 'n.ndjson'), values.join('\n'));
  const { code, stdout, stderr } = await run([
    'import',
    'n.ndjson',
    '--retry-for',
    '20',
    '--url',
    system.apiUrl,
  ]);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^Accepted 2,000 records /)]);
  expect(stderr).not.toContain('trying again');
  const lines = await waitFor(
    'every outcome',
    async () => {
      const out = path.join(folder.path, 'out');
      const files = (await readdir(out)).filter((name) => name.endsWith('.log'));
      const texts = await Promise.all(files.map((name) => readFile(path.join(out, name), 'utf8')));
      const all = texts.flatMap((text) => text.trim().split('\n'));
      return all.length >= values.length && all;
    },
    { timeoutMs: 60_000 },
  );
  expect(lines.sort()).toEqual(values.map((value) => JSON.stringify(`save [${value}] success`)).sort());
});

describe('over an API that records what it is asked,', () => {
  let edge: TestApp;
  let listening: Listening;
  let at: string[];
  beforeEach(async () => {
    edge = testApp();
    listening = await listen(edge.app, { host: '127.0.0.1', port: 0 });
    at = ['--url', listening.url];
  });
  afterEach(() => listening.close({ graceMs: 0 }));
  const taken = () => edge.batcher.accepted.map(({ values }) => values);

  test('keepapart send takes lists from arguments, and from standard input one list or one per line.', async () => {
    expect(await run(['send', '[1,2,3]', '["5"]', ...at])).toMatchObject({ code: 0, stderr: '' });
    const lines = await run(['send', '--json', ...at], '[1]\n\n[{"a":2}]\n');
    expect(taken()).toEqual([[1, 2, 3], ['5'], [1], [{ a: 2 }]]);
    const ids = edge.batcher.accepted.slice(2).map(({ requestId }) => requestId);
    const told = lines.stdout.trim().split('\n');
    expect(told.map((line) => (JSON.parse(line) as RequestView).requestId)).toEqual(ids);
  });

  test('A wrong command exits with 2, a refused list with 1, and nothing is sent.', async () => {
    const wrong = await Promise.all([
      run(['send', '[1]', '7', ...at]),
      run(['send', '[1]', '[2]', '--key', 'k', ...at]),
      run(['send', '--kye', 'k', ...at]),
      run(['import', 'missing.csv', ...at]),
    ]);
    expect(wrong.map(({ code }) => code)).toEqual([2, 2, 2, 2]);
    const said = ['received 7 (number)', '--key is for one list', 'unknown option', "can't be read"];
    for (const [i, { stderr }] of wrong.entries()) expect(stderr).toContain(said[i]);
    expect(wrong[2].stderr).toBe(
      "error: unknown option '--kye'\n(Did you mean --key?)\nSee `keepapart send --help`.\n",
    );
    const misspelt = await Promise.all([
      run(['limits', 'set', 'maxinflight=5', ...at]),
      run(['limits', 'reset', 'MAX_INFLIHGT', ...at]),
    ]);
    expect(misspelt.map(({ code }) => code)).toEqual([2, 2]);
    for (const { stderr } of misspelt) expect(stderr).toContain('Did you mean maxInFlight?');
    const refused = await run(['send', '[[1]]', ...at]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('/0: expected a record') });
    expect(taken()).toEqual([]);
  });

  test.each([
    [['status']],
    [['status', '--watch']],
    [['batches', '--json']],
    [['dead-letters']],
    [['send', '[1]', '[2]']],
    [['--help']],
    [['completion', 'bash']],
    [['limits', '--help']],
    [['config']],
    [['rules', 'check', '--conflicts', '[]']],
  ])('%j ends without a word when nobody reads what it prints', async (args) => {
    const command = start(
      ['--help', 'completion'].includes(args[0] ?? '') || args[0] === 'config' || args[0] === 'rules'
        ? args
        : [...args, ...at],
    );
    command.child.stdout?.destroy();
    await command.ended;
    expect(command.stderr()).toBe('');
  });

  test('keepapart send reports that it retries, and for how long.', async () => {
    edge.drain.on = true;
    const { code, stderr } = await run(['send', '[1]', '--retry-for', '0', ...at]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^keepapart: .* \[not-ready\]\n$/)]);
    const patient = start(['send', '[1]', ...at]);
    await waitFor('a try', () => patient.stderr().includes('[not-ready], trying again in '));
    edge.drain.on = false;
    expect(await patient.ended).toBe(0);
    expect(taken()).toEqual([[1]]);
  });

  test('keepapart status --watch shows rates, continues after an outage of the API, and ends cleanly by Ctrl-C.', async () => {
    const { counters } = edge.batcher.statusView.total;
    edge.batcher.statusView.total = { ...edge.batcher.statusView.total, counters };
    const watching = start(['status', '--watch', ...at]);
    await waitFor('rates', () => watching.stdout().includes('in/s  out/s'));
    expect(watching.stdout()).toMatch(
      /^http:\/\/\S+, \d\d:\d\d:\d\d\n\w[^\n]*: .*\.\n\naccepted\/s +\S+ {2}/m,
    );
    edge.batcher.failure = new Error('away');
    await waitFor('the failure', () => watching.stdout().includes('[internal]'));
    expect(watching.stdout()).toMatch(/, figures as of \d\d:\d\d:\d\d\nNo answer: .*\[internal\]\.\n/);
    edge.batcher.failure = undefined;
    const before = watching.stdout().length;
    await waitFor('the next look', () => watching.stdout().slice(before).includes('total'));
    expect(await watching.interrupt()).toBe(0);
  });
});

describe('import', () => {
  let api: StreamApi;
  let at: string[];
  beforeEach(async () => {
    api = await startStreamApi();
    at = ['--url', api.url];
  });
  afterEach(() => api.close());
  async function file(name: string, text: string): Promise<string> {
    await writeFile(path.join(folder.path, name), text);
    return name;
  }

  test('keepapart import sends a file of each format, under a key derived from its content.', async () => {
    const values = [
      { sku: 'a', n: 1 },
      { sku: 'b', n: 2 },
    ];
    const lines = values.map((value) => `${JSON.stringify(value)}\r\n`).join('');
    const imports = await Promise.all([
      run(['import', await file('a.ndjson', lines), ...at]),
      run(['import', await file('a.json', JSON.stringify(values, null, 2)), ...at]),
      run(['import', await file('a.csv', 'sku,n\na,1\nb,2\n'), '--numbers', ...at]),
    ]);
    expect(imports.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect([...api.durable.values()]).toEqual([values, values, values]);
    expect(imports[0].stdout).toMatch(/^Accepted 2 records as import-[0-9a-f]{40} in \d+\.\d s\.\n$/);

    await file('moved.ndjson', lines);
    const again = await run(['import', 'moved.ndjson', '--json', ...at]);
    expect(JSON.parse(again.stdout)).toEqual({
      requestId: /as (\S+) in/.exec(imports[0].stdout)![1],
      accepted: 2,
      elapsedMs: expect.any(Number),
    });
    const more = await run(['import', 'a.csv', '--column', 'sku', '--key', 'once-more', ...at]);
    expect([more.code, api.durable.get('once-more'), api.durable.size]).toEqual([0, ['a', 'b'], 4]);
  });

  test('keepapart import resumes by itself after breaks, and waits while the API is full.', async () => {
    api.breaks.push(
      { afterRecords: 200, with: 'reset' },
      { afterRecords: 300, with: { status: 429, code: 'buffer-full', retryAfter: 0 } },
    );
    const values = Array.from({ length: 1000 }, (_, i) => i);
    const { code, stderr } = await run(['import', await file('n.json', JSON.stringify(values)), ...at]);
    expect([code, [...api.durable.values()]]).toEqual([0, [values]]);
    expect(stderr).toMatch(/\[api-unreachable\], trying again.*\n.*\[buffer-full\], trying again/);
  });

  test('keepapart import gives up after its time and reports what is durable, and the same command with the key resumes.', async () => {
    api.breaks.push({ afterRecords: 2, with: { status: 503, code: 'not-ready' } });
    const broken = await run(['import', '-', '--retry-for', '0', ...at], '1\n2\n3\n');
    expect([broken.code, broken.stdout]).toEqual([1, '']);
    expect(broken.stderr).toMatch(
      /^keepapart: standard input: not-ready \[not-ready\]\n {2}The first 2 records were accepted and stay/,
    );
    const [, key] = / --key (\S+)\n$/.exec(broken.stderr)!;
    const again = await run(['import', '-', '--key', key!, ...at], '1\n2\n3\n');
    expect([again.code, api.durable.get(key!)]).toEqual([0, [1, 2, 3]]);
  });

  test.each([
    ['bad.ndjson', '1\n\n{"a":\n3\n', 'line 3: expected one JSON value; received {"a":', [1]],
    [
      'bad.csv',
      'a\n1\n2,3\n4\n',
      'line 3: expected as many cells as the first row has; received 2 cells',
      [{ a: '1' }],
    ],
  ])('stops at a bad line of %s, and what came before stays', async (name, text, message, kept) => {
    const { code, stderr } = await run(['import', await file(name, text), ...at]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    expect(kept).toHaveLength(1);
    expect(stderr).toContain('The first record was accepted and stays, none behind it.');
    expect([...api.durable.values()]).toEqual([kept]);
    expect(api.posts).toHaveLength(1);
  });

  test.each([
    ['l1.csv', 'sku,n\na,1\nb,2\nc,BIG\nd,4\n', 'line 4'],
    ['l2.csv', 'sku,n\n"a\nb\nc",1\nd,BIG\n', 'line 5'],
    ['l3.json', '[\n  {\n    "a": 1\n  },\n  {\n    "a": "BIG"\n  }\n]', 'lines 5 to 7'],
  ])('names the lines of %s that the API refuses as they are in the file', async (name, text, place) => {
    const edge = testApp();
    const listening = await listen(edge.app, { host: '127.0.0.1', port: 0 });
    const big = 'x'.repeat(70_000);
    const args = ['import', await file(name, text.replace('BIG', big)), '--url', listening.url];
    const { code, stderr } = await run(args);
    await listening.close({ graceMs: 0 });
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${name}: ${place}`)]);
  });

  describe('of a file that changes while it is imported', () => {
    /** Imports a file of three records, changes it when the first one is durable, and tells what came of it. */
    async function importWhile(text: string, change: (name: string) => Promise<void>) {
      api.breaks.push({ afterRecords: 1, with: { status: 503, code: 'not-ready', retryAfter: 1 } });
      const importing = start(['import', await file('a.ndjson', text), ...at]);
      await waitFor('the wait', () => importing.stderr().includes('trying again'));
      await change(path.join(folder.path, 'a.ndjson'));
      const code = await importing.ended;
      return { code, stderr: importing.stderr(), durable: [...api.durable.values()] };
    }

    test('keepapart import sends the original file when another file takes its name.', async () => {
      const { code, durable } = await importWhile('1\n2\n3\n', async (name) => {
        await writeFile(`${name}.new`, '1\n20\n3\n');
        await rename(`${name}.new`, name);
      });
      expect([code, durable]).toEqual([0, [[1, 2, 3]]]);
    });

    test.each([
      ['overwritten', '1\n20\n3\n'],
      ['cut off', '1\n2\n'],
    ])('sends nothing that was not there before: %s', async (_, text) => {
      const { code, stderr, durable } = await importWhile('1\n2\n3\n', (name) => writeFile(name, text));
      expect([code, durable]).toEqual([1, [[1]]]);
      expect(stderr).toMatch(/a\.ndjson: .* \[import-changed\]\n {2}The first record was accepted and stays/);
    });

    test('keepapart import leaves out lines that are appended, but refuses a last line that was incomplete.', async () => {
      const whole = await importWhile('1\n2\n3', (name) => appendFile(name, '\n4\n'));
      expect([whole.code, whole.durable]).toEqual([0, [[1, 2, 3]]]);
      api.durable.clear();
      const torn = await importWhile('1\n2\n3', (name) => appendFile(name, '33\n'));
      expect([torn.code, torn.durable]).toEqual([1, [[1]]]);
      expect(torn.stderr).toContain('[import-changed]');
    });
  });

  test('keepapart import shuts down gracefully on Ctrl-C, also while it waits.', async () => {
    api.breaks.push({ afterRecords: 1, with: { status: 503, code: 'not-ready', retryAfter: 100 } });
    const importing = start(['import', await file('a.ndjson', '1\n2\n'), ...at]);
    await waitFor('the wait', () => importing.stderr().includes('trying again'));
    expect(await importing.interrupt()).toBe(1);
    expect(importing.stderr()).toContain('a.ndjson: interrupted\n');
  });
});
