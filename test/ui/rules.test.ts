import { matrixOf } from '../../src/ui/model/matrix';
import {
  costsOf,
  cut,
  fillOf,
  ruleInWords,
  typedRecords,
  typedRules,
  typedValue,
  verdictOf,
} from '../../src/ui/model/rules';

test('What is no JSON is taken as a text, unless it begins as JSON does.', () => {
  expect(['7', ' "a" ', 'A-17', '{"sku":1}', '{"sku":', ''].map(typedValue)).toEqual([
    7,
    'a',
    'A-17',
    { sku: 1 },
    undefined,
    undefined,
  ]);
});

test('Two values are kept apart by the rules that say so.', () => {
  const rules = [{ pair: [1, 2] as [number, number] }, { distinct: '/sku' }];
  expect(verdictOf(1, 2, rules)).toEqual([{ pair: [1, 2] }]);
  expect(verdictOf({ sku: 'a' }, { sku: 'a' }, rules)).toEqual([{ distinct: '/sku' }]);
  expect(verdictOf(1, 3, rules)).toEqual([]);
});

test('Rules that are wrong are told with where, what is expected and what stands there.', () => {
  expect(typedRules('[{"pair":[1,2]}]')).toEqual({ rules: [{ pair: [1, 2] }], problems: [] });
  expect(typedRules('[{"pair":[3]}]').problems).toEqual([
    '/0/pair: expected an array of exactly two values; received [3] (array)',
  ]);
  expect(typedRules('[').problems).toHaveLength(1);
});

test('Records are a JSON list or a value a line.', () => {
  expect(typedRecords('[1, "a"]').values).toEqual([1, 'a']);
  expect(typedRecords('1\n\n{"a":2}\n').values).toEqual([1, { a: 2 }]);
  expect(typedRecords('1\n{"a"').problem).toBe('Line 2 isn’t a JSON value');
});

test('The partitioner says how many batches the same records need by other rules.', () => {
  const values = [1, 2, 3, 4, 5, 1, 2];
  const now = cut(values, { rules: [{ pair: [1, 2] }], maxBatchSize: 5 });
  const then = cut(values, { rules: [], maxBatchSize: 7 });
  for (const records of now.batches) expect(records.includes(1) && records.includes(2)).toBe(false);
  expect(now).toMatchObject({ batches: [expect.anything(), expect.anything()], lowerBound: 2 });
  expect(fillOf(now, 5)).toBe(0.7);
  expect(then.batches).toEqual([values]);
});

test('The cost of a rule is how many batches fewer there would be without it.', () => {
  const rules = [{ distinct: '/sku' }, { pair: [1, 2] as [number, number] }];
  const values = [{ sku: 'a' }, { sku: 'a' }, { sku: 'a' }, 1];
  expect(costsOf(values, { rules, maxBatchSize: 5 })).toEqual([2, 0]);
});

test('Each kind of rule is told in words.', () => {
  expect(
    [
      { pair: [1, 2] as [number, number] },
      { group: ['a', 'b', 'c', 'd', 'e'], at: '/tenant' },
      { distinct: '/sku', same: '/shop' },
      {
        never: { left: { at: '/type', prefix: 'debit' }, right: { at: '/order' } },
        same: ['/account', '/day'],
      },
    ].map(ruleInWords),
  ).toEqual([
    '1 and 2',
    'any two of "a", "b", "c", "d" and 1 more at /tenant',
    'two records with the same /sku, where /shop is the same',
    '/type from "debit"… and anything with /order, where /account, /day is the same',
  ]);
});

test('The matrix has a row per class of records and a column per batch, and no column has two rows that conflict.', () => {
  const records = [1, 2, 1, 7, 2, 8].map((value, index) => ({
    ...{ recordId: `r:${index}`, value, acceptedAt: '2026-11-30T12:00:00.000Z' },
    heldBy: value === 2 ? { batches: ['b-1'], until: null } : null,
  }));
  const matrix = matrixOf(records, { rules: [{ pair: [1, 2] }], maxBatchSize: 4 });
  expect(matrix).toMatchObject({ batches: 2, lowerBound: 2 });
  expect(matrix.rows).toEqual([
    { label: '1', isMixed: false, records: 2, cells: [2, 0], held: 0 },
    { label: '2', isMixed: false, records: 2, cells: [0, 2], held: 2 },
    { label: '7', isMixed: true, records: 2, cells: [2, 0], held: 0 },
  ]);
});
