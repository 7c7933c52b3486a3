import { createHash } from 'node:crypto';
import type { DeadLetter } from '../../src/contracts/api/answers/dead-letters';
import { RIGHTS } from '../../src/domain/rights';
import { listen, type Listening } from '../../src/http/listen';
import { apiOf } from '../helpers/api';
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

/** Runs a command to its end. */
async function run(args: string[], env: Record<string, string> = {}) {
  const command = startCommand(args, { cwd: folder.path, env });
  started.push(command);
  const code = await command.ended;
  return { code, stdout: command.stdout(), stderr: command.stderr() };
}

async function serve(env: Record<string, string>) {
  const system = await startSystem('serve', {
    cwd: folder.path,
    env: { KEEPAPART_FLUSH_INTERVAL_MS: '100', ...env },
  });
  started.push(system);
  return { system, api: apiOf(system.apiUrl), url: ['--url', system.apiUrl] };
}

test('What a broken store left dead is listed, sent again and drained by commands, each record once (G2, G4).', async () => {
  const broken = await serve({ KEEPAPART_SAVE_FAILURE_RATE: '1', KEEPAPART_MAX_ATTEMPTS: '1' });
  const { records } = await broken.api.send([1, 2, 'x']);
  await broken.api.settled(3);
  const listed = await waitFor('the dead letters', async () => {
    const { code, stdout } = await run(['dead-letters', ...broken.url]);
    expect(code).toBe(0);
    return stdout.endsWith('3 dead letters.\n') && stdout;
  });
  for (const { recordId } of records) expect(listed).toContain(recordId);
  const asJson = await run(['dead-letters', '--json', '--request', 'another', ...broken.url]);
  expect([asJson.code, JSON.parse(asJson.stdout)]).toEqual([0, []]);
  expect(await broken.system.interrupt()).toBe(0);

  const { system, api, url } = await serve({});
  const [first, second] = records.map(({ recordId }) => recordId);
  const one = await run(['redrive', first!, '--by', 'Zoë', ...url]);
  expect(one).toMatchObject({ code: 0, stderr: '' });
  expect(one.stdout).toContain(
    `sent again ${first} as redrive-1.${first}\n1 sent again, 0 sent before, 0 not found.`,
  );
  const rest = await run(['redrive', '--all', ...url]);
  expect(rest.stdout).toContain('2 sent again, 1 sent before, 0 not found.');
  const partly = await run(['redrive', second!, 'nobody:0', ...url]);
  expect(partly.code).toBe(1);
  expect(partly.stdout).toContain('no dead letter: nobody:0\n0 sent again, 1 sent before, 1 not found.');

  const temporal = { TEMPORAL_ADDRESS: system.temporalAddress };
  expect(await run(['drain'], temporal)).toMatchObject({
    code: 0,
    stdout: 'Drained: everything that was accepted has its outcome.\n',
  });
  expect((await api.status()).total.counters).toMatchObject({ saved: 3, rolledBack: 3 });
  const all = await run(['dead-letters', '--json', '--all', ...url]);
  const letters = JSON.parse(all.stdout) as DeadLetter[];
  expect(letters.map(({ redrivenAs }) => redrivenAs).sort()).toEqual(
    records.map(({ recordId }) => `redrive-1.${recordId}`),
  );

  await api.post('/v1/pause', { by: 'the night shift' });
  await api.send(['kept']);
  const held = await run(['drain', '--timeout', '100'], temporal);
  expect(held.code).toBe(1);
  expect(held.stdout).toMatch(
    /^Not drained, 1 record and 0 batches left:\n +batcher-0: 1 record buffered, 0 batches in flight, paused by the night shift since \S+\n$/,
  );
});

