import fc from 'fast-check';
import { MINUTE } from '../../src/domain/duration';
import {
  knownBody,
  packKeys,
  rememberKey,
  unpackKeys,
  type KeyWindow,
  type KeyWindowPolicy,
  type PackedKeyWindow,
  type RequestDigest,
} from '../../src/domain/key-window';
import { digestOf } from '../../src/temporal/shard/digests';

const DAY_POLICY: KeyWindowPolicy = { idempotencyWindowMs: 24 * 60 * MINUTE, idempotencyWindowKeys: 10_000 };

function digest(key: number, body = 0): RequestDigest {
  return { key: String(key).padStart(11, '0'), body: String(body).padStart(6, '0') };
}

function carried(window: KeyWindow): KeyWindow {
  return unpackKeys(JSON.parse(JSON.stringify(packKeys(window))) as PackedKeyWindow);
}

test('G5: a key is known, with its body, for the window and not for a minute more than that.', () => {
  const policy = { idempotencyWindowMs: 5 * MINUTE, idempotencyWindowKeys: 10 };
  const window: KeyWindow = new Map();
  const seenAtMs = 100 * MINUTE + 12_345;
  rememberKey(window, digest(1, 7), policy, seenAtMs);
  expect(knownBody(window, digest(1).key, policy, seenAtMs)).toBe(digest(0, 7).body);
  expect(knownBody(window, digest(1).key, policy, seenAtMs + 5 * MINUTE)).toBe(digest(0, 7).body);
  expect(knownBody(window, digest(1).key, policy, seenAtMs + 6 * MINUTE)).toBeUndefined();
  expect(knownBody(window, digest(2).key, policy, seenAtMs)).toBeUndefined();
});

test('G5: whatever comes, exactly the newest keys within age and count are known, also after being carried.', () => {
  const anyPolicy = fc.record({
    idempotencyWindowMs: fc.integer({ min: 1, max: 5 }).map((minutes) => minutes * MINUTE),
    idempotencyWindowKeys: fc.nat({ max: 6 }),
  });
  const anyArrivals = fc.array(
    fc.record({ afterMs: fc.nat({ max: 3 * MINUTE }), body: fc.nat({ max: 9 }), carry: fc.boolean() }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(anyPolicy, anyArrivals, (policy, arrivals) => {
      let window: KeyWindow = new Map();
      let nowMs = 50 * MINUTE;
      const seen: { key: number; body: number; atMs: number }[] = [];
      for (const [key, { afterMs, body, carry }] of arrivals.entries()) {
        nowMs += afterMs;
        rememberKey(window, digest(key, body), policy, nowMs);
        seen.push({ key, body, atMs: nowMs });
        if (carry) window = carried(window);
        const byCount = policy.idempotencyWindowKeys === 0 ? [] : seen.slice(-policy.idempotencyWindowKeys);
        for (const { key: k, body: b, atMs } of seen) {
          const expired = Math.floor(atMs / MINUTE + 1) * MINUTE + policy.idempotencyWindowMs <= nowMs;
          const kept = byCount.some((entry) => entry.key === k) && !expired;
          expect(knownBody(window, digest(k).key, policy, nowMs)).toBe(kept ? digest(0, b).body : undefined);
        }
        expect(window.size).toBeLessThanOrEqual(policy.idempotencyWindowKeys);
      }
    }),
  );
});

test('G6: a full window of a whole day takes under 190 KiB when it is carried.', () => {
  const window: KeyWindow = new Map();
  for (let i = 0; i < 10_000; i++) rememberKey(window, digest(i), DAY_POLICY, i * 8640 + 1_790_000_000_000);
  expect(window.size).toBe(10_000);
  expect(packKeys(window).minutes.length).toBeGreaterThan(1400);
  expect(Buffer.byteLength(JSON.stringify(packKeys(window)))).toBeLessThan(190 * 1024);
});

describe('a digest', () => {
  test('is of the lengths that the window counts on, and is the same for equal records however they are written.', () => {
    const one = digestOf({ requestId: 'k', values: [{ a: 1, b: [2, null] }] });
    expect([one.key.length, one.body.length]).toEqual([11, 6]);
    expect(digestOf({ requestId: 'k', values: [{ b: [2, null], a: 1.0 }] })).toEqual(one);
  });

  test('differs with the key, and with any record, its type or its place.', () => {
    const bodies: (string | number | null | number[])[][] = [
      [1, 2],
      [2, 1],
      ['1', 2],
      [1],
      [[1, 2]],
      [1, null],
    ];
    expect(new Set(bodies.map((values) => digestOf({ requestId: 'k', values }).body)).size).toBe(
      bodies.length,
    );
    expect(digestOf({ requestId: 'l', values: [1] }).key).not.toBe(
      digestOf({ requestId: 'k', values: [1] }).key,
    );
  });
});
