import fc from 'fast-check';
import { MAX_HELD_BYTES } from '../../../src/domain/running/held';
import { isHeldUp, takeRunningFlushes } from '../../../src/domain/running/running-flushes';
import { appendRequest, bufferedRecordId, emptyBuffer } from '../../../src/domain/buffer/buffer';
import type { ConflictRule } from '../../../src/domain/rules';
import { MIB } from '../../../src/domain/duration';
import type { Flush } from '../../../src/domain/buffer/flush-policy';
import type { JsonValue } from '../../../src/domain/json';
import { conflictRules, recordValue } from '../../helpers/arbitraries';
import { RunningModel, type RunningPolicy } from '../../helpers/running-model';

const anyRules = fc.oneof(
  fc.constantFrom<ConflictRule[]>(
    [{ pair: [1, 2] }],
    [{ distinct: '' }],
    [{ group: [1, 2, 3] }, { pair: [3, '1'] }],
    [{ pair: [1, 2] }, { pair: [2, 3] }],
    [{ never: { left: { atMost: 2 }, right: { in: [2, 3] } } }],
  ),
  conflictRules,
);

const anyPolicy: fc.Arbitrary<RunningPolicy> = fc.record({
  maxBatchSize: fc.integer({ min: 1, max: 4 }),
  conflicts: anyRules,
  flushIntervalMs: fc.constantFrom(1, 30, 1000),
  apartMs: fc.constantFrom(0, 0, 10, 500),
});

const anyValues = fc.array(fc.oneof(fc.constantFrom<JsonValue[]>(1, 2, 3), recordValue), { maxLength: 8 });

type Step =
  | { arrive: JsonValue[] }
  | { passMs: number }
  | { end: number }
  | { take: number }
  | { rules: ConflictRule[] }
  | 'flush'
  | 'hand over';

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ arrive: anyValues }) },
  { weight: 3, arbitrary: fc.record({ passMs: fc.nat({ max: 60 }) }) },
  { weight: 4, arbitrary: fc.record({ end: fc.nat() }) },
  { weight: 6, arbitrary: fc.record({ take: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ rules: anyRules }) },
  { weight: 1, arbitrary: fc.constantFrom('flush' as const, 'hand over' as const) },
);

const isChangeOfRules = (step: Step) => typeof step !== 'string' && 'rules' in step;

/** Does a step, and returns what is wrong with what it did. */
function run(model: RunningModel, step: Step): string[] {
  if (step === 'flush') model.flushAll();
  else if (step === 'hand over') model.handOver();
  else if ('arrive' in step) model.arrive(step.arrive);
  else if ('passMs' in step) model.nowMs += step.passMs;
  else if ('rules' in step) model.changeRules(step.rules);
  else if ('end' in step) {
    const { inFlight } = model;
    if (inFlight.length > 0) model.end(inFlight[step.end % inFlight.length]!);
  } else return model.take(step.take).problems;
  return [];
}

const valuesOf = (model: RunningModel, limit = 9) =>
  model.take(limit).flushes.map(({ records }) => records.map(({ value }) => value));

