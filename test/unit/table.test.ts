import { counted, table } from '../../src/cli/terminal/table';

const ERROR =
  'the store refused it: value too long for type character varying(10), in column sku of table records';
const ROWS = [
  ['record', 'error', 'batch'],
  ['k:0', ERROR, 'batcher-0-00000001'],
  ['k:1', '–', '–'],
];

test('a table that nobody watches has each row in one line, with every text whole', () => {
  const lines = table(ROWS, [], Infinity).split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[1]).toBe(`k:0     ${ERROR}  batcher-0-00000001`);
});

test('on a terminal the widest column is wrapped, and nothing is left out', () => {
  const lines = table(ROWS, [], 70).split('\n');
  expect(lines.slice(1)).toEqual([
    'k:0     the store refused it: value too long for    batcher-0-00000001',
    '        type character varying(10), in column sku',
    '        of table records',
    'k:1     –                                           –',
  ]);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(70);
  const narrow = table([['a'], ['x'.repeat(50)]], [], 5).split('\n');
  expect(narrow.slice(1).map(({ length }) => length)).toEqual([20, 20, 10]);
});

test('a table may have more rows than a function takes arguments', () => {
  expect(table(Array.from({ length: 200_000 }, () => ['a'])).length).toBeGreaterThan(200_000);
});

test('one is not many', () => {
  expect([counted(1, 'record'), counted(0, 'record'), counted(2000, 'batch', 'batches')]).toEqual([
    '1 record',
    '0 records',
    '2,000 batches',
  ]);
});
