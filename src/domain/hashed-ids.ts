import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';

/** Length of a hashed id: 128 bits in hexadecimal digits, so that two requests never share one. */
export const HASHED_ID_LENGTH = 32;

/**
 * What stands for a request id where Temporal can't be given an encrypted one, in search attributes: a keyed hash
 * (HMAC-SHA256), by which only who has the key finds the request. In plain JavaScript, because workflow code has no
 * `node:crypto`.
 * @param idKey 32 bytes in hexadecimal digits
 */
export function hashedId(idKey: string, requestId: string): string {
  // Request ids are ASCII, see `isKnowableRequestId`.
  const message = Uint8Array.from(requestId, (character) => character.charCodeAt(0));
  return bytesToHex(hmac(sha256, hexToBytes(idKey), message)).slice(0, HASHED_ID_LENGTH);
}

/** Whether a text can be the key of {@link hashedId}. */
export function isIdKey(input: unknown): input is string {
  return typeof input === 'string' && /^[0-9a-f]{64}$/.test(input);
}
