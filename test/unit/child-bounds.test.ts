import type { BufferedRecord } from '../../src/domain/buffer/buffer';
import { KIB, MIB } from '../../src/domain/duration';
import type { Flush } from '../../src/domain/buffer/flush-policy';
import { jsonBytes } from '../../src/domain/json';
import { groupFlushes } from '../../workflows/batcher/children/child-bounds';
import { newState } from '../helpers/batcher-loop';

const { settings } = newState({ saveActivity: 'batch', maxBatchSize: 1 });

function batchOf(requestId: string, bytes: number): Flush {
  const record = {
    requestId,
    index: 0,
    value: 'x'.repeat(bytes - 2),
    bytes,
    seq: 0,
  } as unknown as BufferedRecord;
  return { reason: 'size', records: [record] };
}

const bytesIn = (group: readonly Flush[]) =>
  group.flatMap(({ records }) => records).reduce((sum, { bytes }) => sum + bytes, 0);

test('Batches share a child that saves in bulk as long as their values take a mebibyte together (G6).', () => {
  const flushes = Array.from({ length: 40 }, (_, i) => batchOf(`r${i}`, 60 * KIB));
  const groups = groupFlushes(flushes, settings);
  expect(groups.flat()).toEqual(flushes);
  expect(groups.map(({ length }) => length)).toEqual([17, 17, 6]);
  for (const group of groups) expect(bytesIn(group)).toBeLessThanOrEqual(1 * MIB);
});

test('A batch as large as a child may hold has one of its own (G6).', () => {
  const groups = groupFlushes([batchOf('a', 1 * MIB), batchOf('b', 10), batchOf('c', 1 * MIB)], settings);
  expect(groups.map(({ length }) => length)).toEqual([1, 1, 1]);
});

test('Batches share a child as long as the ids of their requests fit into its memo (G6).', () => {
  const idOf = (i: number) => String(i).padStart(128, 'r');
  const flushes = Array.from({ length: 200 }, (_, i) => batchOf(idOf(i), 10));
  const groups = groupFlushes(flushes, settings);
  expect(groups.flat()).toEqual(flushes);
  expect(groups.length).toBeGreaterThan(1);
  for (const group of groups) {
    const ids = group.flatMap(({ records }) => records.map(({ requestId }) => requestId));
    expect(jsonBytes(ids)).toBeLessThan(12 * KIB);
  }
  // An id that several of them have is there once.
  const same = groupFlushes(
    Array.from({ length: 200 }, () => batchOf(idOf(1), 10)),
    settings,
  );
  expect(same).toHaveLength(1);
});
