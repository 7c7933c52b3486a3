import fc from 'fast-check';
import {
  appendRequest,
  bufferedOf,
  bufferedRecordId,
  emptyBuffer,
  flushAll,
  inOrder,
  oldestRecord,
  packBuffer,
  packedBytesBound,
  uncutAll,
  unpackBuffer,
  type BufferedRecord,
  type PackedBuffer,
  type RecordBuffer,
} from '../../src/domain/buffer/buffer';
import { MIB } from '../../src/domain/duration';
import { takeFlushes } from '../../src/domain/buffer/flush-policy';
import type { JsonValue } from '../../src/domain/json';
import { anyJson } from '../helpers/arbitraries';

const POLICY = { maxBatchSize: 3, conflicts: [{ pair: [1, 2] as [number, number] }], flushIntervalMs: 100 };

/** Ids that a client could think of, among them such as take the most bytes as JSON. */
const anyRequestId = fc.oneof(
  fc.constantFrom('a', 'b', 'a:1'),
  fc.string({ unit: 'binary', maxLength: 255 }),
  fc.string({ unit: fc.constantFrom('"', '\\', '\u0001', '\ud800', '€', '🎈'), maxLength: 127 }),
);
const anyValue = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 3 }) },
  { weight: 1, arbitrary: anyJson },
);

const anyStep = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record(
      {
        requestId: anyRequestId,
        values: fc.array(anyValue, { maxLength: 12 }),
        trace: fc.constantFrom('a'.repeat(32), 'b'.repeat(32)),
      },
      { requiredKeys: ['requestId', 'values'] },
    ),
  },
  { weight: 2, arbitrary: fc.record({ take: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 1, arbitrary: fc.constant('flush all' as const) },
);

/** A buffer with a past: full batches cut and partial ones taken out of the middle. */
const anyBuffer = fc
  .array(fc.record({ step: anyStep, afterMs: fc.integer({ min: 0, max: 80 }) }), { maxLength: 12 })
  .map((steps) => {
    const buffer = emptyBuffer();
    let nowMs = Date.UTC(2026, 0, 1);
    for (const { step, afterMs } of steps) {
      nowMs += afterMs;
      if (step === 'flush all') flushAll(buffer, 'manual');
      else if ('take' in step) takeFlushes(buffer, POLICY, nowMs, step.take);
      else appendRequest(buffer, step, nowMs);
    }
    return buffer;
  });

/** What has to survive everything: all but `seq`, which only orders. */
function known({ seq, ...rest }: BufferedRecord, { flushBeforeSeq }: RecordBuffer) {
  return { ...rest, dueByHand: seq < flushBeforeSeq };
}

function contents(buffer: RecordBuffer) {
  return inOrder(buffer).map((record) => known(record, buffer));
}

function carried(packed: PackedBuffer): PackedBuffer {
  return JSON.parse(JSON.stringify(packed)) as PackedBuffer;
}

function packedBytes(buffer: RecordBuffer): number {
  return Buffer.byteLength(JSON.stringify(packBuffer(buffer)));
}

test('The buffer keeps requests in order of acceptance, each record with its index, time and size.', () => {
  const buffer = emptyBuffer();
  appendRequest(buffer, { requestId: 'a', values: ['é', { x: [1, null] }] }, 10);
  appendRequest(buffer, { requestId: 'b', values: [7] }, 11);
  expect(contents(buffer)).toEqual([
    { requestId: 'a', index: 0, requestSize: 2, value: 'é', acceptedAtMs: 10, bytes: 4, dueByHand: false },
    {
      requestId: 'a',
      index: 1,
      requestSize: 2,
      value: { x: [1, null] },
      acceptedAtMs: 10,
      bytes: 14,
      dueByHand: false,
    },
    { requestId: 'b', index: 0, requestSize: 1, value: 7, acceptedAtMs: 11, bytes: 1, dueByHand: false },
  ]);
  expect(inOrder(buffer).map(bufferedRecordId)).toEqual(['a:0', 'a:1', 'b:0']);
  expect(buffer).toMatchObject({ bufferedRecords: 3, bufferedBytes: 19, nextSeq: 3 });
});

test('G6: The size of a buffered record is its size as JSON in UTF-8, for any value.', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      const buffer = emptyBuffer();
      appendRequest(buffer, { requestId: 'r', values: [value as JsonValue] }, 0);
      expect(buffer.bufferedBytes).toBe(Buffer.byteLength(JSON.stringify(value)));
    }),
  );
});

test('A manual flush makes the buffered records due, and no later ones.', () => {
  const buffer = emptyBuffer();
  appendRequest(buffer, { requestId: 'a', values: [1, 2] }, 0);
  flushAll(buffer, 'manual');
  appendRequest(buffer, { requestId: 'b', values: [3] }, 0);
  expect(contents(buffer).map(({ dueByHand }) => dueByHand)).toEqual([true, true, false]);
});

