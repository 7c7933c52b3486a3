import { counted } from '../../src/domain/format';
import { table } from '../../src/cli/terminal/table';

const ERROR =
  'the store refused it: value too long for type character varying(10), in column sku of table records';
const ROWS = [
  ['record', 'error', 'batch'],
  ['k:0', ERROR, 'batcher-0-00000001'],
  ['k:1', '–', '–'],
];

test('A table that nobody watches has each row in one line, with every text whole.', () => {
  const lines = table(ROWS, [], Infinity).split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[1]).toBe(`k:0     ${ERROR}  batcher-0-00000001`);
});

test('On a terminal the widest column is wrapped, and nothing is left out.', () => {
  const lines = table(ROWS, [], 70).split('\n');
  expect(lines.slice(1)).toEqual([
    'k:0     the store refused it: value too long for    batcher-0-00000001',
    '        type character varying(10), in column sku',
    '        of table records',
    'k:1     –                                           –',
  ]);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(70);
  const narrow = table([['a'], ['x'.repeat(50)]], [], 5).split('\n');
  expect(narrow.slice(1).map(({ length }) => length)).toEqual([12, 12, 12, 12, 2]);
});

test('Several columns share what does not fit, figures stay whole, and a head of several words is wrapped.', () => {
  const rows = [
    ['name', 'in flight', 'rolled back', 'state'],
    ['x'.repeat(40), '1,204', '17', 'paused by somebody since this morning'],
  ];
  const lines = table(rows, [1, 2], 44).split('\n');
  expect(lines.every(({ length }) => length <= 44)).toBe(true);
  expect(lines.slice(0, 2).map((line) => line.replace(/ +/g, ' ').trim())).toEqual([
    'name in rolled state',
    'flight back',
  ]);
  expect(lines[2]).toMatch(/^x+ +1,204 +17 {2}paused/);
  expect(lines.join('').match(/x/g)).toHaveLength(40);
});

test('On a terminal, a cell of many lines is cut with a mark; elsewhere it is whole.', () => {
  const long = [['value'], ['x'.repeat(5000)]];
  expect(table(long, [], 20).split('\n').slice(-2)).toEqual(['x'.repeat(20), '…']);
  expect(table(long, [], Infinity).split('\n')[1]).toHaveLength(5000);
});

test('Characters of two columns and combining marks keep the columns aligned.', () => {
  const lines = table([
    ['value', 'n'],
    ['日本', '1'],
    ['e\u0301', '2'],
    ['abc', '3'],
  ]).split('\n');
  expect(lines).toEqual(['value  n', '日本   1', 'e\u0301      2', 'abc    3']);
});

test('A table may have more rows than a function takes arguments.', () => {
  expect(table(Array.from({ length: 200_000 }, () => ['a'])).length).toBeGreaterThan(200_000);
});

test('One is not many.', () => {
  expect([counted(1, 'record'), counted(0, 'record'), counted(2000, 'batch')]).toEqual([
    '1 record',
    '0 records',
    '2,000 batches',
  ]);
});
