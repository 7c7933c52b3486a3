import fc from 'fast-check';
import { Buckets, PACE_STEP_MS, type PackedBuckets, type Rate } from '../../../src/domain/pace/buckets';

const anyRate: fc.Arbitrary<Rate> = fc
  .tuple(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 100_000 })), fc.nat())
  .map(([perSecond, any]) => ({ perSecond, chunk: 1 + (any % Math.min(perSecond, 1000)) }));

/** Whether somebody takes as much as there is, or less, and whether the buckets are carried to another run before. */
const anyTaking = fc.record({
  afterMs: fc.oneof(fc.nat({ max: 50 }), fc.nat({ max: 3000 })),
  key: fc.constantFrom('a', 'b'),
  share: fc.constantFrom(1, 1, 0.5),
  isCarried: fc.boolean(),
});

function carried(buckets: Buckets, rate: Rate): Buckets {
  return Buckets.unpack(JSON.parse(JSON.stringify(buckets.pack())) as PackedBuckets, rate);
}

function takeOne(buckets: Buckets, key: string, records: number, nowMs: number): void {
  buckets.take(new Map([[key, records]]), nowMs);
}

test('No bucket lets more go in any time than its rate allows in it, and a second and a batch besides, whatever is taken when.', () => {
  fc.assert(
    fc.property(
      anyRate,
      fc.nat({ max: 10_000 }),
      fc.array(anyTaking, { maxLength: 40 }),
      (rate, startMs, takings) => {
        let buckets = new Buckets(rate);
        let nowMs = startMs;
        const taken: { key: string; atMs: number; records: number }[] = [];
        for (const { afterMs, key, share, isCarried } of takings) {
          nowMs += afterMs;
          if (isCarried) buckets = carried(buckets, rate);
          const records = Math.ceil(buckets.available(key, nowMs) * share);
          takeOne(buckets, key, records, nowMs);
          taken.push({ key, atMs: nowMs, records });
        }
        for (const [index, first] of taken.entries()) {
          let sum = 0;
          for (const { key, atMs, records } of taken.slice(index)) {
            if (key !== first.key) continue;
            sum += records;
            const most = (rate.perSecond * (atMs - first.atMs)) / 1000 + rate.perSecond + rate.chunk;
            expect(sum).toBeLessThanOrEqual(most);
          }
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('Buckets that are carried from run to run let go exactly what they would have let go in one run.', () => {
  fc.assert(
    fc.property(anyRate, fc.array(anyTaking, { maxLength: 40 }), (rate, takings) => {
      const stays = new Buckets(rate);
      let moves = new Buckets(rate);
      let nowMs = 0;
      for (const { afterMs, key, share, isCarried } of takings) {
        nowMs += afterMs;
        if (isCarried) moves = carried(moves, rate);
        const available = stays.available(key, nowMs);
        expect(moves.available(key, nowMs)).toBe(available);
        expect(moves.availableFromMs(key, 1)).toBe(stays.availableFromMs(key, 1));
        const records = Math.ceil(available * share);
        for (const buckets of [stays, moves]) takeOne(buckets, key, records, nowMs);
      }
    }),
  );
});

test('A bucket says exactly from which step of its clock on it lets go so many records.', () => {
  fc.assert(
    fc.property(
      anyRate,
      fc.nat({ max: 5000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (rate, nowMs, share) => {
        const buckets = new Buckets(rate);
        takeOne(buckets, 'a', Math.ceil(buckets.most * share), nowMs);
        for (const records of [1, rate.chunk, buckets.most]) {
          const fromMs = buckets.availableFromMs('a', records);
          if (fromMs <= nowMs) expect(buckets.available('a', nowMs)).toBeGreaterThanOrEqual(records);
          else {
            expect(fromMs % PACE_STEP_MS).toBe(0);
            expect(buckets.available('a', fromMs - 1)).toBeLessThan(records);
            expect(buckets.available('a', fromMs)).toBeGreaterThanOrEqual(records);
          }
        }
      },
    ),
  );
});

test('Who takes a batch whenever there is one gets as many as the rate allows: waiting for a step loses nothing.', () => {
  fc.assert(
    fc.property(anyRate, fc.nat({ max: 400 }), (rate, lateMs) => {
      const buckets = new Buckets(rate);
      takeOne(buckets, 'a', buckets.most, 0);
      let taken = 0;
      let nowMs = 0;
      const endMs = 20_000;
      for (;;) {
        const fromMs = buckets.availableFromMs('a', rate.chunk);
        if (fromMs > endMs) break;
        nowMs = fromMs + lateMs;
        const records = buckets.available('a', nowMs);
        takeOne(buckets, 'a', records, nowMs);
        taken += records;
      }
      expect(taken).toBeGreaterThanOrEqual(Math.floor((rate.perSecond * (endMs - 1000)) / 1000) - rate.chunk);
    }),
  );
});

test('A clock that is set back gives nothing, and takes nothing away.', () => {
  const buckets = new Buckets({ perSecond: 10, chunk: 5 });
  takeOne(buckets, 'a', 13, 100_000);
  expect(buckets.available('a', 50_000)).toBe(0);
  expect(buckets.available('a', 100_199)).toBe(0);
  expect(buckets.available('a', 100_200)).toBe(2);
  takeOne(buckets, 'a', 0, 50_000);
  expect(buckets.available('a', 100_200)).toBe(2);
});

test('Buckets keep what they hold at another rate, as far as they can hold it, and full ones are full.', () => {
  const slow = new Buckets({ perSecond: 10, chunk: 5 });
  takeOne(slow, 'a', 10, 0);
  const fast = slow.withRate({ perSecond: 1000, chunk: 5 }, 0);
  expect([fast.available('a', 0), fast.available('b', 0)]).toEqual([3, 805]);
  expect(fast.available('a', 200)).toBe(203);
  const slower = fast.withRate({ perSecond: 1, chunk: 1 }, 200);
  expect([slower.available('a', 200), slower.count(200)]).toEqual([1, 0]);
});

test('Only buckets that are not full are packed and counted.', () => {
  const buckets = new Buckets({ perSecond: 10, chunk: 5 });
  takeOne(buckets, 'a', 1, 0);
  takeOne(buckets, 'b', 5, 0);
  expect([buckets.count(0), buckets.nextFullAtMs(0)]).toEqual([2, 200]);
  expect([buckets.count(200), buckets.nextFullAtMs(200)]).toEqual([1, 600]);
  takeOne(buckets, 'c', 1, 400);
  expect(buckets.pack()).toEqual({ atMs: 400, lacking: 'b:rs c:rs' });
  expect([buckets.count(600), buckets.nextFullAtMs(600)]).toEqual([0, undefined]);
});
