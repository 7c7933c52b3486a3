import { readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startCommand, temporaryFolder } from '../helpers/system';

jest.setTimeout(120_000);

const EXAMPLES = resolve(__dirname, '../../examples/rules');

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => (folder = await temporaryFolder()));
afterEach(() => folder.remove());

interface Ran {
  code: number | string;
  stdout: string;
  stderr: string;
}

/** Runs `keepapart rules …` as a user would. */
async function rules(args: readonly string[], given: { env?: Record<string, string>; input?: string } = {}) {
  const command = startCommand(['rules', ...args], { cwd: folder.path, ...given });
  const code = await command.ended;
  return { code, stdout: command.stdout(), stderr: command.stderr() } satisfies Ran;
}

function write(name: string, content: unknown): string {
  writeFileSync(join(folder.path, name), typeof content === 'string' ? content : JSON.stringify(content));
  return name;
}

describe('rules check', () => {
  test('keepapart rules check without a file shows the rules in force and their source.', async () => {
    expect(await rules(['check'])).toEqual({
      code: 0,
      stdout: '1 rule of CONFLICTS (default), nothing that has to be changed.\n  1  {"pair":[1,2]}\n',
      stderr: '',
    });
    write('keepapart.config.json', { CONFLICTS: [{ distinct: '/id' }, { pair: [1, 3], at: '/id' }] });
    const { code, stdout } = await rules(['check', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ source: 'CONFLICTS (file)', problems: [], covered: [] });
  });

  test('keepapart rules check shows each invalid rule with what to write instead, and exits with 2.', async () => {
    const wrong = [{ pair: [1, 2] }, { pair: [3] }, { distnict: '/id' }, { group: [2, 1] }];
    const { code, stdout, stderr } = await rules(['check', write('rules.json', wrong)]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.split('\n')).toEqual([
      'keepapart: Rules of rules.json have to be changed:',
      '  rule 2: {"pair":[3]}',
      '    /1/pair: expected an array of exactly two values; received [3] (array)',
      '  rule 3: {"distnict":"/id"}',
      expect.stringContaining('    /2/distnict: expected only the keys pair, group, distinct, alike, never'),
      expect.stringContaining(
        '    /2: expected an object with exactly one of pair, group, distinct, alike, never',
      ),
      '  rule 4: {"group":[2,1]}',
      '    /3: expected a rule that does not repeat /0; received {"group":[2,1]} (object) [invalid-config]',
      '',
    ]);
  });

  test.each<[string, (wrong: string) => [args: string[], env: Record<string, string>]]>([
    ['KEEPAPART_CONFLICTS', (wrong) => [[], { KEEPAPART_CONFLICTS: wrong }]],
    ['--conflicts', (wrong) => [['--conflicts', wrong], {}]],
    [
      'CONFLICTS in keepapart.config.json',
      (wrong) => {
        write('keepapart.config.json', { CONFLICTS: JSON.parse(wrong) });
        return [[], {}];
      },
    ],
  ])('shows the rule that is wrong in %s', async (source, given) => {
    const [args, env] = given('[{"pair":[1,2]},{"pair":[1,2],"same":""}]');
    const { code, stderr } = await rules(['check', ...args], { env });
    expect(code).toBe(2);
    expect(stderr).toContain(
      `Rules of ${source} have to be changed:\n  rule 2: {"pair":[1,2],"same":""}\n    /1: expected in "same"`,
    );
    const asJson = await rules(['check', '--json', ...args], { env });
    expect(asJson.code).toBe(2);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ source, problems: [{ field: '/1' }] });
  });

  test('keepapart rules check reports other invalid settings as every command does.', async () => {
    const { code, stderr } = await rules(['check'], { env: { KEEPAPART_SHARDS: '0' } });
    expect(code).toBe(2);
    expect(stderr).toContain('KEEPAPART_SHARDS: expected an integer from 1 to 64');
  });

  test('keepapart rules check reports which rule is redundant.', async () => {
    const file = write('rules.yaml', 'rules:\n  - pair: [1, 3]\n  - group: [1, 2, 3]\n');
    const { code, stdout } = await rules(['check', file]);
    expect(code).toBe(0);
    expect(stdout).toContain('Rule 1 could be left out: rule 2 keeps apart all that it does.');
  });

  test('keepapart rules check reports a missing file.', async () => {
    const { code, stderr } = await rules(['check', 'nowhere.yaml']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^keepapart: nowhere.yaml can't be read: .*ENOENT/);
  });
});

