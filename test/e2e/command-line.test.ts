import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startCommand, temporaryFolder } from '../helpers/system';

jest.setTimeout(120_000);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => (folder = await temporaryFolder()));
afterAll(() => folder.remove());

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const command = startCommand(args, { cwd: folder.path, env });
  const code = await command.ended;
  return { code, stdout: command.stdout(), stderr: command.stderr() };
}

test.each([
  [['stauts'], '(Did you mean status?)', 'keepapart'],
  [['status', '--wacth'], '(Did you mean --watch?)', 'keepapart status'],
  [['limits', 'sett', 'maxInFlight=3'], '(Did you mean set?)', 'keepapart limits'],
  [['versions', 'promot', 'b2'], '(Did you mean promote?)', 'keepapart versions'],
  [['rules', 'chekc'], '(Did you mean check?)', 'keepapart rules'],
  [['batches', '--state', 'runing'], 'did you mean running?', 'keepapart batches'],
  [['import', '--format', 'ndjsn', 'a'], 'did you mean ndjson?', 'keepapart import'],
  [['bench', '--profiles', 'recrod'], 'did you mean record?', 'keepapart bench'],
  [['completion', 'zhs'], 'did you mean zsh?', 'keepapart completion'],
  [['drain', '--data-dri', 'x'], '(Did you mean --data-dir?)', 'keepapart drain'],
])(
  'The misspelt command line %j is refused with a suggestion and the place of the help, no more.',
  async (args, hint, helpOf) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(hint);
    expect(stderr).toMatch(/^error: /);
    expect(stderr.endsWith(`See \`${helpOf} --help\`.\n`)).toBe(true);
    expect(stderr.split('\n').length).toBeLessThanOrEqual(4);
  },
);

test('Misspelt values of settings and keys of the configuration file are refused all together, each with a suggestion.', async () => {
  const file = path.join(folder.path, 'wrong.json');
  await writeFile(file, JSON.stringify({ MAX_BATCHSIZE: 3, ON_FAILURE: 'rolback_batch' }));
  const { code, stderr } = await run(['config', '--config', file], {
    KEEPAPART_STORE: 'postgrse',
    KEEPAPART_LOG_LEVEL: 'wran',
  });
  expect(code).toBe(2);
  const meant = ['MAX_BATCH_SIZE', 'rollback_batch', 'postgres', 'warn'];
  for (const name of meant) expect(stderr).toContain(`did you mean ${name}?`);
});

test('The help groups the commands by what somebody wants to do, and lists each once.', async () => {
  const { code, stdout } = await run(['--help']);
  expect(code).toBe(0);
  const headings = [...stdout.matchAll(/^(\S.*):$/gm)].map(([, heading]) => heading);
  expect(headings).toEqual([
    'Options',
    'Send records',
    'See what happens',
    'Control the flow',
    'Repair and check',
    'Try rules and stores',
    'Run the system',
    'Upgrade it',
    'Help',
  ]);
  const names = [...stdout.matchAll(/^ {2}([a-z-]+)[ \n]/gm)].map(([, name]) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(expect.arrayContaining(['send', 'status', 'redrive', 'serve', 'completion', 'help']));
});

test('The help of a setting says its default and what is accepted, below the heading of its group.', async () => {
  const { stdout } = await run(['serve', '--help']);
  const text = stdout.replace(/\s+/g, ' ');
  expect(text).toContain('Network: --http-host');
  expect(text).toMatch(/--http-port <value> [^-]* \(default: 3000; accepted: an integer from 0 to 65535\)/);
  expect(text).toMatch(/--on-failure <value> .*? \(default: keep; accepted: one of keep, rollback_batch\)/);
  expect(text).toMatch(/--max-record-bytes <value> .*? \(default: 64 KiB; /);
});

test('A command for a system that is set up already lists its own options alone, and takes every setting.', async () => {
  const { stdout } = await run(['drain', '--help']);
  expect(stdout).toContain('--timeout');
  expect(stdout).not.toContain('--data-dir <value>');
  expect(stdout).toContain('see `keepapart config --help`');
  const { code, stderr } = await run(['drain', '--max-batch-size', 'many']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('--max-batch-size: expected an integer')]);
});
