import { MINUTE } from '../duration';

/** A key as it is remembered. */
export interface KeyRef {
  /** Whose it is: the name of the client's API key. */
  scope: string;
  /** Digest of the requestId, and so of scope and key: {@link DIGEST_LENGTH} characters. */
  key: string;
}

/** What a request with an Idempotency-Key is known by. Digests, because keys and bodies have no room in carried state. */
export interface RequestDigest extends KeyRef {
  /** Digest of the records: tells other records under the same key from a repeat. */
  body: string;
}

/**
 * 128 bits of SHA-256, five characters of Z85 (https://rfc.zeromq.org/spec/32) for every 32: too many to find two texts
 * that share them. None of the characters needs an escape in JSON.
 */
export const DIGEST_LENGTH = 20;
const DIGEST = /^[0-9a-zA-Z.\-:+=^!/*?&<>()[\]{}@%$#]{20}$/;

export function isDigestText(value: unknown): value is string {
  return typeof value === 'string' && DIGEST.test(value);
}

/** What a key stands for: a list, or a stream that is no longer followed, as far as it came or whole. */
export const KEY_KIND = { list: 'l', stream: 's', wholeStream: 'w' } as const;
export type KeyKind = (typeof KEY_KIND)[keyof typeof KEY_KIND];

export interface KnownKey {
  /** Of a stream, the digest of what was taken of it. */
  body: string;
  kind: KeyKind;
  /** In which minute since the epoch it was last heard of. */
  minute: number;
}

/** How long, and how many, keys are remembered; whichever ends first. */
export interface KeyWindowPolicy {
  idempotencyWindowMs: number;
  idempotencyWindowKeys: number;
}

/** The keys that were seen, by whose they are, each share oldest first (G5). Never stored itself. */
export type KeyWindow = Map<string, Map<string, KnownKey>>;

/** How many scopes have a share of their own; further ones have one together. */
export const MAX_SHARES = 64;
const SHARED = '*';

/**
 * The window as plain JSON for continue-as-new. Each key takes 43 characters: two digests, its kind, and how many minutes
 * before `minute` it was seen. Each share its name and 7 more.
 */
export interface PackedKeyWindow {
  minute: number;
  shares: [scope: string, keys: string][];
}

/** What is known of a key, if it is known. */
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
 * Remembers a key that isn't known, and forgets those that the policy no longer covers: those that are too old, and then
 * the oldest of whoever has the most. So nobody with a fair share or less loses a key to others (G11).
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

export function forgetKey(window: KeyWindow, { scope, key }: KeyRef): void {
  for (const share of [scope, SHARED]) {
    const keys = window.get(share);
    keys?.delete(key);
    if (keys?.size === 0) window.delete(share);
  }
}

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_';
/** In two digits; more than any window has. */
const MAX_AGE_MINUTES = DIGITS.length ** 2 - 1;
const KIND_AT = 2 * DIGEST_LENGTH;
const AGE_AT = KIND_AT + 1;
const ENTRY_LENGTH = AGE_AT + 2;

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

export function minuteOf(nowMs: number): number {
  return Math.floor(nowMs / MINUTE);
}

/** A minute expires as a whole, when its last millisecond does. */
export function expired(minute: number, policy: KeyWindowPolicy, nowMs: number): boolean {
  return (minute + 1) * MINUTE + policy.idempotencyWindowMs <= nowMs;
}
