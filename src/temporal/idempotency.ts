import { createHash } from 'node:crypto';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { LRUCache } from 'lru-cache';
import { keysQuery, streamQuery } from '../contracts/batcher';
import { KeepapartError } from '../domain/errors';
import { canonicalJson, type JsonValue } from '../domain/json';
import { BODY_DIGEST_LENGTH, KEY_DIGEST_LENGTH, type RequestDigest } from '../domain/key-window';
import type { StreamProgress } from '../domain/stream-window';
import { callTemporal } from './rpc';

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

/** In one question to a batcher. */
const KEYS_AT_ONCE = 1000;
/** Requests that a process remembers to have handed over, so that a repeat costs the batcher no message. */
const REMEMBERED_REQUESTS = 10_000;

/**
 * Takes the requests of one shard once (G5). A signal has no answer, so the batcher is asked after it whether the body
 * under the key is the one that was sent: a query sees every signal before it, and of two bodies under one key the first
 * one stays. Without a worker there is no answer, and the client has to send the same again: that adds nothing.
 *
 * All requests that wait share one question at a time: while a task of a batcher runs, the server keeps one query
 * waiting and refuses the next. A question that fails fails everybody who waits, so that nobody waits for two.
 * @param ask gives the bodies under which keys are known, or null for each that isn't
 */
export function createOnceOnly(ask: (keys: string[]) => Promise<(string | null)[]>) {
  const handedOver = new LRUCache<string, string>({ max: REMEMBERED_REQUESTS });
  let waiting: Waiting[] = [];
  let asking = false;

  function knownBody(key: string): Promise<string | null> {
    return new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      if (!asking) void askForAll();
    });
  }

  async function askForAll(): Promise<void> {
    asking = true;
    while (waiting.length > 0) {
      const group = waiting.splice(0, KEYS_AT_ONCE);
      try {
        const bodies = await ask(group.map(({ key }) => key));
        for (const [i, { resolve }] of group.entries()) resolve(bodies[i] ?? null);
      } catch (error) {
        for (const { reject } of [...group, ...waiting]) reject(error);
        waiting = [];
      }
    }
    asking = false;
  }

  return {
    /**
     * Hands a request over, unless this process has done so before and the batcher knows it.
     * @throws `idempotency-key-reused` when the key stands for another body; what `handOver` and `ask` throw
     */
    async take(
      { requestId, digest: { key, body } }: { requestId: string; digest: RequestDigest },
      handOver: () => Promise<void>,
    ): Promise<void> {
      if (handedOver.get(key) === body && (await knownBody(key)) === body) return;
      await handOver();
      handedOver.set(key, body);
      const known = await knownBody(key);
      // Null: forgotten already, as the window holds few keys.
      if (known === null || known === body) return;
      throw new KeepapartError(
        'idempotency-key-reused',
        `The key ${requestId} was used for other records before; nothing was taken`,
      );
    },
  };
}

interface Waiting {
  key: string;
  resolve: (body: string | null) => void;
  reject: (error: unknown) => void;
}

/** By key digest: the body under which one batcher knows it, or null. */
export function askForKeys(client: Client, workflowId: string, keys: string[]): Promise<(string | null)[]> {
  return callTemporal(client, `could not ask ${workflowId} which requests it has taken`, () =>
    client.workflow.getHandle(workflowId).query(keysQuery, keys),
  );
}

/** How far a batcher has taken the stream under a key; null where it doesn't know any. */
export async function askForStream(
  client: Client,
  workflowId: string,
  key: string,
): Promise<StreamProgress | null> {
  try {
    return await callTemporal(client, `could not ask ${workflowId} how far it has taken a stream`, () =>
      client.workflow.getHandle(workflowId).query(streamQuery, key),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
