import { createHash } from 'node:crypto';
import { canonicalJson, type JsonValue } from '../../domain/json';
import { BODY_DIGEST_LENGTH, KEY_DIGEST_LENGTH, type RequestDigest } from '../../domain/key-window';

/** What a batcher remembers of a request that is to be taken once: the requestId is the client's key. */
export function digestOf({ requestId, values }: { requestId: string; values: JsonValue[] }): RequestDigest {
  return {
    key: keyDigestOf(requestId),
    body: sha256(canonicalJson(values)).slice(0, BODY_DIGEST_LENGTH),
  };
}

export function keyDigestOf(requestId: string): string {
  return sha256(requestId).slice(0, KEY_DIGEST_LENGTH);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
