import fc from 'fast-check';
import {
  appendRequest,
  bufferedRecordId,
  emptyBuffer,
  flushAll,
  type RecordBuffer,
} from '../../src/domain/buffer/buffer';
import type { ConflictRule } from '../../src/domain/rules';
import { nextFlushAtMs, takeFlushes, type FlushPolicy } from '../../src/domain/buffer/flush-policy';
import type { JsonValue } from '../../src/domain/json';
import { anyPolicy, anyStep, BufferModel } from '../helpers/buffer-model';

const PAIR: ConflictRule[] = [{ pair: [1, 2] }];
const ALL_APART: ConflictRule[] = [{ distinct: '' }];

test('G1, G2, G4, G7: After any steps, every record leaves the buffer once, without conflicts in its batch, and for a correct reason.', () => {
  fc.assert(
    fc.property(anyPolicy, fc.array(anyStep, { maxLength: 40 }), (policy, steps) => {
      const model = new BufferModel(policy);
      for (const step of steps) model.run(step);
      model.run('flush all');
      model.run({ take: Infinity });
      expect(model.expected).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

/** How many batches leave, one at a time, up to and with the one that takes the record. */
function batchesUntilGone(model: BufferModel, recordId: string, between: (batches: number) => void): number {
  for (let batches = 1; ; batches++) {
    const [flush] = model.take(1);
    if (flush === undefined) throw new Error(`${recordId} is due and stays`);
    if (flush.records.some((record) => bufferedRecordId(record) === recordId)) return batches;
    between(batches);
  }
}

test('G7: A due record with n older ones leaves with the (n+1)th batch at the latest, whatever arrives.', () => {
  fc.assert(
    fc.property(
      anyPolicy,
      fc.array(anyStep, { maxLength: 12 }),
      fc.array(fc.array(anyStep, { maxLength: 4 }), { maxLength: 40 }),
      fc.nat(),
      (policy, past, future, pick) => {
        const model = new BufferModel(policy);
        for (const step of past) model.run(step);
        // Due by hand, as a change of settings may make a record that was old enough too young again.
        model.run('flush all');
        if (model.expected.length === 0) return;
        const ahead = pick % model.expected.length;
        const { recordId } = model.expected[ahead]!;
        const batches = batchesUntilGone(model, recordId, (count) => {
          for (const step of future[count - 1] ?? []) {
            if (typeof step === 'string' || !('take' in step)) model.run(step);
          }
        });
        expect(batches).toBeLessThanOrEqual(ahead + 1);
      },
    ),
    { numRuns: 300 },
  );
});

test('G7: If all records conflict with each other, a due record with n older ones leaves with the (n+1)th batch.', () => {
  const model = new BufferModel({ maxBatchSize: 5, conflicts: ALL_APART, flushIntervalMs: 10 });
  model.append(Array.from({ length: 20 }, () => 'same'));
  model.nowMs += 10;
  expect(batchesUntilGone(model, 'r0:19', () => model.append(['same', 'same']))).toBe(20);
});

test('G7: Without rules, a due record with n older ones leaves with batch ⌊n / maxBatchSize⌋ + 1.', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 0, max: 60 }),
      fc.array(fc.nat({ max: 9 }), { maxLength: 60 }),
      (maxBatchSize, ahead, arrivals) => {
        const model = new BufferModel({ maxBatchSize, conflicts: [], flushIntervalMs: 10 });
        model.append(Array.from({ length: ahead + 1 }, (_, i) => i));
        model.nowMs += 10;
        const batches = batchesUntilGone(model, `r0:${ahead}`, (count) =>
          model.append(Array.from({ length: arrivals[count - 1] ?? 0 }, (_, i) => i)),
        );
        expect(batches).toBe(Math.floor(ahead / maxBatchSize) + 1);
      },
    ),
  );
});

test('No batch leaves before the announced time, and at most one announced cut finds no batch that may leave.', () => {
  fc.assert(
    fc.property(anyPolicy, fc.array(anyStep, { maxLength: 20 }), fc.nat(), (policy, steps, pick) => {
      const model = new BufferModel(policy);
      for (const step of steps) model.run(step);
      const nextMs = nextFlushAtMs(model.buffer, model.policy, model.nowMs);
      const takenAt = (nowMs: number) => {
        const buffer = structuredClone(model.buffer);
        const flushes = takeFlushes(buffer, model.policy, nowMs, Infinity);
        return { flushes, thenMs: nextFlushAtMs(buffer, model.policy, nowMs) };
      };
      if (nextMs === undefined) {
        expect(takenAt(Number.MAX_SAFE_INTEGER).flushes).toEqual([]);
        return;
      }
      if (nextMs > model.nowMs) {
        const earlierMs = model.nowMs + (pick % (nextMs - model.nowMs));
        expect(takenAt(earlierMs)).toEqual({ flushes: [], thenMs: nextMs });
      }
      expect(nextMs).toBeGreaterThanOrEqual(model.nowMs);
      const { flushes, thenMs = Infinity } = takenAt(nextMs);
      if (flushes.length === 0) expect(thenMs).toBeGreaterThan(nextMs);
    }),
    { numRuns: 300 },
  );
});

