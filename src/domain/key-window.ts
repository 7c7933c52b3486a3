import { MINUTE } from './duration';

/** What a request with an Idempotency-Key is known by. Digests, because keys and bodies have no room in carried state. */
export interface RequestDigest {
  /** Of the key: 11 characters of base64url (66 bits), so that among 10,000 keys one in 7 · 10^15 is mistaken for another. */
  key: string;
  /** Of the body: 6 characters (36 bits), which tell another body under the same key from a repeat. */
  body: string;
}

export const KEY_DIGEST_LENGTH = 11;
export const BODY_DIGEST_LENGTH = 6;
const ENTRY_LENGTH = KEY_DIGEST_LENGTH + BODY_DIGEST_LENGTH;

/** How long, and how many, keys are remembered; whichever ends first. */
export interface KeyWindowPolicy {
  idempotencyWindowMs: number;
  idempotencyWindowKeys: number;
}

/** The keys that were seen, oldest first (G5). Derived from {@link PackedKeyWindow}; never stored itself. */
export type KeyWindow = Map<string, { body: string; minute: number }>;

/**
 * The window as plain JSON for continue-as-new: all digests one after another, and how many of them came in which
 * minute. 17 bytes a key, and at most some 12 for each minute of the window: under 190 KiB for 10,000 keys of a day.
 */
export interface PackedKeyWindow {
  digests: string;
  minutes: [minute: number, keys: number][];
}

/** The body under which a key is known, if it is. */
export function knownBody(
  window: KeyWindow,
  key: string,
  policy: KeyWindowPolicy,
  nowMs: number,
): string | undefined {
  const known = window.get(key);
  return known !== undefined && !expired(known.minute, policy, nowMs) ? known.body : undefined;
}

/** Remembers a key that isn't known, and forgets those that the policy no longer covers. */
export function rememberKey(
  window: KeyWindow,
  digest: RequestDigest,
  policy: KeyWindowPolicy,
  nowMs: number,
): void {
  window.delete(digest.key);
  window.set(digest.key, { body: digest.body, minute: Math.floor(nowMs / MINUTE) });
  for (const [key, { minute }] of window) {
    if (window.size <= policy.idempotencyWindowKeys && !expired(minute, policy, nowMs)) break;
    window.delete(key);
  }
}

export function packKeys(window: KeyWindow): PackedKeyWindow {
  let digests = '';
  const minutes: PackedKeyWindow['minutes'] = [];
  for (const [key, { body, minute }] of window) {
    digests += key + body;
    const last = minutes.at(-1);
    if (last?.[0] === minute) last[1]++;
    else minutes.push([minute, 1]);
  }
  return { digests, minutes };
}

export function unpackKeys({ digests, minutes }: PackedKeyWindow): KeyWindow {
  const window: KeyWindow = new Map();
  let at = 0;
  for (const [minute, keys] of minutes) {
    for (let i = 0; i < keys; i++, at += ENTRY_LENGTH) {
      const key = digests.slice(at, at + KEY_DIGEST_LENGTH);
      window.set(key, { body: digests.slice(at + KEY_DIGEST_LENGTH, at + ENTRY_LENGTH), minute });
    }
  }
  return window;
}

/** A minute expires as a whole, when its last millisecond does. */
export function expired(minute: number, policy: KeyWindowPolicy, nowMs: number): boolean {
  return (minute + 1) * MINUTE + policy.idempotencyWindowMs <= nowMs;
}
