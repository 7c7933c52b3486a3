import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { readAsOf } from '../../src/cli/commands/import/read-as';
import { readPolicy } from '../../src/cli/commands/rules/policy';
import { readDocument } from '../../src/cli/commands/rules/read-document';
import { readRecords } from '../../src/cli/commands/rules/read-records';
import { rulesOfFile } from '../../src/cli/commands/rules/read-rules';
import { runPolicy } from '../../src/cli/commands/rules/run-policy';
import { isKeepapartError } from '../../src/domain/errors';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'keepapart-rules-'))));
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(name: string, content: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

/** What a file is refused with, without its folder; always as a command that has to be changed. */
async function refusal(reading: Promise<unknown>): Promise<string> {
  const error: unknown = await reading.then(
    (read) => Promise.reject(new Error(`it was read: ${JSON.stringify(read)}`)),
    (reason: unknown) => reason,
  );
  if (!isKeepapartError(error)) throw error;
  expect(error.code).toBe('invalid-config');
  return error.message.replaceAll(`${folder}/`, '');
}

describe('a file in YAML or JSON', () => {
  test.each<[string, string, unknown]>([
    ['a.yaml', '[yes, 2026-11-26, 0x10, 1.0, ~, "1"]', ['yes', '2026-11-26', 16, 1, null, '1']],
    ['a.yml', 'a: &x {b: 1}\nc: *x\n1: 2', { a: { b: 1 }, c: { b: 1 }, 1: 2 }],
    ['a.yaml', '', null],
    ['a.json', '\ufeff{"a":[1]}', { a: [1] }],
    ['a.yaml', '\ufeff- 1', [1]],
  ])('%s with %j is read', async (name, content, read) => {
    expect(await readDocument(write(name, content))).toEqual(read);
  });

  test.each<[string, string, string]>([
    ['a.yaml', '- pair: [1, 2', 'line 1: expected YAML'],
    ['a.yaml', '- 1\n- 9007199254740993', 'line 2: expected a number that a 64-bit float holds'],
    ['a.yaml', '- .inf', 'line 1: expected a number that a 64-bit float holds'],
    ['a.yaml', '- 0x20000000000001', 'line 1: expected a number that a 64-bit float holds'],
    ['a.yaml', 'a: 1\na: 2', 'line 2: expected YAML'],
    ['a.yaml', '[a]: 1', 'line 1: expected YAML'],
    ['a.yaml', '- 1\n- !secret x', 'line 2: expected YAML'],
    ['a.yaml', '- 1\n---\n- 2', 'line 2: expected YAML'],
    ['a.yaml', '&a [*a]', 'the text: expected aliases that come to an end'],
    ['a.yaml', '__proto__: {}', '/__proto__: expected any other key'],
    ['a.json', '[{"a":9007199254740993}]', '/0/a: expected a number that a 64-bit float holds'],
    ['a.json', '[1,]', 'the text: expected JSON'],
  ])('%s with %j is refused, with the place', async (name, content, message) => {
    expect(await refusal(readDocument(write(name, content)))).toContain(
      `${name} can't be used:\n  ${message}`,
    );
  });

  test('is refused when it is not there', async () => {
    expect(await refusal(readDocument(join(folder, 'a.yaml')))).toMatch(/^a\.yaml can't be read: .*ENOENT/);
  });

  test('is refused when it is not UTF-8', async () => {
    const file = join(folder, 'a.yaml');
    writeFileSync(file, Buffer.from([0xff]));
    expect(await refusal(readDocument(file))).toMatch(/^a\.yaml can't be read: /);
  });
});

describe('rules', () => {
  const RULES = [{ pair: [1, 2] }];

  test.each([
    ['as a list', RULES],
    ['of a file with tests', { rules: RULES, tests: [] }],
    ['of a configuration', { CONFLICTS: RULES, SHARDS: 2 }],
    ['of a configuration, as text', { CONFLICTS: JSON.stringify(RULES) }],
  ])('are found %s', async (_, content) => {
    expect(await rulesOfFile(write('a.json', content))).toEqual(RULES);
  });

  test.each<[unknown, string]>([
    [{ rule: [] }, 'the file: expected a list of rules, or an object that has it as rules or CONFLICTS'],
    [7, 'the file: expected a list of rules'],
    [{ CONFLICTS: '[{]' }, '/CONFLICTS: expected a JSON array of conflict rules'],
    [{ rules: [{ pair: [1] }] }, 'rule 1: {"pair":[1]}\n    /rules/0/pair: expected an array of exactly two'],
    [
      [{ group: [1, 'x'.repeat(70_000)] }],
      'the list: expected a JSON array of conflict rules, at most 64 KiB',
    ],
    [[null], 'rule 1: null\n    /0: expected an object with exactly one of pair'],
  ])('%j are refused, with the place', async (content, message) => {
    expect(await refusal(rulesOfFile(write('a.json', content)))).toContain(message);
  });
});

describe('records', () => {
  const read = (file: string) => readRecords(file, readAsOf(file, {}), Readable.from([]));

  test.each<[string, string, unknown[]]>([
    ['a.ndjson', '1\r\n\n{"a":[1]}\n"x"', [1, { a: [1] }, 'x']],
    ['a.json', '[1, {"a": [1]}, "x"]', [1, { a: [1] }, 'x']],
    ['a.csv', 'a,b\n1,x\n', [{ a: '1', b: 'x' }]],
    ['a.jsonl', '', []],
  ])('of %s with %j are read', async (name, content, records) => {
    expect(await read(write(name, content))).toEqual(records);
  });

  test('may be cut anywhere on standard input, also within a character', async () => {
    const bytes = Buffer.from('"Zoë"\n"é"\n');
    const pieces = Readable.from(Array.from(bytes, (byte) => Buffer.of(byte)));
    const readAs = { format: 'ndjson', column: undefined, numbers: false, delimiter: undefined } as const;
    expect(await readRecords('-', readAs, pieces)).toEqual(['Zoë', 'é']);
  });

  test.each<[string, string, string]>([
    ['a.ndjson', '1\n\n{"a":1,}\n', 'a.ndjson, line 3: '],
    ['a.ndjson', '1\n[2]', 'a.ndjson, line 2: expected a record; received a list, which is none'],
    ['a.ndjson', '1\n{"a":9007199254740993}\n', 'a.ndjson, line 2: '],
    ['a.json', '[1,[2]]', 'a.json, record 2: expected a record; received a list'],
    ['a.json', '{"a":1}', 'a.json, line 1: expected a list of records in JSON'],
    ['a.csv', 'a,b\n1\n', 'a.csv, line 2: expected as many cells as the first row has'],
    ['a.ndjson', `${'['.repeat(33)}${']'.repeat(33)}`, 'a.ndjson, line 1: '],
  ])('of %s with %j are refused, with the place', async (name, content, message) => {
    expect(await refusal(read(write(name, content)))).toContain(message);
  });

  test('of a file whose name does not tell what it is need a format', () => {
    expect(() => readAsOf('a.txt', {})).toThrow('Tell by --format what a.txt is');
    expect(() => readAsOf('a.json', { numbers: true })).toThrow(
      '--column, --numbers and --delimiter are for CSV',
    );
  });
});

describe('rules with tests', () => {
  const OK = { name: 'a', records: [1, 2], expect: { atMostBatches: 2 } };
  const policy = (tests: unknown, more: object = {}) => ({ rules: [{ pair: [1, 2] }], ...more, tests });

  test('have batches of five where nothing else is said', async () => {
    expect(await readPolicy(write('a.json', policy([OK])))).toEqual({
      rules: [{ pair: [1, 2] }],
      maxBatchSize: 5,
      tests: [OK],
    });
  });

  test.each<[string, unknown, string]>([
    ['no object', [], 'the file: expected an object with rules and tests; received [] (array)'],
    ['no rules', { tests: [OK] }, '/rules: expected a JSON array of conflict rules'],
    [
      'a wrong rule',
      { rules: [{ pair: [1] }] },
      'rule 1: {"pair":[1]}\n    /rules/0/pair: expected an array',
    ],
    ['no tests', { rules: [] }, '/tests: expected a list of tests; received nothing'],
    ['an empty list of tests', policy([]), '/tests: expected at least one test'],
    ['an unknown key', policy([OK], { maxBatchsize: 3 }), '/maxBatchsize: expected no such key; received 3'],
    [
      'a size that is none',
      policy([OK], { maxBatchSize: 0 }),
      '/maxBatchSize: expected an integer from 1 to 1000',
    ],
    [
      'a test that is none',
      policy([1]),
      '/tests/0: expected a test: an object with name, records and expect',
    ],
    ['no name', policy([{ ...OK, name: '' }]), '/tests/0/name: expected a name'],
    [
      'a name twice',
      policy([OK, OK]),
      '/tests/1/name: expected a name that no earlier test has; received "a"',
    ],
    ['no records', policy([{ ...OK, records: [] }]), '/tests/0/records: expected at least one record'],
    [
      'a list as record',
      policy([{ ...OK, records: [[1]] }]),
      '/tests/0/records/0: expected a record that is not',
    ],
    [
      'nothing expected',
      policy([{ ...OK, expect: {} }]),
      '/tests/0/expect: expected at least one of batches,',
    ],
    [
      'an expectation that is none',
      policy([{ ...OK, expect: { atMostBatch: 1 } }]),
      '/tests/0/expect/atMostBatch: expected no such key; received 1 (number)',
    ],
    [
      'batches that are none',
      policy([{ ...OK, expect: { batches: [1] } }]),
      '/tests/0/expect/batches/0: expected a batch: a list of records; received 1 (number)',
    ],
    [
      'a pair of three',
      policy([{ ...OK, expect: { apart: [[1, 2, 3]] } }]),
      '/tests/0/expect/apart/0: expected two records',
    ],
    [
      'a record that the test does not have',
      policy([{ ...OK, expect: { apart: [[1, 3]] } }]),
      '/tests/0/expect/apart/0: expected two of the records of this test; received [1,3] (array)',
    ],
    [
      'a record that the test has once only',
      policy([{ ...OK, expect: { together: [[1, 1]] } }]),
      '/tests/0/expect/together/0: expected two of the records of this test; received [1,1] (array)',
    ],
  ])('are refused with %s', async (_, content, message) => {
    expect(await refusal(readPolicy(write('p.json', content)))).toContain(message);
  });

  const outcomeOf = (test: object, rules: object[] = [{ pair: [1, 2] }]) => {
    const [result] = runPolicy({ rules, maxBatchSize: 5, tests: [{ name: 'it', ...test }] } as never);
    return result!.failures.map(({ expectation }) => expectation);
  };

  test('the order of records in a batch does not matter, that of batches does', () => {
    const expecting = (...batches: number[][]) => outcomeOf({ records: [1, 2, 3], expect: { batches } });
    expect(expecting([3, 1], [2])).toEqual([]);
    expect(expecting([2], [1, 3])).toEqual(['batches']);
    expect(expecting([1, 3])).toEqual(['batches']);
  });

  test('records are the same when they are equal as JSON', () => {
    const records = [{ a: 1, b: 2 }, 3];
    const pair = [{ b: 2, a: 1.0 }, 3];
    expect(outcomeOf({ records, expect: { together: [pair], batches: [pair] } })).toEqual([]);
    expect(outcomeOf({ records, expect: { apart: [pair] } })).toEqual(['apart']);
  });

  test('a pair of two equal records means one and its twin', () => {
    const records = [1, 1, 3];
    const expecting = { together: [[1, 1]], apart: [[1, 3]] };
    expect(outcomeOf({ records, expect: expecting })).toEqual(['apart']);
    expect(outcomeOf({ records, expect: expecting }, [{ distinct: '' }])).toEqual(['together', 'apart']);
    expect(outcomeOf({ records, expect: { apart: [[1, 1]] } }, [{ distinct: '' }])).toEqual([]);
  });

  test('as many batches as expected at most are not too many', () => {
    expect(outcomeOf({ records: [1, 2], expect: { atMostBatches: 2 } })).toEqual([]);
    expect(outcomeOf({ records: [1, 2], expect: { atMostBatches: 1 } })).toEqual(['atMostBatches']);
  });
});