describe('rules explain', () => {
  test("keepapart rules explain shows each batch, why it isn't larger, and what the rules cost.", async () => {
    const input = '1\n2\n3\n\n4\n5\n6\n';
    expect(await rules(['explain', '-'], { input })).toEqual({
      code: 0,
      stdout: [
        'batch 1: 5 of 5, full',
        '  1  3  4  5  6',
        'batch 2: 1 of 5, nothing was left',
        '  2',
        '',
        '6 records in 2 batches of at most 5: 60 % full.',
        'No cut has fewer batches.',
        'Deferred by rules: 1 record, behind a batch with room or with a younger record.',
        '  deferred 1 by {"pair":[1,2]}',
        '',
      ].join('\n'),
      stderr: '',
    });
  });

  test('keepapart rules explain takes rules from a file, and a batch size.', async () => {
    const rows = write('rows.csv', 'sku,stock\na,1\na,2\nb,1\nb,2\nb,3\n');
    const file = write('rules.yaml', '- distinct: /sku\n');
    const { code, stdout } = await rules(['explain', rows, '--rules', file, '--max-batch-size', '3']);
    expect(code).toBe(0);
    expect(stdout).toContain(
      [
        'batch 1: 2 of 3, all 3 left conflict with it',
        '  {"sku":"a","stock":"1"}  {"sku":"b","stock":"1"}',
        '  kept out 3 by {"distinct":"/sku"}',
      ].join('\n'),
    );
  });

  test('keepapart rules explain prints the same as JSON.', async () => {
    const list = write('list.json', [7, 7, 8]);
    const { code, stdout } = await rules(['explain', list, '--json', '--conflicts', '[{"distinct":""}]']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      maxBatchSize: 5,
      rules: [{ distinct: '' }],
      batches: [
        {
          records: [7, 8],
          why: 'rules',
          left: 1,
          keptOut: [{ rule: 0, records: 1 }],
          tooLarge: 0,
          fitting: 0,
        },
        { records: [7], why: 'nothing_left', left: 0, keptOut: [], tooLarge: 0, fitting: 0 },
      ],
      summary: {
        records: 3,
        batches: 2,
        lowerBound: 2,
        fillRatio: 0.3,
        deferred: 1,
        deferredBy: [{ rule: 0, records: 1 }],
      },
    });
  });

  test('keepapart rules explain cuts by bytes as a batcher does, and says so.', async () => {
    const values = Array.from({ length: 3 }, (_, index) => `${index}${'x'.repeat(600 * 1024)}`);
    const { stdout } = await rules(['explain', write('large.json', values), '--conflicts', '[]']);
    expect(stdout).toContain(
      "batch 1: 1 of 5, of 2 left, those that don't conflict with it would make it too large",
    );
    expect(stdout).toContain('batch 3: 1 of 5, nothing was left');
  });

  test('keepapart rules explain prints no control characters of a record, and shortens long ones.', async () => {
    const input = JSON.stringify(`\u001b[31m\u009b${'x'.repeat(200)}`);
    const { stdout } = await rules(['explain', '-'], { input });
    expect(stdout).not.toMatch(/[^\P{C}\n]/u);
    expect(stdout).toMatch(/x…\n/);
  });

  test('keepapart rules explain says so when there are no records.', async () => {
    const { code, stdout } = await rules(['explain', '-']);
    expect(code).toBe(0);
    expect(stdout).toContain('0 records in 0 batches');
  });

  test('keepapart rules explain reports a position that is not a record.', async () => {
    const { code, stdout, stderr } = await rules(['explain', write('a.ndjson', '1\n\n[2]\n')]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      'keepapart: a.ndjson, line 3: expected a record; received a list, which is none [invalid-config]\n',
    );
  });
});