test('G1, G2, G7: After any steps, conflicting records never run at the same time or too soon after each other, and none is overtaken forever.', () => {
  fc.assert(
    fc.property(anyPolicy, fc.array(anyStep, { maxLength: 40 }), (policy, steps) => {
      const model = new RunningModel(policy);
      for (const step of steps) expect(run(model, step)).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

test('G4: Every record eventually leaves, once, when batches end and time passes.', () => {
  fc.assert(
    fc.property(anyPolicy, fc.array(anyStep, { maxLength: 25 }), (policy, steps) => {
      const model = new RunningModel(policy);
      let arrived = 0;
      for (const step of steps) {
        if (typeof step !== 'string' && 'arrive' in step) arrived += step.arrive.length;
        run(model, step);
      }
      model.flushAll();
      while (model.buffer.waiting.length > 0 || model.inFlight.length > 0) {
        const { flushes, problems } = model.take(1);
        expect(problems).toEqual([]);
        const [oldest] = model.inFlight;
        const nextAtMs = model.nextAtMs();
        if (oldest !== undefined) model.end(oldest);
        else if (flushes.length === 0) {
          // Nothing runs and nothing goes: time alone has to help, and it is known when.
          expect(nextAtMs).toBeGreaterThan(model.nowMs);
          model.nowMs = nextAtMs!;
        }
      }
      const gone = model.batches.flatMap(({ records }) => records.map(bufferedRecordId));
      expect(new Set(gone).size).toBe(arrived);
      expect(gone).toHaveLength(arrived);
      expect(model.buffer).toMatchObject({ bufferedRecords: 0, bufferedBytes: 0 });
    }),
    { numRuns: 100 },
  );
});

test('A due record waits only for a conflicting record that runs, ended too recently, leaves now, or is older and waits.', () => {
  fc.assert(
    fc.property(anyPolicy, fc.array(anyStep, { maxLength: 30 }), (policy, steps) => {
      const model = new RunningModel(policy);
      // Under one set of rules: after a change, what is in flight is kept apart from more than it conflicts with.
      for (const step of steps) if (!isChangeOfRules(step)) run(model, step);
      model.take(Infinity);
      for (const [i, record] of model.buffer.waiting.entries()) {
        if (!model.isDue(record) || model.isKeptByRunning(record)) continue;
        const older = model.buffer.waiting.slice(0, i);
        expect(older.some((other) => model.areApart(other, record))).toBe(true);
      }
    }),
    { numRuns: 200 },
  );
});

test('Records without conflicts never wait for others: they leave when they are due or fill a batch.', () => {
  const conflicting = fc.array(fc.constantFrom<JsonValue[]>(1, 2), { maxLength: 4 });
  fc.assert(
    fc.property(
      fc.constantFrom(0, 5, 500),
      fc.array(fc.tuple(conflicting, fc.nat({ max: 3 }), fc.nat({ max: 8 })), { maxLength: 30 }),
      (apartMs, story) => {
        const conflicts: ConflictRule[] = [{ pair: [1, 2] }];
        const model = new RunningModel({ maxBatchSize: 3, flushIntervalMs: 10, apartMs, conflicts });
        for (const [values, free, passMs] of story) {
          model.arrive([...values, ...Array.from({ length: free }, (_, i) => `free ${i}`)]);
          model.nowMs += passMs;
          model.take(Infinity);
          const waiting = model.buffer.waiting.filter(({ value }) => typeof value === 'string');
          expect(waiting.length).toBeLessThan(3);
          expect(waiting.filter((record) => model.isDue(record))).toEqual([]);
        }
      },
    ),
  );
});

test('Nothing leaves before the announced time, and something does then.', () => {
  fc.assert(
    fc.property(anyPolicy, fc.array(anyStep, { maxLength: 30 }), fc.nat(), (policy, steps, pick) => {
      const model = new RunningModel(policy);
      for (const step of steps) run(model, step);
      while (model.take(1).flushes.length > 0);
      const nextAtMs = model.nextAtMs();
      const untilMs = nextAtMs ?? model.nowMs + 1_000_000;
      expect(untilMs).toBeGreaterThan(model.nowMs);
      const startMs = model.nowMs;
      for (const atMs of [startMs + (pick % (untilMs - startMs)), untilMs - 1]) {
        model.nowMs = atMs;
        expect(model.take(1).flushes).toEqual([]);
      }
      if (nextAtMs === undefined)
        expect(model.buffer.waiting.length === 0 || model.inFlight.length > 0).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('Records that may leave are cut into the fewest batches, oldest first, with younger ones on the same side.', () => {
  const model = new RunningModel({
    maxBatchSize: 3,
    conflicts: [{ pair: [1, 2] }],
    flushIntervalMs: 0,
    apartMs: 0,
  });
  model.arrive([1, 3, 2, 1, 4, 5, 2, 6]);
  expect(valuesOf(model)).toEqual([
    [1, 3, 1],
    [4, 5, 6],
  ]);
  model.arrive([1, 7]);
  // The third 1 could run beside the first two; but the 2s would wait for it as well.
  expect(valuesOf(model)).toEqual([[7]]);
  model.end(0);
  expect(valuesOf(model)).toEqual([[2, 2]]);
  model.end(3);
  expect(valuesOf(model)).toEqual([[1]]);
});

test('Records that arrive on alternating sides leave in full batches, not one by one.', () => {
  const model = new RunningModel({
    maxBatchSize: 5,
    conflicts: [{ pair: [1, 2] }],
    flushIntervalMs: 0,
    apartMs: 0,
  });
  model.arrive(Array.from({ length: 20 }, (_, i) => (i % 2) + 1));
  const rounds: number[] = [];
  while (model.buffer.waiting.length > 0) {
    rounds.push(valuesOf(model).length);
    for (const seq of model.inFlight) model.end(seq);
  }
  expect(rounds).toEqual([2, 2]);
});

test("An endless stream of records on one side, always partly in flight, doesn't starve the other side.", () => {
  const model = new RunningModel({
    maxBatchSize: 1,
    conflicts: [{ pair: [1, 2] }],
    flushIntervalMs: 0,
    apartMs: 5,
  });
  model.arrive([1]);
  model.take(9);
  model.arrive([2]);
  for (let round = 0; model.buffer.waiting.some(({ value }) => value === 2); round++) {
    expect(round).toBeLessThan(3);
    const [oldest] = model.inFlight;
    model.arrive([1]);
    model.take(9);
    if (oldest !== undefined) model.end(oldest);
    model.nowMs += 5;
    model.take(9);
  }
  expect(model.batches.at(-1)?.records.map(({ value }) => value)).toEqual([2]);
});

test("After a change of rules, records with rules wait for all batches that started under other rules, and for APART_MS; others don't.", () => {
  const model = new RunningModel({ maxBatchSize: 2, conflicts: [], flushIntervalMs: 0, apartMs: 10 });
  model.arrive([1]);
  model.take(9);
  model.changeRules([{ pair: [1, 2] }]);
  model.arrive([1, 2, 'free']);
  expect(valuesOf(model)).toEqual([['free']]);
  model.nowMs += 10;
  expect(valuesOf(model)).toEqual([]);
  model.handOver();
  model.end(0);
  expect(valuesOf(model)).toEqual([]);
  expect(model.nextAtMs()).toBe(model.nowMs + 10);
  model.nowMs += 10;
  expect(valuesOf(model)).toEqual([[1]]);
});

test('A buffer is held up exactly if none of its records may leave, regardless of their age.', () => {
  const model = new RunningModel({
    maxBatchSize: 2,
    conflicts: [{ pair: [1, 2] }],
    flushIntervalMs: 1000,
    apartMs: 0,
  });
  const heldUp = () => isHeldUp(model.buffer, model.policy, model.apart, model.nowMs);
  expect(heldUp()).toBe(false);
  model.arrive([1, 1]);
  expect(heldUp()).toBe(false);
  model.take(1);
  model.arrive([2, 2, 2]);
  expect(heldUp()).toBe(true);
  model.arrive(['free']);
  expect(heldUp()).toBe(false);
});

test("Records whose holds would exceed the bound wait in order, and records without holds don't.", () => {
  const model = new RunningModel({
    maxBatchSize: 1000,
    conflicts: [{ distinct: '/id' }],
    flushIntervalMs: 0,
    apartMs: 0,
  });
  model.arriveUnwatched(Array.from({ length: 3000 }, (_, id) => ({ id })));
  model.arriveUnwatched(['free']);
  const taken = model.takeUnchecked(9).flatMap(({ records }) => records.map(({ value }) => value));
  expect(taken.at(-1)).toBe('free');
  expect(taken.length).toBeGreaterThan(600);
  expect(taken.length).toBeLessThan(3000);
  for (let i = 0; model.buffer.waiting.length > 0; i++) {
    expect(i).toBeLessThan(20);
    for (const seq of model.inFlight) model.end(seq);
    model.takeUnchecked(9);
  }
});

test('The holds of equal records take the room of a single record.', () => {
  const model = new RunningModel({
    maxBatchSize: 1000,
    conflicts: [{ pair: [1, 2] }],
    flushIntervalMs: 0,
    apartMs: 1000,
  });
  model.arriveUnwatched(Array.from({ length: 5000 }, () => 1));
  expect(model.takeUnchecked(9).flatMap(({ records }) => records)).toHaveLength(5000);
});

test('The holds fit into their part of the carried state, for any rules and values.', () => {
  const rules = fc.constantFrom<ConflictRule[]>(
    [{ distinct: '' }],
    [{ distinct: '' }, { group: [1, 2, 3, 4, 5] }],
  );
  fc.assert(
    fc.property(
      rules,
      fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1500, maxLength: 1500 }),
      fc.nat(),
      (conflictRules, values, pick) => {
        const maxBatchSize = 1 + (pick % 7);
        const model = new RunningModel({
          maxBatchSize,
          conflicts: conflictRules,
          flushIntervalMs: 0,
          apartMs: 86_400_000,
        });
        model.arriveUnwatched(values);
        for (let i = 0; i < 40; i++) {
          model.takeUnchecked(100);
          for (const seq of model.inFlight) if ((seq + pick) % 3 === 0) model.end(seq);
          model.nowMs += 2_000_000;
        }
        const packed = JSON.stringify(model.apart.held.pack()).length;
        expect(packed).toBeLessThan(MAX_HELD_BYTES + 200);
        expect(packed).toBeGreaterThan(MAX_HELD_BYTES / 3);
      },
    ),
    { numRuns: 10 },
  );
});

test('Two buffered records with the same id leave in two batches.', () => {
  const buffer = emptyBuffer();
  for (let i = 0; i < 2; i++) appendRequest(buffer, { requestId: 'again', values: ['x'] }, 0);
  const model = new RunningModel({ maxBatchSize: 5, conflicts: [], flushIntervalMs: 0, apartMs: 0 });
  model.buffer = buffer;
  expect(valuesOf(model)).toEqual([['x']]);
  expect(model.nextAtMs()).toBe(model.nowMs);
  expect(valuesOf(model)).toEqual([['x']]);
});

test('No batch exceeds MAX_BATCH_BYTES, and no batch is taken after the one that reaches the bound in bytes.', () => {
  const model = new RunningModel({ maxBatchSize: 9, conflicts: [], flushIntervalMs: 0, apartMs: 0 });
  model.arrive(Array.from({ length: 8 }, (_, i) => `${i}`.padEnd(0.4 * MIB)));
  const take = (maxBytes?: number) =>
    takeRunningFlushes(model.buffer, model.policy, model.apart, model.nowMs, 9, maxBytes);
  const sizes = (flushes: Flush[]) => flushes.map(({ records }) => records.length);
  expect(sizes(take(MIB))).toEqual([2, 2]);
  expect(model.buffer).toMatchObject({ bufferedRecords: 4 });
  expect(sizes(take())).toEqual([2, 2]);
  expect(model.buffer).toMatchObject({ bufferedRecords: 0, bufferedBytes: 0 });
});
