import type { JsonValue } from '../../src/domain/json';
import { findDamage, isDamaged, type Findings, type LedgerLine } from './damage';
import type { Uncertain } from './uncertain';

/** Records with an outcome, a file for each request. */
function audited(
  saved: [requestId: string, firstIndex: number, values: JsonValue[]][],
  known: {
    ledger?: LedgerLine[];
    uncertain?: Uncertain[];
    deleted?: LedgerLine[];
    forgotten?: string[];
  },
): Findings {
  const contents = saved.map(([requestId, first, values], file): [string, string] => [
    `test_log_202611301200_batch-${file}.log`,
    values
      .map((value, i) => {
        const recordId = `${requestId}:${first + i}`;
        return `${JSON.stringify({ recordId, value, outcome: 'saved', attempts: 1, error: null, at: '' })}\n`;
      })
      .join(''),
  ]);
  return findDamage(new Map(contents), {
    ledger: [],
    uncertain: [],
    maxBatchSize: 9,
    rules: [],
    ...known,
  });
}

const acknowledged = (requestId: string, values: JsonValue[]): LedgerLine[] =>
  values.map((value, i) => ({ recordId: `${requestId}:${i}`, value }));

describe('a list without a key of which no answer came', () => {
  const uncertain: Uncertain[] = [{ sent: 'list', values: [1, 2, 3] }];

  test.each([
    ['is there once and whole', [['a', 0, [1, 2, 3]]], 0],
    ['is not there', [], 0],
    ['is there in part, which is damage', [['a', 0, [1, 2]]], 2],
    ['is there twice, which is damage', [['a', 0, [1, 2, 3]], ['b', 0, [1, 2, 3]]], 3], // prettier-ignore
    ['has a record that nobody sent, which is damage', [['a', 0, [1, 2, 4]]], 3],
  ] as [string, [string, number, JsonValue[]][], number][])('%s', (_, saved, unknown) => {
    expect(audited(saved, { uncertain }).damage.unknown).toHaveLength(unknown);
  });
});

test('A list that was acknowledged without an id has to be there, once for each acknowledgement.', () => {
  const uncertain: Uncertain[] = [
    { sent: 'acknowledged', values: [1, 2] },
    { sent: 'acknowledged', values: [1, 2] },
  ];
  const both = audited([['a', 0, [1, 2]], ['b', 0, [1, 2]]], { uncertain }); // prettier-ignore
  expect(both).toMatchObject({ acknowledged: 4, ofLostAnswers: 0 });
  expect(isDamaged(both.damage)).toBe(false);
  expect(audited([['a', 0, [1, 2]]], { uncertain }).damage.missing).toEqual(['without an id: [1,2]']);
});

describe('a stream without a key that broke', () => {
  test('is there up to any place, when nothing was said of it', () => {
    const uncertain: Uncertain[] = [{ sent: 'stream', values: ['first', 2, 3] }];
    for (const values of [['first'], ['first', 2], ['first', 2, 3]]) {
      expect(isDamaged(audited([['a', 0, values]], { uncertain }).damage)).toBe(false);
    }
    expect(audited([['a', 0, ['first', 3]]], { uncertain }).damage.unknown).toHaveLength(2);
    expect(audited([['a', 1, [2]]], { uncertain }).damage.unknown).toHaveLength(1);
  });

  test('has all that was said to be durable, and of the rest as much as may be, without a gap', () => {
    const known = {
      ledger: acknowledged('a', ['first', 2]),
      uncertain: [{ sent: 'rest', requestId: 'a', from: 2, values: ['first', 2, 3, 4] }] as Uncertain[],
    };
    expect(isDamaged(audited([['a', 0, ['first', 2]]], known).damage)).toBe(false);
    expect(isDamaged(audited([['a', 0, ['first', 2, 3]]], known).damage)).toBe(false);
    expect(audited([['a', 0, ['first']]], known).damage.missing).toEqual(['a:1']);
    expect(audited([['a', 0, ['first', 2]], ['a', 3, [4]]], known).damage.unknown).toEqual(['a:3']); // prettier-ignore
  });
});

describe('what was deleted by hand', () => {
  test('may have no outcome, and nothing else may', () => {
    const ledger = acknowledged('a', [1, 2, 3]);
    const findings = audited([['a', 0, [1]]], { ledger, deleted: ledger.slice(0, 2) });
    expect(findings.lost).toEqual(['a:1']);
    expect(findings.damage.missing).toEqual(['a:2']);
  });

  test('counts as there where a list without an id is looked for', () => {
    const uncertain: Uncertain[] = [{ sent: 'acknowledged', values: [1, 2] }];
    const findings = audited([['a', 0, [1]]], { uncertain, deleted: [{ recordId: 'a:1', value: 2 }] });
    expect(isDamaged(findings.damage)).toBe(false);
  });

  test('forgets keys, so that a list that was not answered may be taken twice, and no other list', () => {
    const ledger = [...acknowledged('a', [1]), ...acknowledged('b', [2])];
    const twice: [string, number, JsonValue[]][] = [['a', 0, [1]], ['a', 0, [1]], ['b', 0, [2]], ['b', 0, [2]]]; // prettier-ignore
    const findings = audited(twice, { ledger, forgotten: ['a'] });
    expect(findings.doubledByDeletion).toBe(1);
    expect(findings.damage.doubled).toEqual(['b:0']);
  });
});
