import fc from 'fast-check';
import { DAY, MINUTE } from '../../src/domain/duration';
import { packKeys, unpackKeys } from '../../src/domain/windows/key-window';
import {
  bodyUnder,
  progressUnder,
  takeOnce,
  type KnownRequests,
} from '../../src/domain/windows/known-requests';
import {
  MAX_STREAMS,
  packStreams,
  unpackStreams,
  type PackedStreams,
} from '../../src/domain/windows/stream-window';

const POLICY = { idempotencyWindowMs: 1 * DAY, idempotencyWindowKeys: 1000 };

function nothingKnown(): KnownRequests {
  return { keys: new Map(), streams: new Map() };
}

function carried({ keys, streams }: KnownRequests): KnownRequests {
  const packed = JSON.parse(JSON.stringify([packKeys(keys), packStreams(streams)])) as [
    ReturnType<typeof packKeys>,
    PackedStreams,
  ];
  return { keys: unpackKeys(packed[0]), streams: unpackStreams(packed[1]) };
}

const digestAt = (place: number) => (place === 0 ? '' : String(place).padStart(20, '0'));
const refOf = (key: string, scope = '') => ({ scope, key: key.padStart(20, ' ') });

/** Offers the records `from` to `to` of a stream whose digest at each place is the place itself. */
function offer(
  known: KnownRequests,
  key: string,
  from: number,
  to: number,
  { complete = false, nowMs = 0, scope = '', before = digestAt(from) } = {},
): boolean {
  const part = { ...refOf(key, scope), before, after: digestAt(to), complete };
  return takeOnce(known, { part, offset: from, records: to - from }, POLICY, nowMs);
}

function progress(known: KnownRequests, key: string, nowMs = 0, scope = '') {
  return progressUnder(known, refOf(key, scope), POLICY, nowMs);
}

/** So many streams of a client, each of one record. */
function open(known: KnownRequests, count: number, name: string, scope = ''): void {
  for (let i = 0; i < count; i++) expect(offer(known, `${name} ${i}`, 0, 1, { scope })).toBe(true);
}

test('G5: Each record of a stream is accepted once and in order, even if parts are repeated, reordered, and mixed with many other streams.', () => {
  const anyPart = fc.record({
    from: fc.nat(12),
    length: fc.integer({ min: 1, max: 4 }),
    complete: fc.boolean(),
    others: fc.constantFrom(0, 0, 1, MAX_STREAMS),
  });
  fc.assert(
    fc.property(fc.array(anyPart, { maxLength: 60 }), (parts) => {
      let known = nothingKnown();
      const taken: number[] = [];
      for (const [i, { from, length, complete, others }] of parts.entries()) {
        const records = Array.from({ length }, (_, place) => from + place);
        if (offer(known, 'k', from, from + length, { complete: complete && from > 6 }))
          taken.push(...records);
        for (let other = 0; other < others; other++) offer(known, `${i} ${other}`, 0, 1);
        known = carried(known);
        const at = progress(known, 'k');
        expect(at?.digest ?? '').toBe(digestAt(taken.length));
        expect([null, taken.length]).toContain(at === undefined ? 0 : at.taken);
      }
      expect(taken).toEqual(taken.map((_, i) => i));
    }),
    { numRuns: 50 },
  );
});

test('G5: A part that follows different records than the accepted ones is not accepted.', () => {
  const known = nothingKnown();
  expect(offer(known, 'k', 0, 5)).toBe(true);
  expect(offer(known, 'k', 5, 9, { before: 'other'.padStart(20) })).toBe(false);
  expect(progress(known, 'k')).toMatchObject({ taken: 5, digest: digestAt(5) });
});

test('G5: Nothing is added to a complete stream, whether or not it is still followed.', () => {
  const known = nothingKnown();
  expect(offer(known, 'k', 0, 5, { complete: true })).toBe(true);
  expect(offer(known, 'k', 5, 6)).toBe(false);
  open(known, MAX_STREAMS, 'other');
  expect(progress(known, 'k')).toEqual({ taken: null, digest: digestAt(5), complete: true });
  expect(offer(known, 'k', 5, 6)).toBe(false);
  expect(offer(known, 'k', 0, 5)).toBe(false);
});

test('G5: A key belongs to a list or to a stream, never to both.', () => {
  const known = nothingKnown();
  const list = { ...refOf('list'), body: digestAt(3) };
  expect(takeOnce(known, { digest: list }, POLICY, 0)).toBe(true);
  expect(offer(known, 'list', 0, 1)).toBe(false);
  expect(offer(known, 'list', 3, 4)).toBe(false);
  expect(progress(known, 'list')).toEqual({ taken: 0, digest: digestAt(3), complete: true });
  expect(offer(known, 'stream', 0, 3)).toBe(true);
  open(known, MAX_STREAMS, 'other');
  expect(takeOnce(known, { digest: { ...refOf('stream'), body: digestAt(4) } }, POLICY, 0)).toBe(false);
  expect(bodyUnder(known, refOf('stream'), POLICY, 0)).toBe(digestAt(3));
});

test('A stream is known for the duration of the window, counted from its last part.', () => {
  const known = nothingKnown();
  offer(known, 'k', 0, 5, { nowMs: 0 });
  offer(known, 'k', 5, 6, { nowMs: 1 * DAY });
  expect(progress(known, 'k', 2 * DAY)).toMatchObject({ taken: 6 });
  expect(progress(known, 'k', 2 * DAY + MINUTE)).toBeUndefined();
});

test('G6: The longest idle stream makes room for a new one, and can still be continued by its digest (G5).', () => {
  const known = nothingKnown();
  open(known, MAX_STREAMS, 'open');
  expect(offer(known, 'open 0', 1, 2)).toBe(true);
  expect(offer(known, 'one more', 0, 1)).toBe(true);
  expect(known.streams.size).toBe(MAX_STREAMS);
  expect(progress(known, 'open 0')).toMatchObject({ taken: 2 });
  expect(progress(known, 'open 1')).toEqual({ taken: null, digest: digestAt(1), complete: false });
  expect(offer(known, 'open 1', 0, 1)).toBe(false);
  expect(offer(known, 'open 1', 1, 2)).toBe(true);
  expect(progress(known, 'open 1')).toMatchObject({ taken: 2 });
  expect(known.keys.get('')?.has(refOf('open 1').key)).toBe(false);
});

test('A complete stream makes room before an open one.', () => {
  const known = nothingKnown();
  open(known, MAX_STREAMS - 1, 'open');
  expect(offer(known, 'whole', 0, 1, { complete: true })).toBe(true);
  expect(offer(known, 'one more', 0, 1)).toBe(true);
  expect(progress(known, 'whole')).toMatchObject({ taken: null, complete: true });
  expect(progress(known, 'open 0')).toMatchObject({ taken: 1 });
});

test('G11: A client with many streams displaces no stream of another client.', () => {
  const known = nothingKnown();
  open(known, 3, 'alice', 'alice');
  open(known, 3 * MAX_STREAMS, 'bob', 'bob');
  for (let i = 0; i < 3; i++) expect(progress(known, `alice ${i}`, 0, 'alice')).toMatchObject({ taken: 1 });
  expect(known.streams.size).toBe(MAX_STREAMS);
});
