import fc from 'fast-check';
import { canonicalJson } from '../../src/domain/json';
import { OUTCOME, OUTCOME_FORMATS, outcomeLine, type SettledRecord } from '../../src/domain/records/outcome';
import { parseOutcomeLine } from '../../src/domain/audit/outcome-line';
import { jsonValues } from '../helpers/arbitraries';

const settled: fc.Arbitrary<SettledRecord> = fc.record({
  recordId: fc.string({ minLength: 1 }),
  value: jsonValues(),
  outcome: fc.constantFrom(OUTCOME.saved, OUTCOME.rolledBack),
  attempts: fc.nat(),
  atMs: fc.nat(),
});

test.each(OUTCOME_FORMATS)(
  'A line that was written in the format %s parses to the same outcome',
  (format) => {
    fc.assert(
      fc.property(settled, (record) => {
        expect(parseOutcomeLine(outcomeLine(record, format))).toEqual({
          recordId: format === 'json' ? record.recordId : undefined,
          value: record.value,
          canonical: canonicalJson(record.value),
          outcome: record.outcome,
        });
      }),
    );
  },
);

test('A value that looks like the end of a text line is parsed completely.', () => {
  const line = JSON.stringify(`save [${JSON.stringify('x] success')}] failed, roll back`);
  expect(parseOutcomeLine(line)).toMatchObject({ value: 'x] success', outcome: OUTCOME.rolledBack });
});

const json = {
  recordId: 'r:0',
  value: 1,
  outcome: 'saved',
  attempts: 1,
  error: null,
  at: '2026-01-01T00:00:00.000Z',
};

test.each([
  '',
  'save [1] success',
  '"save [1] success',
  '"save [1] success"\r',
  ' "save [1] success"',
  '"save [1] succes"',
  '"save [] success"',
  '"save [one] success"',
  '"save 1 success"',
  '"\\u0073ave [1] success"',
  'null',
  '1',
  '[]',
  '{}',
  ` ${JSON.stringify(json)}`,
  JSON.stringify(json).slice(0, -1),
  JSON.stringify([json]),
  JSON.stringify({ ...json, recordId: '' }),
  JSON.stringify({ ...json, recordId: 7 }),
  JSON.stringify({ ...json, value: undefined }),
  JSON.stringify({ ...json, outcome: 'lost' }),
  JSON.stringify({ ...json, attempts: 'once' }),
  JSON.stringify({ ...json, error: 7 }),
  JSON.stringify({ ...json, at: 'yesterday' }),
  `"save [${'['.repeat(100_000)}${']'.repeat(100_000)}] success"`,
])('A line that keepapart never writes is not an outcome: case %#', (line) => {
  expect(parseOutcomeLine(line)).toBeUndefined();
});

test('A JSON line with unknown members is an outcome.', () => {
  expect(parseOutcomeLine(JSON.stringify({ ...json, more: true }))).toMatchObject({ recordId: 'r:0' });
});