describe('A buffer with a maximum batch size of three', () => {
  const policy: FlushPolicy = { maxBatchSize: 3, conflicts: PAIR, flushIntervalMs: 100 };
  let buffer: RecordBuffer;

  function append(nowMs: number, ...values: JsonValue[]): void {
    appendRequest(buffer, { requestId: `at ${nowMs}`, values }, nowMs);
  }
  function taken(nowMs: number, limit = Infinity): [string, JsonValue[]][] {
    return takeFlushes(buffer, policy, nowMs, limit).map(({ reason, records }) => [
      reason,
      records.map(({ value }) => value),
    ]);
  }
  beforeEach(() => {
    buffer = emptyBuffer();
  });

  test('flushes full batches at once, and the rest by age.', () => {
    append(0, 3, 4, 5, 6);
    expect(taken(0)).toEqual([['size', [3, 4, 5]]]);
    expect(nextFlushAtMs(buffer, policy, 0)).toBe(100);
    expect(taken(99)).toEqual([]);
    expect(taken(100)).toEqual([['age', [6]]]);
    expect(nextFlushAtMs(buffer, policy, 100)).toBeUndefined();
  });

  test('fills up a due batch with younger records, and leaves out those that conflict (G2).', () => {
    append(0, 1);
    append(99, 2, 1);
    expect(taken(100)).toEqual([['age', [1, 1]]]);
    expect(nextFlushAtMs(buffer, policy, 100)).toBe(199);
  });

  test('flushes everything that is buffered on request, but no later records.', () => {
    append(0, 1, 2);
    flushAll(buffer, 'manual');
    append(0, 2);
    expect(nextFlushAtMs(buffer, policy, 50)).toBeLessThanOrEqual(50);
    expect(taken(50)).toEqual([
      ['manual', [1]],
      ['manual', [2, 2]],
    ]);
    append(50, 1);
    expect(taken(50)).toEqual([]);
  });

  test('keeps filling partial batches while none can start.', () => {
    append(0, 3);
    expect(taken(200, 0)).toEqual([]);
    append(200, 4, 5, 6);
    expect(taken(200, 1)).toEqual([['size', [3, 4, 5]]]);
  });

  test('flushes the older of a full and a partial batch first (G7).', () => {
    append(0, 1);
    append(1, 2, 2, 2, 5);
    expect(taken(100, 1)).toEqual([['age', [1, 5]]]);
    expect(taken(100, 1)).toEqual([['size', [2, 2, 2]]]);
  });

  test('announces a full batch that has not been cut yet.', () => {
    append(0, 3, 4, 5);
    expect(nextFlushAtMs(buffer, policy, 10)).toBe(10);
    append(0, 6, 7, 8);
    expect(taken(10, 1)).toEqual([['size', [3, 4, 5]]]);
    append(10, 3, 4, 5);
    expect(taken(10, 1)).toEqual([['size', [6, 7, 8]]]);
    expect(nextFlushAtMs(buffer, policy, 10)).toBe(10);
  });
});

test('With thousands of partial batches, a single arrival causes no recut but fills up the next batch that leaves (G2, G6).', () => {
  const policy: FlushPolicy = { maxBatchSize: 3, conflicts: [{ distinct: '/id' }], flushIntervalMs: 100 };
  const buffer = emptyBuffer();
  appendRequest(buffer, { requestId: 'a', values: Array.from({ length: 1500 }, () => ({ id: 1 })) }, 0);
  expect(takeFlushes(buffer, policy, 100, 1).map(({ records }) => records.length)).toEqual([1]);
  const before = buffer.partial.slice(1);
  appendRequest(buffer, { requestId: 'b', values: [{ id: 1 }, { id: 2 }, { id: 2 }, { id: 3 }] }, 100);
  const [flush] = takeFlushes(buffer, policy, 100, 1);
  expect(flush?.records.map(bufferedRecordId)).toEqual(['a:1', 'b:1', 'b:3']);
  expect(buffer.waiting.map(bufferedRecordId)).toEqual(['b:0', 'b:2']);
  expect(buffer.partial).toEqual(before);
  for (let batches = 0; batches < 1498; batches++) takeFlushes(buffer, policy, 200, 1);
  // By now they are few enough to be cut together with what came.
  expect(takeFlushes(buffer, policy, 200, 1).flatMap(({ records }) => records.map(bufferedRecordId))).toEqual(
    ['b:0'],
  );
  expect(buffer).toMatchObject({ waiting: [], partial: [], full: [], bufferedRecords: 0 });
});