describe('a command that talks to the API', () => {
  let edge: TestApp;
  let listening: Listening;
  beforeEach(async () => {
    const sha256 = createHash('sha256').update('secret').digest('hex');
    edge = testApp({ apiKeys: [{ name: 'ops', sha256, rights: RIGHTS }] });
    listening = await listen(edge.app, { host: '127.0.0.1', port: 0 });
  });
  afterEach(() => listening.close({ graceMs: 0 }));

  test('A command that calls the API sends KEEPAPART_API_KEY, and says when the key is missing or wrong.', async () => {
    const args = ['redrive', '--all', '--url', listening.url];
    const missing = await run(args);
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toMatch(/set KEEPAPART_API_KEY\. \[unauthorized\]\n$/);
    const wrong = await run(args, { KEEPAPART_API_KEY: 'guess' });
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/KEEPAPART_API_KEY is not in force\. \[unauthorized\]\n$/);
    expect(wrong.stderr).not.toContain('guess');
    expect(edge.batcher.calls).toEqual([]);
    expect((await run(args, { KEEPAPART_API_KEY: 'secret' })).code).toBe(0);
    expect(edge.batcher.calls).toEqual(['redrive({"all":true}, ops)']);
  });

  test('A command that calls the API follows every page, and prints no control characters.', async () => {
    const letter = {
      recordId: 'r:0',
      requestId: 'r',
      value: 'a\u001b[31mb',
      attempts: 1,
      error: 'no\u001b[2J place',
      rollbackError: 'nor\na way back',
      at: '2020-02-02T02:02:03.000Z',
      batchId: 'b-1',
      batcher: 'b',
      file: 'f.log',
      redriveOf: null,
      redrivenAs: null,
    };
    let pages = 0;
    edge.batcher.deadLetters = (filter) => {
      edge.batcher.calls.push(String(filter.cursor));
      return Promise.resolve({ deadLetters: [letter], nextCursor: ++pages < 3 ? `page-${pages}` : null });
    };
    const env = { KEEPAPART_API_KEY: 'secret' };
    const { code, stdout } = await run(['dead-letters', '--url', listening.url], env);
    expect([code, edge.batcher.calls]).toEqual([0, ['undefined', 'page-1', 'page-2']]);
    expect(stdout.split('\n')).toHaveLength(6);
    expect(stdout).toContain('not undone: nor a way back');
    expect(stdout).not.toContain('\u001b');
  });

  test('A command that calls the API reports refusals, and answers that are not from keepapart.', async () => {
    const env = { KEEPAPART_API_KEY: 'secret' };
    const refused = await run(['redrive', '--batch', '', '--url', listening.url], env);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/\/batchId: expected an id .* \[invalid-request\]\n$/);
    const other = await listen((_req, res) => res.end('hello'), { host: '127.0.0.1', port: 0 });
    const answered = await run(['dead-letters', '--url', other.url], env);
    await other.close({ graceMs: 0 });
    expect([answered.code, answered.stderr]).toEqual([1, expect.stringContaining('[api-unreachable]')]);
  });

  test('A command that calls the API says when nothing listens at its address.', async () => {
    const { url } = listening;
    await listening.close({ graceMs: 0 });
    const { code, stderr } = await run(['dead-letters', '--url', url]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `keepapart: No keepapart API answers at ${url} (ECONNREFUSED): start it, or pass its address with --url. [api-unreachable]\n`,
    );
  });

  test.each([
    [['redrive']],
    [['redrive', 'r:0', '--all']],
    [['dead-letters', '--url', 'localhost:3000']],
    [['dead-letters', '--http-port', '0']],
    [['drain', '--timeout', 'soon']],
  ])('that can not be understood exits with 2: %j', async (args) => {
    const { code, stderr } = await run(args);
    expect([code, stderr]).toEqual([2, expect.stringContaining('[invalid-config]')]);
  });
});

test('A drain without a Temporal server says so.', async () => {
  const { code, stderr } = await run(['drain', '--temporal-port', '1']);
  expect([code, stderr]).toEqual([1, expect.stringContaining('[temporal-unavailable]')]);
});
