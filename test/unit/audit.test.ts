import { createAudit } from '../../src/domain/audit/audit';
import { createLedger } from '../../src/domain/audit/ledger';
import { LISTED, type FileReport, type Found } from '../../src/domain/audit/report';
import type { JsonValue } from '../../src/domain/json';
import { OUTCOME, outcomeFileContent, type OutcomeFormat } from '../../src/domain/records/outcome';

type Kept = readonly [recordId: string, value: JsonValue];

const same = (canonical: string) => canonical;

function ledgerOf(records: readonly Kept[]) {
  const collected = createLedger(same);
  for (const [recordId, value] of records) {
    expect(collected.add(JSON.stringify({ recordId, value }))).toBeUndefined();
  }
  return collected.ledger;
}

function lines(records: readonly Kept[], format: OutcomeFormat): string {
  const settled = records.map(([recordId, value]) => ({
    recordId,
    value,
    outcome: OUTCOME.saved,
    attempts: 1,
    atMs: 0,
  }));
  return outcomeFileContent(settled, format);
}

function auditOf(acknowledged: readonly Kept[], files: readonly string[], waiting: readonly string[] = []) {
  const audit = createAudit({
    maxBatchSize: 5,
    rules: [],
    keyOf: same,
    ledger: ledgerOf(acknowledged),
  });
  files.forEach((content, index) => audit.add({ name: `file-${index}`, batchId: `b-${index}`, content }));
  const unaccounted = [...audit.unaccounted()];
  return { ...audit.report((recordId) => waiting.includes(recordId)), unaccounted };
}

function counts({ damage, waiting, unacknowledged }: FileReport) {
  const found = Object.entries({ ...damage, unacknowledged }) as [string, Found<unknown>][];
  return {
    ...(waiting > 0 && { waiting }),
    ...Object.fromEntries(found.map(([kind, { count }]) => [kind, count]).filter(([, count]) => count !== 0)),
  };
}

describe('In an audit, lines in the format text are matched by value (G4):', () => {
  const text = (...values: JsonValue[]) =>
    lines(
      values.map((value) => ['', value]),
      'text',
    );
  const three: Kept[] = [
    ['a:0', 7],
    ['a:1', 7],
    ['b:0', { x: 1, y: 2 }],
  ];

  test('Each of several equal values needs a line, regardless of the notation', () => {
    expect(counts(auditOf(three, [text(7), text({ y: 2, x: 1 }, 7)]))).toEqual({});
  });

  test('The number of missing records with a value is the number of missing lines', () => {
    const report = auditOf(three, [text(7)]);
    expect(counts(report)).toEqual({ missing: 2 });
    expect(report.unaccounted).toEqual(['a:0', 'a:1', 'b:0']);
    expect(report.damage.missing.first).toEqual([
      { recordId: 'b:0' },
      { value: '7', missing: 1, acknowledged: 2, among: ['a:0', 'a:1'] },
    ]);
  });

  test('A surplus line is doubled if its value was acknowledged, and unacknowledged otherwise', () => {
    const report = auditOf(three, [text(7, 7), text(7, { x: 1, y: 2 }, 8, 8)]);
    expect(counts(report)).toEqual({ doubled: 1, unacknowledged: 2 });
    expect(report.damage.doubled.first).toEqual([{ value: '7', lines: 1, file: 'file-1' }]);
  });

  test('A waiting record accounts for one missing line, and never for a surplus line', () => {
    expect(counts(auditOf(three, [text(7)], ['a:1', 'b:0']))).toEqual({ waiting: 2 });
    expect(counts(auditOf(three, [text(7)], ['a:0', 'a:1', 'b:0']))).toEqual({ waiting: 2 });
    expect(counts(auditOf(three, [text(7, 7, { x: 1, y: 2 })], ['a:1']))).toEqual({});
  });
});

describe('In an audit, lines in the format json are matched by recordId (G4):', () => {
  const acknowledged: Kept[] = [
    ['a:0', 7],
    ['a:1', 7],
  ];

  test("A line doesn't count for a different record with an equal value", () => {
    const report = auditOf(acknowledged, [
      lines(
        [
          ['a:0', 7],
          ['c:0', 7],
        ],
        'json',
      ),
      lines([['a:0', 7]], 'json'),
    ]);
    expect(counts(report)).toEqual({ missing: 1, doubled: 1, unacknowledged: 1 });
    expect(report.damage.missing.first).toEqual([{ recordId: 'a:1' }]);
    expect(report.damage.doubled.first).toEqual([{ recordId: 'a:0', files: ['file-0', 'file-1'] }]);
    expect(report.unacknowledged?.first).toEqual([{ recordId: 'c:0', files: ['file-0'] }]);
  });

  test('A value that differs from the acknowledged one is reported', () => {
    expect(counts(auditOf(acknowledged, [lines([['a:0', 7]], 'json'), lines([['a:1', 8]], 'json')]))).toEqual(
      {
        altered: 1,
      },
    );
  });

  test('Lines in the format text are matched with the records that have no json line', () => {
    const [first = ['', 0] as Kept, second = ['', 0] as Kept] = acknowledged;
    expect(counts(auditOf(acknowledged, [lines([first], 'json') + lines([second], 'text')]))).toEqual({});
    expect(counts(auditOf(acknowledged, [lines(acknowledged, 'json'), lines([second], 'text')]))).toEqual({
      doubled: 1,
    });
  });
});

test('An audit counts all findings, and lists the first ones.', () => {
  const many = Array.from({ length: LISTED + 5 }, (_, index): Kept => [`r:${index}`, index]);
  const { missing } = auditOf(many, []).damage;
  expect(missing.count).toBe(LISTED + 5);
  expect(missing.first).toHaveLength(LISTED);
});

test('A ledger counts each record once, and rejects lines that are not acknowledgements.', () => {
  const collected = createLedger(same);
  const line = JSON.stringify({ recordId: 'a:b:0', value: null });
  expect([collected.add(line), collected.add(line)]).toEqual([undefined, undefined]);
  expect(collected.ledger).toMatchObject({ lines: 2, tornLines: 0 });
  expect([...collected.ledger.records.keys()]).toEqual(['a:b:0']);
  for (const bad of ['', 'null', '7', '{"recordId":"a:0"}', '{"recordId":"a","value":1}', '{"value":1}']) {
    expect(collected.add(bad)).toContain('is not {"recordId"');
  }
  expect(collected.add('{"recordId":"a:b:0","value":1}')).toContain('again with a different value');
});

test('A file is checked against the settings that its batch was cut by, if they are known (G1, G2).', () => {
  const audit = createAudit({ maxBatchSize: 2, rules: [{ pair: [1, 2] }], keyOf: same });
  const file = (...values: number[]) => ({
    name: 'f',
    batchId: values.join(),
    content: lines(
      values.map((value): Kept => [`r:${value}`, value]),
      'text',
    ),
  });
  expect([file(1, 2), file(3, 4, 5), file(3, 4)].map((one) => audit.isSuspect(one))).toEqual([
    true,
    true,
    false,
  ]);
  audit.add(file(1, 2), { maxBatchSize: 2, rules: [] });
  audit.add(file(3, 4, 5), { maxBatchSize: 3, rules: [] });
  audit.add(file(3, 4), { maxBatchSize: 1, rules: [{ pair: [3, 4] }] });
  audit.add(file(1, 2));
  const report = audit.report();
  expect(report).toMatchObject({ files: 4, judgedByBatch: 3, cutOtherwise: 2 });
  expect(report.damage).toMatchObject({ overSize: { count: 1 }, conflicting: { count: 2 } });
});
