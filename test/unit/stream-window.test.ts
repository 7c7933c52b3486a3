import fc from 'fast-check';
import { DAY, MINUTE } from '../../src/domain/duration';
import {
  MAX_STREAMS,
  advanceStream,
  knownStream,
  packStreams,
  unpackStreams,
  type StreamWindow,
} from '../../src/domain/stream-window';

const POLICY = { idempotencyWindowMs: 1 * DAY, idempotencyWindowKeys: 10 };

function newWindow(): StreamWindow {
  return new Map();
}

/** Offers the records `from` to `to` of a stream whose digest at each place is the place itself. */
function offer(
  window: StreamWindow,
  key: string,
  from: number,
  to: number,
  complete = false,
  nowMs = 0,
): boolean {
  const digestAt = (place: number) => (place === 0 ? '' : String(place));
  const part = { key, before: digestAt(from), after: digestAt(to), complete };
  return advanceStream(window, part, from, to - from, POLICY, nowMs);
}

test('G5: whatever parts arrive, repeated and in whatever order, each record of a stream is taken once and in order.', () => {
  const anyPart = fc.record({
    from: fc.nat(12),
    length: fc.integer({ min: 1, max: 4 }),
    complete: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(anyPart, { maxLength: 60 }), (parts) => {
      let window = newWindow();
      const taken: number[] = [];
      for (const { from, length, complete } of parts) {
        const records = Array.from({ length }, (_, i) => from + i);
        if (offer(window, 'k', from, from + length, complete && from > 6)) taken.push(...records);
        window = unpackStreams(JSON.parse(JSON.stringify(packStreams(window))));
        expect(knownStream(window, 'k', POLICY, 0)?.taken ?? 0).toBe(taken.length);
      }
      expect(taken).toEqual(taken.map((_, i) => i));
    }),
  );
});

test('G5: a part of other records than those before it is not taken.', () => {
  const window = newWindow();
  expect(offer(window, 'k', 0, 5)).toBe(true);
  const other = { key: 'k', before: 'other', after: '9', complete: false };
  expect(advanceStream(window, other, 5, 4, POLICY, 0)).toBe(false);
  expect(knownStream(window, 'k', POLICY, 0)).toMatchObject({ taken: 5, digest: '5' });
});

test('G5: nothing is added to a stream that is complete.', () => {
  const window = newWindow();
  expect(offer(window, 'k', 0, 5, true)).toBe(true);
  expect(offer(window, 'k', 5, 6)).toBe(false);
});

test('A stream is known for the window, counted from its last part.', () => {
  const window = newWindow();
  offer(window, 'k', 0, 5, false, 0);
  offer(window, 'k', 5, 6, false, 1 * DAY);
  expect(knownStream(window, 'k', POLICY, 2 * DAY)).toMatchObject({ taken: 6 });
  expect(knownStream(window, 'k', POLICY, 2 * DAY + MINUTE)).toBeUndefined();
});

test('G6: no more streams are remembered than are stated, and one that is open is never forgotten for another.', () => {
  const window = newWindow();
  for (let i = 0; i < MAX_STREAMS; i++) expect(offer(window, `open ${i}`, 0, 1)).toBe(true);
  expect(offer(window, 'one more', 0, 1)).toBe(false);
  expect(offer(window, 'open 0', 1, 2, true)).toBe(true);
  expect(offer(window, 'one more', 0, 1)).toBe(true);
  expect(window.size).toBe(MAX_STREAMS);
  expect(knownStream(window, 'open 0', POLICY, 0)).toBeUndefined();
  expect(offer(window, 'open 1', 1, 2)).toBe(true);
});
