import fc from 'fast-check';
import { inOrder, type PackedBuffer } from '../../src/domain/buffer/buffer';
import { KIB } from '../../src/domain/duration';
import { takeFlushes } from '../../src/domain/buffer/flush-policy';
import type { JsonValue } from '../../src/domain/json';
import {
  MAX_CARRIED_HEAD_BYTES,
  MAX_CARRIED_TAIL_BYTES,
  PAGE_BYTES,
  appendToEnd,
  emptyPagedBuffer,
  flushEverything,
  flushedRecords,
  headRunsLow,
  needsSpill,
  oldestAcceptedAtMs,
  sizeOf,
  spill,
  takeInPage,
} from '../../src/domain/buffer/paged-buffer';

const POLICY = { maxBatchSize: 5, conflicts: [], flushIntervalMs: 1_000_000 };

/** A buffer together with the pages that lie outside, and with what was put in and taken out. */
function newModel() {
  const buffer = emptyPagedBuffer();
  const outside = new Map<string, PackedBuffer>();
  let pages = 0;
  let requests = 0;
  const model = {
    buffer,
    accepted: [] as string[],
    byHand: new Set<string>(),
    taken: [] as string[],
    add(values: JsonValue[], acceptedAtMs: number) {
      const requestId = `request-${requests++}`;
      appendToEnd(buffer, { requestId, values }, acceptedAtMs);
      model.accepted.push(...values.map((_, index) => `${requestId}:${index}`));
    },
    flush() {
      flushEverything(buffer, 'manual');
      model.byHand = new Set(model.accepted);
    },
    spill() {
      for (const { ref, content } of spill(buffer)) {
        ref.pageId = `page-${pages++}`;
        outside.set(ref.pageId, JSON.parse(JSON.stringify(content)) as PackedBuffer);
      }
    },
    takeIn() {
      const pageId = buffer.pages[0]?.pageId ?? '';
      const content = outside.get(pageId);
      if (content === undefined) return;
      takeInPage(buffer, content);
      outside.delete(pageId);
    },
    take(limit: number) {
      for (const { records } of takeFlushes(buffer.head, POLICY, 0, limit)) {
        model.taken.push(...records.map(({ requestId, index }) => `${requestId}:${index}`));
      }
    },
    /** Everything that is buffered, oldest first, wherever it lies. */
    held(): string[] {
      const inPages = buffer.pages.flatMap(({ pageId }) =>
        outside
          .get(pageId)!
          .runs.flatMap(([requestId, , , first, values]) =>
            values.map((_, i) => `${requestId}:${first + i}`),
          ),
      );
      const ids = (records: ReturnType<typeof inOrder>) => records.map((r) => `${r.requestId}:${r.index}`);
      return [...ids(inOrder(buffer.head)), ...inPages, ...ids(inOrder(buffer.tail))];
    },
  };
  return model;
}

const anyStep = fc.oneof(
  fc.record({ count: fc.integer({ min: 1, max: 40 }), bytes: fc.constantFrom(1, 300, 5 * KIB, 70 * KIB) }),
  fc.constantFrom('spill' as const, 'take in' as const, 'flush' as const, 'take' as const),
);

test('G4, G7: Moving records to pages and back loses and duplicates none, and keeps the order of acceptance.', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
      const model = newModel();
      for (const [at, step] of steps.entries()) {
        if (step === 'spill') model.spill();
        else if (step === 'take in') model.takeIn();
        else if (step === 'flush') model.flush();
        else if (step === 'take') model.take(3);
        else model.add(Array<string>(step.count).fill('x'.repeat(step.bytes)), at);

        const gone = new Set(model.taken);
        const left = model.accepted.filter((id) => !gone.has(id));
        expect(model.taken).toHaveLength(gone.size);
        expect(model.held()).toEqual(left);
        expect(sizeOf(model.buffer).records).toBe(left.length);
        expect(flushedRecords(model.buffer)).toBe(left.filter((id) => model.byHand.has(id)).length);
        if (model.buffer.pages.length === 0) expect(model.buffer.tail.bufferedRecords).toBe(0);
      }
    }),
    { numRuns: 200 },
  );
});

test('G6: After a spill, head and tail are within their bounds, and each page is within its bound or has one record.', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
      const model = newModel();
      for (const step of steps) {
        if (typeof step !== 'string') model.add(Array<string>(step.count).fill('x'.repeat(step.bytes)), 0);
      }
      const pages = spill(model.buffer);
      for (const { ref, content } of pages) {
        const bytes = Buffer.byteLength(JSON.stringify(content));
        expect(ref.records === 1 || bytes <= PAGE_BYTES + 100).toBe(true);
      }
      expect(needsSpill(model.buffer)).toBe(false);
    }),
  );
});

function fillHead(model: ReturnType<typeof newModel>): void {
  model.add(Array<string>(300).fill('x'.repeat(KIB)), 10);
}

test('Records that are accepted while there are pages follow them, and move to the head with the last page.', () => {
  const model = newModel();
  fillHead(model);
  model.spill();
  model.add(['late'], 20);
  const { buffer } = model;
  expect(buffer.pages).toHaveLength(1);
  expect(buffer.head.bufferedBytes).toBeLessThanOrEqual(MAX_CARRIED_HEAD_BYTES);
  expect(buffer.tail.bufferedRecords).toBe(1);
  model.takeIn();
  expect([buffer.pages.length, buffer.tail.bufferedRecords, buffer.head.bufferedRecords]).toEqual([
    0, 0, 301,
  ]);
});

test('The head runs low when few records are left in it, and only while there are pages.', () => {
  const model = newModel();
  expect(headRunsLow(model.buffer)).toBe(false);
  fillHead(model);
  model.spill();
  expect(headRunsLow(model.buffer)).toBe(false);
  model.take(5);
  expect(headRunsLow(model.buffer)).toBe(true);
});

test('The age of the oldest record is known even if all records are in pages.', () => {
  const model = newModel();
  model.add(['x'.repeat(70 * KIB)], 10);
  model.spill();
  expect(model.buffer.head.bufferedRecords).toBe(0);
  expect(oldestAcceptedAtMs(model.buffer)).toBe(10);
  expect(sizeOf(model.buffer)).toEqual({ records: 1, bytes: 70 * KIB + 2 });
});

test('A tail that is too large to be carried becomes pages after the others.', () => {
  const model = newModel();
  fillHead(model);
  model.spill();
  model.add(Array<string>(40).fill('x'.repeat(KIB)), 20);
  expect(model.buffer.tail.bufferedBytes).toBeGreaterThan(MAX_CARRIED_TAIL_BYTES);
  model.spill();
  expect(model.buffer.pages.map(({ oldestAcceptedAtMs: atMs }) => atMs)).toEqual([10, 20]);
  expect(model.buffer.tail.bufferedRecords).toBe(0);
});

test('The tail may exceed its bound by the given number of late bytes, and by no more.', () => {
  const model = newModel();
  fillHead(model);
  expect(needsSpill(model.buffer, 32 * KIB)).toBe(true);
  model.spill();
  model.add(Array<string>(40).fill('x'.repeat(KIB)), 20);
  expect([0, 4 * KIB, 32 * KIB].map((late) => needsSpill(model.buffer, late))).toEqual([true, true, false]);
});

test('Taking in a page fails if there is none.', () => {
  expect(() => takeInPage(emptyPagedBuffer(), { runs: [], flushOldest: 0 })).toThrow(TypeError);
});
