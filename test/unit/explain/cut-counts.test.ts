import fc from 'fast-check';
import { appendRequest, emptyBuffer, flushAll } from '../../../src/domain/buffer/buffer';
import type { ConflictRule } from '../../../src/domain/rules';
import { explainBatches } from '../../../src/domain/explain';
import {
  MAX_CARRIED_RULES,
  NO_CUTS,
  carriedCounts,
  countCuts,
  recountUnder,
  topDeferrals,
  type CutCounts,
} from '../../../src/domain/explain/cut-counts';
import type { Reaches } from '../../../src/domain/explain/reaches';
import { cut } from '../../../src/domain/buffer/flush-cut';
import { takeFlushes, type Flush, type FlushPolicy } from '../../../src/domain/buffer/flush-policy';
import type { JsonValue } from '../../../src/domain/json';
import { partition } from '../../../src/domain/partition';
import { createRandom } from '../../chaos/random';
import { RULE_KINDS } from '../../helpers/rule-kinds';

/** A buffer that counts what leaves it. */
class CountedBuffer {
  readonly buffer = emptyBuffer();
  readonly counts: CutCounts = { ...NO_CUTS, deferredBy: {} };
  readonly reaches: Reaches = new Map();
  readonly gone: Flush[] = [];

  constructor(readonly policy: FlushPolicy) {}

  append(...values: JsonValue[]): void {
    appendRequest(this.buffer, { requestId: 'r', values }, 0);
  }

  /** Lets up to so many batches go, as many times as there are any. */
  takeAll(limit: number): void {
    flushAll(this.buffer, 'manual');
    while (this.take(limit) > 0);
  }

  take(limit: number): number {
    const flushes = takeFlushes(this.buffer, this.policy, 0, limit);
    countCuts(this.counts, this.reaches, flushes, this.buffer, this.policy);
    this.gone.push(...flushes);
    return flushes.length;
  }
}

test('Without arrivals, the totals of the batches that left agree with the explanation of the whole cut.', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...RULE_KINDS),
      fc.nat(),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom(1, 2, Infinity),
      ({ rules, value }, seed, length, maxBatchSize, limit) => {
        const random = createRandom(seed);
        const values = Array.from({ length }, () => value(random));
        const counted = new CountedBuffer({ conflicts: rules, maxBatchSize, flushIntervalMs: 1 });
        counted.append(...values);
        const { lowerBound } = partition(counted.buffer.waiting, { rules, maxBatchSize });
        counted.takeAll(limit);
        const { summary } = explainBatches(
          counted.gone.map(({ records }) => records),
          { rules, maxBatchSize, lowerBound },
        );
        const { counts } = counted;
        expect(counts).toEqual({
          batches: summary.batches,
          records: length,
          places: summary.batches * maxBatchSize,
          beyondBound: summary.batches - lowerBound,
          deferred: summary.deferred,
          deferredBy: Object.fromEntries(summary.deferredBy.map(({ rule, records }) => [rule, records])),
        });
        expect(counted.reaches.size).toBe(0);
      },
    ),
    { numRuns: 300 },
  );
});

const PAIR: ConflictRule = { pair: [1, 2] };
const policy: FlushPolicy = { maxBatchSize: 3, conflicts: [PAIR], flushIntervalMs: 100 };

test('A rule defers records that were buffered when a batch left with room, and no later ones.', () => {
  const counted = new CountedBuffer(policy);
  counted.append(1);
  counted.takeAll(1);
  counted.append(2);
  counted.takeAll(1);
  expect(counted.counts).toMatchObject({ batches: 2, deferred: 0 });

  counted.append(1, 2);
  counted.takeAll(1);
  expect(counted.counts).toMatchObject({ batches: 4, records: 4, deferred: 1, deferredBy: { 0: 1 } });
});

