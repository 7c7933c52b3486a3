import fc from 'fast-check';
import { FLUSH_REASON } from '../../src/domain/records/batch';
import {
  appendRequest,
  bufferedRecordId,
  emptyBuffer,
  flushAll,
  inOrder,
  oldestRecord,
  packBuffer,
  packedBytesBound,
  uncutAll,
  unpackBuffer,
  type PackedBuffer,
} from '../../src/domain/buffer/buffer';
import { conflicts, type ConflictRule } from '../../src/domain/rules';
import {
  nextFlushAtMs,
  takeFlushes,
  type Flush,
  type FlushPolicy,
} from '../../src/domain/buffer/flush-policy';
import type { JsonValue } from '../../src/domain/json';

/** Rules of every structure that `partition` tells apart, none and a mix included. */
export const anyPolicy: fc.Arbitrary<FlushPolicy> = fc.record({
  maxBatchSize: fc.integer({ min: 1, max: 6 }),
  conflicts: fc.constantFrom<ConflictRule[]>(
    [],
    [{ pair: [1, 2] }],
    [{ group: [1, 2, 3] }],
    [{ distinct: '' }],
    [{ distinct: '/k' }],
    [{ pair: [1, 2] }, { group: [1, 3], at: '/k' }, { distinct: '/k' }],
    [{ pair: [1, 2] }, { pair: [3, 4] }],
    [{ never: { left: { atMost: 2 }, right: { at: '/k', above: 1 } } }],
    [{ never: { left: { at: '' }, right: { equals: 1 } } }],
  ),
  flushIntervalMs: fc.constantFrom(1, 10, 50),
});

const anyValue = fc.oneof(
  fc.integer({ min: 1, max: 4 }),
  fc.record({ k: fc.integer({ min: 1, max: 4 }) }),
) as fc.Arbitrary<JsonValue>;
const anyValues = fc.array(anyValue, { maxLength: 12 });
const anyLimit = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(Infinity));

export type Step =
  | { append: JsonValue[] }
  | { take: number }
  | { waitMs: number }
  | { configure: FlushPolicy }
  | 'flush all'
  | 'carry';

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ append: anyValues }) },
  { weight: 4, arbitrary: fc.record({ take: anyLimit }) },
  { weight: 2, arbitrary: fc.record({ waitMs: fc.integer({ min: 0, max: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ configure: anyPolicy }) },
  { weight: 1, arbitrary: fc.constantFrom('flush all' as const, 'carry' as const) },
);

interface Expected {
  recordId: string;
  acceptedAtMs: number;
  bytes: number;
  byHand: boolean;
}

/** A buffer beside the plainest account of what it has to hold; every step is checked against that. */
export class BufferModel {
  buffer = emptyBuffer();
  nowMs = 1_000_000;
  /** What is buffered, oldest first. */
  expected: Expected[] = [];
  private requests = 0;

  constructor(public policy: FlushPolicy) {}

  run(step: Step): void {
    if (step === 'flush all') {
      flushAll(this.buffer, 'manual');
      for (const record of this.expected) record.byHand = true;
    } else if (step === 'carry') {
      const packed = JSON.stringify(packBuffer(this.buffer));
      expect(packedBytesBound(this.buffer)).toBeGreaterThanOrEqual(Buffer.byteLength(packed));
      this.buffer = unpackBuffer(JSON.parse(packed) as PackedBuffer);
    } else if ('waitMs' in step) this.nowMs += step.waitMs;
    else if ('append' in step) this.append(step.append);
    else if ('configure' in step) {
      this.policy = step.configure;
      uncutAll(this.buffer);
    } else this.take(step.take);
    this.checkBuffer();
  }

  append(values: JsonValue[]): void {
    const requestId = `r${this.requests++}`;
    appendRequest(this.buffer, { requestId, values }, this.nowMs);
    for (const [index, value] of values.entries()) {
      const bytes = Buffer.byteLength(JSON.stringify(value));
      this.expected.push({
        recordId: `${requestId}:${index}`,
        acceptedAtMs: this.nowMs,
        bytes,
        byHand: false,
      });
    }
  }

  isDue({ acceptedAtMs, byHand }: Expected): boolean {
    return byHand || acceptedAtMs + this.policy.flushIntervalMs <= this.nowMs;
  }

  take(limit: number): Flush[] {
    const before = this.expected;
    const flushes = takeFlushes(this.buffer, this.policy, this.nowMs, limit);
    expect(flushes.length).toBeLessThanOrEqual(limit);
    const taken = flushes.map((flush) => this.checkFlush(flush));
    const gone = new Set(taken.flat());
    expect(gone.size).toBe(taken.flat().length);
    this.expected = before.filter((record) => !gone.has(record));

    // G7: the batches with the oldest records first, and none before a due record without an older one in it.
    const oldest = taken.map((records) => Math.min(...records.map((record) => before.indexOf(record))));
    expect(oldest).toEqual([...oldest].sort((a, b) => a - b));
    const firstLeftBehind = this.expected.find((record) => this.isDue(record));
    if (firstLeftBehind !== undefined) {
      expect(Math.max(-1, ...oldest)).toBeLessThan(before.indexOf(firstLeftBehind));
    }
    if (flushes.length < limit) {
      expect(firstLeftBehind).toBeUndefined();
      expect(this.buffer.full).toEqual([]);
      expect(nextFlushAtMs(this.buffer, this.policy, this.nowMs) ?? Infinity).toBeGreaterThan(this.nowMs);
    }
    return flushes;
  }

  /** Returns what the flush holds, as expected before. */
  private checkFlush({ records, reason }: Flush): Expected[] {
    const { maxBatchSize, conflicts: rules } = this.policy;
    const held = records.map((record) => {
      const found = this.expected.find(({ recordId }) => recordId === bufferedRecordId(record));
      if (found === undefined) throw new Error(`${bufferedRecordId(record)} was not in the buffer`);
      return found;
    });
    const places = held.map((record) => this.expected.indexOf(record));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    const clashes = records.filter((record, at) =>
      records.slice(at + 1).some((other) => conflicts(record.value, other.value, rules)),
    );
    expect(clashes).toEqual([]);
    if (reason === FLUSH_REASON.size) expect(records).toHaveLength(maxBatchSize);
    else {
      expect(records.length).toBeLessThan(maxBatchSize);
      expect(held.some((record) => this.isDue(record))).toBe(true);
      expect(reason).toBe(held.some(({ byHand }) => byHand) ? FLUSH_REASON.manual : FLUSH_REASON.age);
    }
    return held;
  }

  private checkBuffer(): void {
    const { buffer, expected } = this;
    expect(inOrder(buffer).map(bufferedRecordId)).toEqual(expected.map(({ recordId }) => recordId));
    expect(oldestRecord(buffer)).toBe(inOrder(buffer)[0]);
    expect(buffer.bufferedRecords).toBe(expected.length);
    expect(buffer.bufferedBytes).toBe(expected.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(buffer.full.filter((batch) => batch.length !== this.policy.maxBatchSize)).toEqual([]);
    // What both lists promise, and partition and G7 rely on.
    for (const records of [buffer.waiting, buffer.full.flatMap((batch) => batch.slice(0, 1))]) {
      const order = records.map(({ seq }) => seq);
      expect(order).toEqual([...order].sort((a, b) => a - b));
    }
  }
}
