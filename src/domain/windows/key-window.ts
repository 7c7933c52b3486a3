import { MINUTE } from '../duration';

/** Identifies an idempotency key in the window. */
export interface KeyRef {
  /** See `clientScopeOf`: the name of the client's API key, whose share of the window the key is in. */
  scope: string;
  /** Digest of the requestId, which includes the scope: {@link DIGEST_LENGTH} characters. */
  key: string;
}

/** Identifies a request with an idempotency key. Digests, because carried state has no room for keys and bodies. */
export interface RequestDigest extends KeyRef {
  /** Digest of the records, which distinguishes a repeat from different records under the same key. */
  body: string;
}

/**
 * 128 bits of SHA-256, which excludes collisions in practice, in Z85 (https://rfc.zeromq.org/spec/32): five characters
 * for 32 bits, none of which needs escaping in JSON.
 */
export const DIGEST_LENGTH = 20;
const DIGEST = /^[0-9a-zA-Z.\-:+=^!/*?&<>()[\]{}@%$#]{20}$/;

/** Whether a value has the form of a digest. */
export function isDigestText(value: unknown): value is string {
  return typeof value === 'string' && DIGEST.test(value);
}

/** What a key was used for: a list, or a stream, complete or not, that left the window of streams. */
export const KEY_KIND = { list: 'l', stream: 's', wholeStream: 'w' } as const;
export type KeyKind = (typeof KEY_KIND)[keyof typeof KEY_KIND];

export interface KnownKey {
  /** Digest of the list, or of the accepted part of the stream. */
  body: string;
  kind: KeyKind;
  /** When it was last used, in minutes since the epoch. */
  minute: number;
}

/** Bounds of the window. A key is forgotten when it exceeds either. */
export interface KeyWindowPolicy {
  idempotencyWindowMs: number;
  idempotencyWindowKeys: number;
}

/** The remembered keys, by scope, oldest first within each (G5). In memory only; see {@link PackedKeyWindow}. */
export type KeyWindow = Map<string, Map<string, KnownKey>>;

/** How many scopes have their own share of the window. Further scopes use one share together. */
export const MAX_SHARES = 64;
const SHARED = '*';

/**
 * The window as plain JSON for continue-as-new. A key takes 43 characters: two digests, its kind, and its age in minutes
 * before `minute`. A share takes its name and 7 more.
 */
export interface PackedKeyWindow {
  minute: number;
  shares: [scope: string, keys: string][];
}

/** Looks up a key; undefined if it was never used, or forgotten. */
export function knownKey(
  window: KeyWindow,
  { scope, key }: KeyRef,
  policy: KeyWindowPolicy,
  nowMs: number,
): KnownKey | undefined {
  const known = window.get(scope)?.get(key) ?? window.get(SHARED)?.get(key);
  return known !== undefined && !expired(known.minute, policy, nowMs) ? known : undefined;
}

/**
 * Remembers a key, replacing what was known of it. Then forgets expired keys, and while there are too many, the oldest
 * key of the largest share, so that no client with at most its fair share loses a key to others (G11).
 */
export function rememberKey(
  window: KeyWindow,
  ref: KeyRef,
  known: KnownKey,
  policy: KeyWindowPolicy,
  nowMs: number,
): void {
  forgetKey(window, ref);
  const { scope } = ref;
  const share = window.has(scope) || window.size < MAX_SHARES ? scope : SHARED;
  const keys = window.get(share) ?? new Map<string, KnownKey>();
  window.set(share, keys.set(ref.key, known));
  let size = 0;
  for (const [name, held] of window) {
    for (const [key, { minute }] of held) {
      if (!expired(minute, policy, nowMs)) break;
      held.delete(key);
    }
    if (held.size === 0) window.delete(name);
    size += held.size;
  }
  for (; size > policy.idempotencyWindowKeys; size--) forgetOldestOfLargest(window);
}

function forgetOldestOfLargest(window: KeyWindow): void {
  let largest: [name: string, keys: Map<string, KnownKey>] | undefined;
  for (const share of window) {
    if (largest === undefined || share[1].size > largest[1].size) largest = share;
  }
  if (largest === undefined) return;
  const [name, keys] = largest;
  for (const oldest of keys.keys()) {
    keys.delete(oldest);
    break;
  }
  if (keys.size === 0) window.delete(name);
}

/** Forgets a key. */
export function forgetKey(window: KeyWindow, { scope, key }: KeyRef): void {
  for (const share of [scope, SHARED]) {
    const keys = window.get(share);
    keys?.delete(key);
    if (keys?.size === 0) window.delete(share);
  }
}

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_';
/** The greatest age that two digits can hold; above any allowed window. */
const MAX_AGE_MINUTES = DIGITS.length ** 2 - 1;
const KIND_AT = 2 * DIGEST_LENGTH;
const AGE_AT = KIND_AT + 1;
const ENTRY_LENGTH = AGE_AT + 2;

/** The window as plain JSON. */
export function packKeys(window: KeyWindow): PackedKeyWindow {
  let newest = 0;
  for (const keys of window.values())
    for (const { minute } of keys.values()) newest = Math.max(newest, minute);
  const shares = [...window].map(([scope, keys]): [string, string] => {
    let packed = '';
    for (const [key, { body, kind, minute }] of keys)
      packed += key + body + kind + twoDigits(newest - minute);
    return [scope, packed];
  });
  return { minute: newest, shares };
}

/** The inverse of {@link packKeys}. */
export function unpackKeys({ minute, shares }: PackedKeyWindow): KeyWindow {
  const window: KeyWindow = new Map();
  for (const [scope, packed] of shares) {
    const keys = new Map<string, KnownKey>();
    for (let at = 0; at < packed.length; at += ENTRY_LENGTH) {
      const entry = packed.slice(at, at + ENTRY_LENGTH);
      const age = fromTwoDigits(entry.slice(AGE_AT));
      const kind = entry.charAt(KIND_AT) as KeyKind;
      keys.set(entry.slice(0, DIGEST_LENGTH), {
        body: entry.slice(DIGEST_LENGTH, KIND_AT),
        kind,
        minute: minute - age,
      });
    }
    window.set(scope, keys);
  }
  return window;
}

function twoDigits(age: number): string {
  const bounded = Math.min(age, MAX_AGE_MINUTES);
  return DIGITS.charAt(Math.floor(bounded / DIGITS.length)) + DIGITS.charAt(bounded % DIGITS.length);
}

function fromTwoDigits(text: string): number {
  return DIGITS.indexOf(text.charAt(0)) * DIGITS.length + DIGITS.indexOf(text.charAt(1));
}

/** The minute since the epoch that a time is in. */
export function minuteOf(nowMs: number): number {
  return Math.floor(nowMs / MINUTE);
}

/** Whether something last used in this minute is older than the window. Minutes expire as a whole, with their last millisecond. */
export function expired(minute: number, policy: KeyWindowPolicy, nowMs: number): boolean {
  return (minute + 1) * MINUTE + policy.idempotencyWindowMs <= nowMs;
}
