import fc from 'fast-check';
import { MINUTE } from '../../src/domain/duration';
import {
  DIGEST_LENGTH,
  KEY_KIND,
  MAX_SHARES,
  isDigestText,
  knownKey,
  minuteOf,
  packKeys,
  rememberKey,
  unpackKeys,
  type KeyWindow,
  type KeyWindowPolicy,
  type PackedKeyWindow,
} from '../../src/domain/windows/key-window';
import { MAX_WINDOW_KEYS } from '../../src/domain/limits';
import { digestOf } from '../../src/temporal/shard/digests';

const DAY_POLICY: KeyWindowPolicy = {
  idempotencyWindowMs: 24 * 60 * MINUTE,
  idempotencyWindowKeys: MAX_WINDOW_KEYS,
};

function textOf(digest: number): string {
  return String(digest).padStart(DIGEST_LENGTH, '0');
}

function remember(
  window: KeyWindow,
  { scope = '', key, body = 0 }: { scope?: string; key: number; body?: number },
  policy: KeyWindowPolicy,
  nowMs: number,
): void {
  const known = { body: textOf(body), kind: KEY_KIND.list, minute: minuteOf(nowMs) };
  rememberKey(window, { scope, key: textOf(key) }, known, policy, nowMs);
}

function bodyOf(window: KeyWindow, key: number, policy: KeyWindowPolicy, nowMs: number, scope = '') {
  return knownKey(window, { scope, key: textOf(key) }, policy, nowMs)?.body;
}

function carried(window: KeyWindow): KeyWindow {
  return unpackKeys(JSON.parse(JSON.stringify(packKeys(window))) as PackedKeyWindow);
}

test('G5: A key is known, with its body, for the duration of the window and at most a minute longer.', () => {
  const policy = { idempotencyWindowMs: 5 * MINUTE, idempotencyWindowKeys: 10 };
  const window: KeyWindow = new Map();
  const seenAtMs = 100 * MINUTE + 12_345;
  remember(window, { key: 1, body: 7 }, policy, seenAtMs);
  expect(bodyOf(window, 1, policy, seenAtMs)).toBe(textOf(7));
  expect(bodyOf(window, 1, policy, seenAtMs + 5 * MINUTE)).toBe(textOf(7));
  expect(bodyOf(window, 1, policy, seenAtMs + 6 * MINUTE)).toBeUndefined();
  expect(bodyOf(window, 2, policy, seenAtMs)).toBeUndefined();
});

test('G5: Exactly the newest keys within the bounds of age and number are known, also after continue-as-new.', () => {
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
        remember(window, { key, body }, policy, nowMs);
        seen.push({ key, body, atMs: nowMs });
        if (carry) window = carried(window);
        const byCount = policy.idempotencyWindowKeys === 0 ? [] : seen.slice(-policy.idempotencyWindowKeys);
        for (const { key: k, body: b, atMs } of seen) {
          const expired = Math.floor(atMs / MINUTE + 1) * MINUTE + policy.idempotencyWindowMs <= nowMs;
          const kept = byCount.some((entry) => entry.key === k) && !expired;
          expect(bodyOf(window, k, policy, nowMs)).toBe(kept ? textOf(b) : undefined);
        }
        expect(sizeOf(window)).toBeLessThanOrEqual(policy.idempotencyWindowKeys);
      }
    }),
  );
});

function sizeOf(window: KeyWindow): number {
  return [...window.values()].reduce((sum, { size }) => sum + size, 0);
}

test('G11: A client keeps the newest keys of its fair share, whatever other clients do.', () => {
  const scopes = ['a', 'b', 'c', 'd'];
  const anyArrivals = fc.array(
    fc.record({ scope: fc.constantFrom(...scopes, 'd', 'd', 'd', 'd'), carry: fc.boolean() }),
    { maxLength: 80 },
  );
  fc.assert(
    fc.property(anyArrivals, (arrivals) => {
      const policy = { ...DAY_POLICY, idempotencyWindowKeys: 12 };
      let window: KeyWindow = new Map();
      for (const [key, { scope, carry }] of arrivals.entries()) {
        remember(window, { scope, key }, policy, 0);
        if (carry) window = carried(window);
        const sofar = [...arrivals.entries()].slice(0, key + 1);
        for (const owner of scopes) {
          const own = sofar.filter(([, arrival]) => arrival.scope === owner).slice(-3);
          for (const [k] of own) expect(bodyOf(window, k, policy, 0, owner)).toBe(textOf(0));
        }
        expect(sizeOf(window)).toBe(Math.min(12, key + 1));
      }
    }),
  );
});

