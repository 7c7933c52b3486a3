import fc from 'fast-check';
import { canonicalJson, type JsonValue } from '../../src/domain/json';
import {
  batchFileName,
  MAX_ERROR_BYTES,
  OUTCOME,
  OUTCOME_FORMATS,
  outcomeFileContent,
  outcomeFromLine,
  outcomeLine,
  outcomeOf,
  tallyOutcomes,
  withFailedUndo,
  type SettledRecord,
} from '../../src/domain/records/outcome';

const AT_MS = Date.UTC(2026, 0, 31, 23, 59, 58, 7);

function settled(value: JsonValue, failed = false): SettledRecord {
  return {
    recordId: 'r:0',
    value,
    atMs: AT_MS,
    ...(failed
      ? { outcome: OUTCOME.rolledBack, attempts: 3, error: 'no room' }
      : { outcome: OUTCOME.saved, attempts: 2 }),
  };
}

test.each<[JsonValue, boolean, string]>([
  [1, false, '"save [1] success"'],
  [2, true, '"save [2] failed, roll back"'],
  ['a "b"\n', false, '"save [\\"a \\\\\\"b\\\\\\"\\\\n\\"] success"'],
  [{ a: [1, null] }, true, '"save [{\\"a\\":[1,null]}] failed, roll back"'],
  ['\ud800', false, '"save [\\"\\\\ud800\\"] success"'],
])('the text line of %j (failed: %s)', (value, failed, line) => {
  expect(outcomeLine(settled(value, failed), 'text')).toBe(line);
});

test('A line in the format json has every key, and a null error if the record was saved.', () => {
  expect(outcomeLine(settled([1]), 'json')).toBe(
    '{"recordId":"r:0","value":[1],"outcome":"saved","attempts":2,"error":null,"at":"2026-01-31T23:59:58.007Z"}',
  );
  expect(outcomeLine(settled([1], true), 'json')).toBe(
    '{"recordId":"r:0","value":[1],"outcome":"rolled_back","attempts":3,"error":"no room","at":"2026-01-31T23:59:58.007Z"}',
  );
});

const anyRecords = fc.array(
  fc
    .record({
      recordId: fc.string({ unit: 'binary' }),
      value: fc.oneof(
        fc.jsonValue({ stringUnit: 'binary' }),
        fc.constantFrom('] success', '] failed, roll back', '\ud800', '\u2028\r\n'),
      ),
      atMs: fc.integer({ min: 0, max: 4e12 }),
      attempts: fc.integer({ min: 0, max: 10 }),
      error: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
    })
    .map(({ error, value, ...rest }): SettledRecord => {
      const common = { ...rest, value: value as JsonValue };
      return error === undefined
        ? { ...common, outcome: OUTCOME.saved }
        : { ...common, outcome: OUTCOME.rolledBack, error };
    }),
);

/** What a reader gets back from a line; the text format tells only value and outcome. */
function parsed(line: string, format: (typeof OUTCOME_FORMATS)[number]) {
  const content = JSON.parse(line);
  if (format === 'json') return { ...content, value: canonicalJson(content.value) };
  const [, value, ending] = /^save \[(.*)\] (success|failed, roll back)$/s.exec(content)!;
  return {
    value: canonicalJson(JSON.parse(value!)),
    outcome: ending === 'success' ? OUTCOME.saved : OUTCOME.rolledBack,
  };
}

test('G4: A batch file has one line with the outcome of each record, for any values.', () => {
  fc.assert(
    fc.property(anyRecords, fc.constantFrom(...OUTCOME_FORMATS), (records, format) => {
      // Through UTF-8, as a file goes.
      const lines = Buffer.from(outcomeFileContent(records, format)).toString().split('\n');
      expect(lines.pop()).toBe('');
      expect(lines.map((line) => parsed(line, format))).toEqual(
        records.map(({ recordId, value, outcome, attempts, error = null, atMs }) => {
          const told = { value: canonicalJson(value), outcome };
          return format === 'text'
            ? told
            : { ...told, recordId, attempts, error, at: new Date(atMs).toISOString() };
        }),
      );
    }),
  );
});

test('G4: A line in either format parses to the outcome of its own record, and of no other record.', () => {
  fc.assert(
    fc.property(anyRecords, fc.constantFrom(...OUTCOME_FORMATS), (records, format) => {
      for (const record of records) {
        const { recordId, value, outcome } = record;
        const line = outcomeLine(record, format);
        const read = outcomeFromLine({ recordId, value }, line);
        expect(read).toEqual(format === 'json' ? record : { recordId, value, outcome, attempts: 0, atMs: 0 });
        // What is published again from it is the same file.
        expect(outcomeLine(read!, format)).toBe(line);
        expect(outcomeFromLine({ recordId, value: [value] }, line)).toBeUndefined();
        if (format === 'json')
          expect(outcomeFromLine({ recordId: `${recordId}0`, value }, line)).toBeUndefined();
      }
    }),
  );
});

test.each(['', '{', 'null', '{"recordId":"r:0"}', '{"recordId":"r:0","value":1,"outcome":"lost"}'])(
  'a line that is none tells nothing: %j',
  (line) => {
    expect(outcomeFromLine({ recordId: 'r:0', value: 1 }, line)).toBeUndefined();
  },
);

test("The error of an outcome says that the rollback failed, however long the store's message is.", () => {
  const failed = withFailedUndo(settled(1, true), {
    attempts: 10,
    message: 'x'.repeat(10_000),
    refused: false,
  });
  expect(failed.rollbackError).toBe('x'.repeat(MAX_ERROR_BYTES));
  expect(failed.error).toBe(`no room; its rollback failed after 10 attempts: ${failed.rollbackError}`);
  expect(outcomeOf(failed)).toEqual({
    ...outcomeOf(settled(1, true)),
    error: failed.error,
    rollbackError: failed.rollbackError,
  });
});

test('G10: The content of a batch file depends only on the outcomes.', () => {
  for (const format of OUTCOME_FORMATS) {
    const records = [settled({ b: 1, a: 2 }), settled('x', true)];
    expect(outcomeFileContent(structuredClone(records), format)).toBe(outcomeFileContent(records, format));
  }
});

test('A batch file is named after the minute (UTC) in which its batch was cut, and the batch id.', () => {
  expect(batchFileName({ batchId: 'batcher-0-00000012', openedAtMs: AT_MS })).toBe(
    'test_log_202601312359_batcher-0-00000012.log',
  );
});

test('The totals of outcomes count an unknown number of attempts as no retry.', () => {
  const outcomes = [settled(1), settled(2, true), { ...settled(3, true), attempts: 0 }];
  expect(tallyOutcomes(outcomes)).toEqual({ saved: 1, rolledBack: 2, retries: 3 });
  expect(tallyOutcomes([])).toEqual({ saved: 0, rolledBack: 0, retries: 0 });
});