test('G4: A buffer that was packed as JSON and unpacked has the same records in the same order, due for the same reason.', () => {
  fc.assert(
    fc.property(anyBuffer, (buffer) => {
      const unpacked = unpackBuffer(carried(packBuffer(buffer)));
      expect(contents(unpacked)).toEqual(contents(buffer));
      expect(unpacked).toMatchObject({
        full: [],
        partial: [],
        bufferedRecords: buffer.bufferedRecords,
        bufferedBytes: buffer.bufferedBytes,
      });
      // What comes later stands behind, and isn't due by a flush of before.
      appendRequest(unpacked, { requestId: 'later', values: [0] }, Number.MAX_SAFE_INTEGER);
      expect(contents(unpacked).at(-1)).toMatchObject({ requestId: 'later', dueByHand: false });
    }),
  );
});

test('Packing changes neither the buffer nor an earlier packed buffer.', () => {
  fc.assert(
    fc.property(anyBuffer, (buffer) => {
      const before = structuredClone(buffer);
      const packed = packBuffer(buffer);
      expect(buffer).toEqual(before);
      expect(packBuffer(unpackBuffer(packed))).toEqual(packed);
    }),
  );
});

test('The records of a request are packed with one id and one time.', () => {
  const buffer = emptyBuffer();
  appendRequest(buffer, { requestId: 'a', values: [5, 6, 7] }, 10);
  appendRequest(buffer, { requestId: 'b', values: [8] }, 10);
  expect(packBuffer(buffer)).toEqual({
    runs: [
      ['a', 3, 10, 0, [5, 6, 7]],
      ['b', 1, 10, 0, [8]],
    ],
    flushOldest: 0,
  });
});

test('Lists with the same id but different times or lengths are packed as separate runs.', () => {
  const packed: PackedBuffer = {
    runs: [
      ['a', 3, 10, 0, [5]],
      ['a', 3, 20, 1, [6]],
      ['a', 4, 20, 2, [7]],
    ],
    flushOldest: 1,
  };
  expect(packBuffer(unpackBuffer(packed))).toEqual(packed);
});

test('G6: The bound of the packed size is a close upper bound, for any ids, values and gaps.', () => {
  fc.assert(
    fc.property(anyBuffer, (buffer) => {
      const bytes = packedBytes(buffer);
      const bound = packedBytesBound(buffer);
      expect(bound).toBeGreaterThanOrEqual(bytes);
      expect(bound).toBeLessThanOrEqual(bytes + 2 * buffer.bufferedRecords + 64);
    }),
  );
});

test('G6: The bound of the packed size holds when every other record of a request with a long id has left.', () => {
  const buffer = emptyBuffer();
  const values = Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? 1 : 2));
  appendRequest(buffer, { requestId: 'r'.repeat(255), values }, 0);
  const ones = { maxBatchSize: 500, conflicts: POLICY.conflicts, flushIntervalMs: 100 };
  takeFlushes(buffer, ones, 0, 1);
  expect(inOrder(buffer).map(({ index }) => index % 2)).toEqual(Array.from({ length: 500 }, () => 1));
  expect(packedBytesBound(buffer)).toBeGreaterThanOrEqual(packedBytes(buffer));
});

test('G6: With the default settings, a full buffer of requests with one record each can be carried.', () => {
  const buffer = emptyBuffer();
  const value = 'v'.repeat(MIB / 10_000 - 3);
  for (let i = 0; i < 10_000; i++) {
    appendRequest(
      buffer,
      { requestId: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`, values: [value] },
      Date.UTC(2026, 0, 1) + i,
    );
  }
  expect(buffer.bufferedBytes).toBeGreaterThan(0.98 * MIB);
  expect(packedBytesBound(buffer)).toBeLessThan(1.8 * MIB);
});

test("The buffer lists the indexes of a request's buffered records, with the size of the request.", () => {
  fc.assert(
    fc.property(anyBuffer, anyRequestId, (buffer, requestId) => {
      const own = contents(buffer).filter((record) => record.requestId === requestId);
      expect(bufferedOf(buffer, requestId)).toEqual({
        size: own[0]?.requestSize ?? null,
        indexes: own.map(({ index }) => index),
      });
    }),
  );
});

test('The oldest record is found in full batches, in partial batches and among waiting records.', () => {
  fc.assert(fc.property(anyBuffer, (buffer) => expect(oldestRecord(buffer)).toBe(inOrder(buffer)[0])));
});

test('Uncutting moves the records of full and partial batches back to the waiting ones.', () => {
  fc.assert(
    fc.property(anyBuffer, (buffer) => {
      const before = contents(buffer);
      uncutAll(buffer);
      expect(contents(buffer)).toEqual(before);
      expect(buffer).toMatchObject({ full: [], partial: [], bufferedRecords: before.length });
      expect(buffer.waiting).toHaveLength(before.length);
    }),
  );
});