test('G11: Equal digests in two scopes are two different keys.', () => {
  const window: KeyWindow = new Map();
  remember(window, { scope: 'a', key: 1, body: 1 }, DAY_POLICY, 0);
  expect(bodyOf(window, 1, DAY_POLICY, 0, 'b')).toBeUndefined();
  remember(window, { scope: 'b', key: 1, body: 2 }, DAY_POLICY, 0);
  expect(['a', 'b', ''].map((scope) => bodyOf(window, 1, DAY_POLICY, 0, scope))).toEqual([
    textOf(1),
    textOf(2),
    undefined,
  ]);
});

test('G6: Clients beyond the number of shares use one share together, and their keys are known.', () => {
  const policy = { ...DAY_POLICY, idempotencyWindowKeys: 1000 };
  let window: KeyWindow = new Map();
  for (let i = 0; i < 200; i++) remember(window, { scope: `client-${i}`, key: i, body: i }, policy, 0);
  window = carried(window);
  expect(window.size).toBe(MAX_SHARES + 1);
  for (let i = 0; i < 200; i++) expect(bodyOf(window, i, policy, 0, `client-${i}`)).toBe(textOf(i));
});

test('Carried state says whether a key was used for a list, an incomplete stream or a complete one.', () => {
  const window: KeyWindow = new Map();
  for (const [i, kind] of Object.values(KEY_KIND).entries()) {
    const ref = { scope: 'a', key: textOf(i) };
    rememberKey(window, ref, { body: textOf(9), kind, minute: 100 + i }, DAY_POLICY, 110 * MINUTE);
  }
  expect(carried(window)).toEqual(window);
});

test('G6: In carried state, a full window of a day takes 43 bytes per key, and 39 more per share.', () => {
  const sizeWith = (scopes: number): number => {
    const window: KeyWindow = new Map();
    for (let i = 0; i < MAX_WINDOW_KEYS; i++) {
      const scope = String(i % scopes).padStart(32, 'a');
      remember(window, { scope, key: i }, DAY_POLICY, 1_790_000_000_000 + i * 21_600);
    }
    expect(sizeOf(window)).toBe(MAX_WINDOW_KEYS);
    return Buffer.byteLength(JSON.stringify(packKeys(window)));
  };
  // {"minute":…,"shares":[]}, a comma between shares, and ["…","…"] around each.
  expect(sizeWith(1)).toBe(31 + 43 * MAX_WINDOW_KEYS + 39);
  expect(sizeWith(64)).toBe(31 + 43 * MAX_WINDOW_KEYS + 64 * 39 + 63);
});

describe('A digest', () => {
  test('has 128 bits, in characters that JSON does not escape, and is the same for equal records regardless of their notation.', () => {
    const one = digestOf({ requestId: 'k', values: [{ a: 1, b: [2, null] }] });
    expect([one.key.length, one.body.length]).toEqual([20, 20]);
    expect([one.key, one.body].every(isDigestText)).toBe(true);
    expect(JSON.stringify(one.key)).toHaveLength(22);
    expect(digestOf({ requestId: 'k', values: [{ b: [2, null], a: 1.0 }] })).toEqual(one);
    const texts = Array.from({ length: 500 }, (_, i) => digestOf({ requestId: String(i), values: [] }).key);
    expect(texts.every(isDigestText)).toBe(true);
    // 85 characters in all, each of which occurs.
    expect(new Set(texts.join('')).size).toBe(85);
  });

  test('depends on the key, its client, and every record, including its type and position.', () => {
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
    const keys = ['k', 'l', 'alice~k', 'bob~k'].map((requestId) => digestOf({ requestId, values: [1] }));
    expect(new Set(keys.map(({ key }) => key)).size).toBe(4);
    expect(keys.map(({ scope }) => scope)).toEqual(['', '', 'alice', 'bob']);
  });
});
