import fc from 'fast-check';
import { conflictingRules, type ConflictRule } from '../../../src/domain/rules';
import {
  explainBatches,
  explainPartition,
  type CutRecord,
  type ExplainedBatch,
  type RuleCount,
} from '../../../src/domain/explain';
import type { JsonValue } from '../../../src/domain/json';
import { partition } from '../../../src/domain/partition';
import { createRandom } from '../../chaos/random';
import { conflictRules, fewRecordValues, recordsOf } from '../../helpers/arbitraries';
import { RULE_KINDS } from '../../helpers/rule-kinds';

interface Cut {
  batches: CutRecord[][];
  rules: ConflictRule[];
  maxBatchSize: number;
  maxBatchBytes: number;
}

/** Which rules keep a record from something in a batch. */
function keepers(
  batch: readonly CutRecord[],
  { value }: CutRecord,
  rules: readonly ConflictRule[],
): number[] {
  const found = new Set(batch.flatMap((other) => conflictingRules(other.value, value, rules)));
  return [...found].sort((a, b) => a - b);
}

function countRules(found: readonly number[][]): RuleCount[] {
  const rules = [...new Set(found.flat())].sort((a, b) => a - b);
  return rules.map((rule) => ({ rule, records: found.filter((each) => each.includes(rule)).length }));
}

/** What is said of each batch, by comparing all pairs. */
function plainBatches({ batches, rules, maxBatchSize, maxBatchBytes }: Cut): ExplainedBatch<CutRecord>[] {
  return batches.map((records, index) => {
    const later = batches.slice(index + 1).flat();
    if (records.length >= maxBatchSize)
      return { records, why: 'full', left: later.length, keptOut: [], tooLarge: 0, fitting: 0 };
    const kept = later.map((record) => keepers(records, record, rules));
    const free = later.filter((_, i) => kept[i]!.length === 0);
    const room = maxBatchBytes - records.reduce((sum, { bytes }) => sum + bytes!, 0);
    const tooLarge = free.filter(({ bytes }) => bytes! > room).length;
    const fitting = free.length - tooLarge;
    const why =
      later.length === 0 ? 'nothing_left' : fitting > 0 ? 'spread' : tooLarge > 0 ? 'bytes' : 'rules';
    return { records, why, left: later.length, keptOut: countRules(kept), tooLarge, fitting };
  });
}

/** By which rules each record was deferred, by comparing all pairs. */
function plainDeferrals({ batches, rules, maxBatchSize }: Cut): number[][] {
  return batches.flatMap((batch, index) =>
    batch.map((record) => {
      const by = batches
        .slice(0, index)
        .filter((earlier) => earlier.length < maxBatchSize || earlier.some(({ seq }) => seq > record.seq))
        .flatMap((earlier) => keepers(earlier, record, rules));
      return [...new Set(by)];
    }),
  );
}

/** Rules and values that often conflict; and any rules and values, which seldom do. */
const rulesAndValues: fc.Arbitrary<{ rules: ConflictRule[]; values: JsonValue[] }> = fc.oneof(
  fc.record({ rules: conflictRules, values: fewRecordValues }),
  {
    weight: 4,
    arbitrary: fc
      .record({ kind: fc.constantFrom(...RULE_KINDS), seed: fc.nat(), count: fc.nat(12) })
      .map(({ kind: { rules, value }, seed, count }) => {
        const random = createRandom(seed);
        return { rules, values: Array.from({ length: count }, () => value(random)) };
      }),
  },
);

/** Records put into batches anyhow: what is said of batches doesn't depend on who has cut them. */
const anyCut: fc.Arbitrary<Cut> = fc
  .record({
    given: rulesAndValues,
    batchOf: fc.array(fc.nat(4), { minLength: 12, maxLength: 12 }),
    bytes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 12, maxLength: 12 }),
    maxBatchSize: fc.integer({ min: 1, max: 5 }),
    maxBatchBytes: fc.constantFrom(Infinity, 5, 10, 20),
  })
  .map(({ given: { rules, values }, batchOf, bytes, ...by }) => {
    const records = values.map((value, seq) => ({ value, seq, bytes: bytes[seq]! }));
    const batches = [0, 1, 2, 3, 4]
      .map((batch) => records.filter(({ seq }) => batchOf[seq] === batch))
      .filter((batch) => batch.length > 0);
    return { ...by, rules, batches };
  });

function explain({ batches, ...by }: Cut) {
  return explainBatches(batches, { ...by, lowerBound: 0 });
}

test("The reason for a batch's size, and what each rule kept out, agree with a comparison of all pairs.", () => {
  fc.assert(
    fc.property(anyCut, (cut) => {
      expect(explain(cut).batches).toEqual(plainBatches(cut));
    }),
    { numRuns: 700 },
  );
});

test('The number of deferred records agrees with a comparison of all pairs.', () => {
  fc.assert(
    fc.property(anyCut, (cut) => {
      const deferrals = plainDeferrals(cut);
      expect(explain(cut).summary).toMatchObject({
        deferred: deferrals.filter((by) => by.length > 0).length,
        deferredBy: countRules(deferrals),
      });
    }),
    { numRuns: 700 },
  );
});

test('explainPartition explains the batches of partition, with the given records.', () => {
  fc.assert(
    fc.property(
      fewRecordValues,
      conflictRules,
      fc.integer({ min: 1, max: 5 }),
      (values, rules, maxBatchSize) => {
        const records = recordsOf(values);
        const { batches, lowerBound } = partition(records, { rules, maxBatchSize });
        const explained = explainPartition(records, { rules, maxBatchSize });
        expect(explained.batches.map((batch) => batch.records)).toEqual(batches);
        expect(explained.summary).toMatchObject({
          records: values.length,
          batches: batches.length,
          lowerBound,
        });
      },
    ),
  );
});

/** What is said of the partition of some values into batches of at most three. */
function said(values: readonly JsonValue[], rules: ConflictRule[]) {
  const { batches, summary } = explainPartition(recordsOf(values), { rules, maxBatchSize: 3 });
  return { why: batches.map(({ why }) => why), ...summary };
}

test.each<[string, JsonValue[], ConflictRule[], object]>([
  ['nothing', [], [], { why: [], fillRatio: 1, deferred: 0 }],
  ['without rules', [1, 2, 3, 4], [], { why: ['full', 'nothing_left'], fillRatio: 4 / 6, deferred: 0 }],
  [
    'a record that younger ones overtook',
    [1, 2, 3, 4],
    [{ pair: [1, 2] }],
    { why: ['full', 'nothing_left'], deferred: 1, deferredBy: [{ rule: 0, records: 1 }] },
  ],
  [
    'equal records that are kept apart',
    [7, 7, 7],
    [{ pair: [1, 2] }, { distinct: '' }],
    {
      why: ['rules', 'rules', 'nothing_left'],
      fillRatio: 3 / 9,
      lowerBound: 3,
      deferred: 2,
      deferredBy: [{ rule: 1, records: 2 }],
    },
  ],
])('%s', (_, values, rules, expected) => {
  expect(said(values, rules)).toMatchObject(expected);
});