describe('rules test', () => {
  test('keepapart rules test passes for every example.', async () => {
    const examples = readdirSync(EXAMPLES).map((name) => join(EXAMPLES, name));
    expect(examples.length).toBeGreaterThan(3);
    const { code, stdout, stderr } = await rules(['test', ...examples]);
    expect([code, stderr]).toEqual([0, '']);
    for (const example of examples) expect(stdout).toContain(`${example}\n  passed  `);
    expect(stdout).toMatch(/\n[1-9]\d* passed, 0 failed\n$/);
  });

  const policy = (tests: unknown, more: object = {}) => ({ rules: [{ pair: [1, 2] }], ...more, tests });

  test('keepapart rules test shows what each failed test expected and received, and exits with 1.', async () => {
    const tests = [
      { name: 'fine', records: [1, 2], expect: { apart: [[1, 2]], batches: [[1], [2]] } },
      {
        name: 'not so',
        records: [1, 2, 3],
        expect: {
          batches: [[1, 2, 3]],
          atMostBatches: 1,
          together: [
            [1, 2],
            [2, 3],
          ],
          apart: [[1, 3]],
        },
      },
    ];
    const file = write('policy.json', policy(tests));
    expect(await rules(['test', file])).toEqual({
      code: 1,
      stdout: [
        'policy.json',
        '  passed  fine',
        '  FAILED  not so',
        '    batches',
        '      expected  [[1,2,3]]',
        '      received  [[1,3],[2]]',
        '    atMostBatches',
        '      expected  1',
        '      received  2',
        '    together',
        '      expected  [1,2]',
        '      received  [[1,3],[2]]',
        '      because   {"pair":[1,2]} keeps them apart',
        '    together',
        '      expected  [2,3]',
        '      received  [[1,3],[2]]',
        '    apart',
        '      expected  [1,3]',
        '      received  [1,3]',
        '',
        '1 passed, 1 failed',
        '',
      ].join('\n'),
      stderr: '',
    });
    const asJson = await rules(['test', file, '--json']);
    expect(asJson.code).toBe(1);
    const { passed, files } = JSON.parse(asJson.stdout);
    expect(passed).toBe(false);
    expect(files).toMatchObject([
      {
        file: 'policy.json',
        tests: [
          { name: 'fine', passed: true, failures: [] },
          { name: 'not so', passed: false, batches: [[1, 3], [2]] },
        ],
      },
    ]);
  });

  test('keepapart rules test runs several files, with the rules of another file if asked to.', async () => {
    const together = [{ name: 'both', records: [1, 2], expect: { together: [[1, 2]] } }];
    const files = [write('a.json', policy(together)), write('b.json', policy(together))];
    expect((await rules(['test', ...files])).stdout).toContain('0 passed, 2 failed');
    const { code, stdout } = await rules(['test', ...files, '--rules', write('none.json', [])]);
    expect(code).toBe(0);
    expect(stdout).toContain('2 passed, 0 failed');
  });

  test('keepapart rules test exits with 2 before running anything if a file cannot be used.', async () => {
    const fine = policy([{ name: 'a', records: [1, 2], expect: { atMostBatches: 2 } }]);
    const files = [write('fine.json', fine), write('p.yaml', 'rules: []\ntests: []')];
    expect(await rules(['test', ...files])).toEqual({
      code: 2,
      stdout: '',
      stderr:
        "keepapart: p.yaml can't be used:\n  /tests: expected at least one test; received [] (array) [invalid-config]\n",
    });
  });
});

test('Rules without a command shows what there is.', async () => {
  const { code, stderr } = await rules([]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/check .*explain .*test /s);
});
