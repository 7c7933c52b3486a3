import { createHash, type Hash } from 'node:crypto';
import { canonicalJson, type JsonValue } from '../../domain/json';
import { DIGEST_LENGTH, type KeyRef, type RequestDigest } from '../../domain/windows/key-window';
import { clientScopeOf } from '../../domain/scope';

/** What a batcher remembers of a request that must be accepted only once. */
export function digestOf({ requestId, values }: { requestId: string; values: JsonValue[] }): RequestDigest {
  return { ...keyRefOf(requestId), body: shortDigest(sha256().update(canonicalJson(values))) };
}

/** How a batcher identifies a key. */
export function keyRefOf(requestId: string): KeyRef {
  return { scope: clientScopeOf(requestId), key: shortDigest(sha256().update(requestId)) };
}

export function sha256(): Hash {
  return createHash('sha256');
}

/** Digest of everything hashed so far; more may follow. */
export function shortDigest(hash: Hash): string {
  const bytes = hash.copy().digest();
  let text = '';
  for (let at = 0; text.length < DIGEST_LENGTH; at += 4) text += z85(bytes.readUInt32BE(at));
  return text;
}

const Z85 = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';

/** Encodes 32 bits as five characters (https://rfc.zeromq.org/spec/32). */
function z85(word: number): string {
  let text = '';
  for (let rest = word; text.length < 5; rest = Math.floor(rest / 85)) text = Z85.charAt(rest % 85) + text;
  return text;
}