test('A rule defers records that are older than a record of a full batch, and no younger ones.', () => {
  const counted = new CountedBuffer(policy);
  counted.append(1, 2, 'a', 'b', 2);
  counted.take(1);
  expect(counted.gone[0]?.records.map(({ value }) => value)).toEqual([1, 'a', 'b']);
  expect(counted.counts.deferred).toBe(0);
  counted.takeAll(1);
  expect(counted.counts).toMatchObject({ deferred: 1, deferredBy: { 0: 1 } });
});

test('Batches are compared with the lower bound of their own cut, also if others are cut in between.', () => {
  // Whatever the partitioner makes of the first two records is beyond no bound, as no cut has fewer.
  const counted = new CountedBuffer({ ...policy, conflicts: [{ distinct: '' }] });
  counted.append('same', 'same');
  counted.buffer.flushBeforeSeq = 1;
  counted.take(1);
  counted.append('same');
  counted.takeAll(1);
  expect(counted.counts).toMatchObject({ batches: 3, beyondBound: 0 });
});

test('The number of remembered places is bounded.', () => {
  const counted = new CountedBuffer({ ...policy, conflicts: [{ distinct: '' }] });
  // The oldest record stays; what leaves reaches over it.
  counted.append('stays');
  for (let i = 0; i < 15_000; i++) {
    const records = [{ value: i, seq: i + 1 }] as unknown as Flush['records'];
    countCuts(counted.counts, counted.reaches, [{ records, reason: 'age' }], counted.buffer, counted.policy);
    expect(counted.reaches.size).toBeLessThanOrEqual(10_000);
  }
  expect(counted.reaches.size).toBeGreaterThan(0);
});

test('A rule that stays in force keeps its count under a new index, and the rules with most deferrals are listed and carried.', () => {
  const rules = Array.from({ length: 150 }, (_, i): ConflictRule => ({ pair: [i, i + 1] }));
  const deferredBy = Object.fromEntries(rules.map((_, i) => [i, i + 1]));
  const counts = { ...NO_CUTS, deferred: 9, deferredBy };
  const again = recountUnder(counts, rules, structuredClone(rules.slice(10)));
  expect(Object.keys(again.deferredBy)).toHaveLength(140);
  expect(again).toMatchObject({ deferred: 9, deferredBy: { 0: 11, 139: 150 } });
  const carried = carriedCounts(counts);
  const entries = Object.entries(carried.deferredBy);
  expect([entries.length, entries[0]]).toEqual([MAX_CARRIED_RULES, ['50', 51]]);
  expect(topDeferrals(counts, rules)).toEqual(
    entries.map(([i, records]) => ({ rule: rules[Number(i)], records })),
  );
  expect(recountUnder(counts, rules, []).deferredBy).toEqual({});
});

test('A record that arrives after a batch has left was not deferred by it, even if older records still wait.', () => {
  const counted = new CountedBuffer({ conflicts: [{ pair: [1, 2] }], maxBatchSize: 5, flushIntervalMs: 1 });
  counted.append(1, 2);
  flushAll(counted.buffer, 'manual');
  expect(counted.take(1)).toBe(1);
  counted.append(2);
  counted.takeAll(1);
  expect(counted.gone.map(({ records }) => records.map(({ value }) => value))).toEqual([[1], [2, 2]]);
  expect(counted.counts).toMatchObject({ deferred: 1, deferredBy: { 0: 1 } });
});

test('Only batches of the last cut count as beyond the bound, however often records were cut before.', () => {
  const policy: FlushPolicy = { conflicts: [], maxBatchSize: 5, flushIntervalMs: 1 };
  const counted = new CountedBuffer(policy);
  // A request that was taken three times: the partitioner needs one batch, equal ids three.
  for (let times = 0; times < 3; times++) counted.append('again');
  for (let times = 0; times < 2; times++) cut(counted.buffer, policy);
  counted.takeAll(Infinity);
  expect(counted.counts).toMatchObject({ batches: 3, beyondBound: 2 });
});
