import { createHash } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { keysQuery, type AcceptedRequest } from '../contracts/batcher';
import { KeepapartError } from '../domain/errors';
import { canonicalJson, type JsonValue } from '../domain/json';
import { BODY_DIGEST_LENGTH, KEY_DIGEST_LENGTH, type RequestDigest } from '../domain/key-window';
import { callTemporal } from './rpc';

/** What a batcher remembers of a request that is to be taken once: the requestId is the client's key. */
export function digestOf({ requestId, values }: { requestId: string; values: JsonValue[] }): RequestDigest {
  return {
    key: sha256(requestId).slice(0, KEY_DIGEST_LENGTH),
    body: sha256(canonicalJson(values)).slice(0, BODY_DIGEST_LENGTH),
  };
}

/**
 * Makes sure that a request that was handed over under a key is the one that counts (G5). A signal has no answer, so the
 * batcher is asked after it: a query sees every signal before it, and of two bodies under one key the first one stays.
 * Without a worker there is no answer, and the client has to send the same again: that adds nothing.
 * @throws `idempotency-key-reused` when the key stands for another body; `temporal-unavailable`
 */
export async function confirmTaken(
  client: Client,
  workflowId: string,
  { requestId, digest }: AcceptedRequest,
): Promise<void> {
  if (digest === undefined) return;
  const [body] = await callTemporal(client, `could not ask ${workflowId} whether it took ${requestId}`, () =>
    client.workflow.getHandle(workflowId).query(keysQuery, [digest.key]),
  );
  // Null: forgotten already, as the window holds few keys; or taken by a worker of 0.1.0, which doesn't answer at all.
  if (body === null || body === undefined || body === digest.body) return;
  throw new KeepapartError(
    'idempotency-key-reused',
    `The key ${requestId} was used for other records before; nothing was taken`,
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
