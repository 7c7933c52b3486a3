import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../../src/domain/duration';
import type { JsonValue } from '../../src/domain/json';

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5 * SECOND;
/** Longer than any answer of the API takes while Temporal is away. */
const ANSWER_LIMIT_MS = 20 * SECOND;

/** What a client is to know of the system. */
export interface ClientsOptions {
  /** Base URLs; a request that isn't answered goes to the next one. */
  urls: readonly (() => string)[];
  /** Takes a line for each acknowledged record. */
  ledger: string;
}

export interface ClientCounts {
  acknowledgedRequests: number;
  acknowledgedRecords: number;
  /** Answers, and requests without any, that made a client send the same once more. */
  retries: Record<string, number>;
  /** 409: a key that only ever had one body was said to have another. */
  refused: string[];
  /** From the first sending to the acknowledgement, with all repeats, and of the answer alone. */
  worstMs: number;
  worstAnswerMs: number;
}

/** Clients that send each list under a key of its own until it is acknowledged, and only then write it down. */
export function createClients({ urls, ledger }: ClientsOptions) {
  const counts: ClientCounts = {
    acknowledgedRequests: 0,
    acknowledgedRecords: 0,
    retries: {},
    refused: [],
    worstMs: 0,
    worstAnswerMs: 0,
  };
  const pending = new Set<Promise<void>>();
  const inFlight = urls.map(() => 0);
  let givenUp = false;

  async function untilAcknowledged(key: string, values: readonly JsonValue[], first: number): Promise<void> {
    const sentAtMs = performance.now();
    for (let attempt = 0; ; attempt++) {
      const answer = await sendOnce(key, values, (first + attempt) % urls.length);
      if (answer === 202) break;
      const seen = String(answer);
      counts.retries[seen] = (counts.retries[seen] ?? 0) + 1;
      if (answer === 409) counts.refused.push(key);
      if (answer === 409 || givenUp) return;
      if (answer === 400 || answer === 413)
        throw new Error(`a request of the load was refused with ${answer}`);
      await sleep(Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt));
    }
    counts.worstMs = Math.max(counts.worstMs, performance.now() - sentAtMs);
    counts.acknowledgedRequests++;
    counts.acknowledgedRecords += values.length;
    appendFileSync(
      ledger,
      values.map((value, i) => `${JSON.stringify({ recordId: `${key}:${i}`, value })}\n`).join(''),
    );
  }

  async function sendOnce(key: string, values: readonly JsonValue[], api: number): Promise<number | string> {
    inFlight[api]!++;
    const sentAtMs = performance.now();
    try {
      const response = await fetch(`${urls[api]!()}/v1/records`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': `"${key}"` },
        body: JSON.stringify(values),
        signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      });
      await response.arrayBuffer();
      if (response.status === 202) {
        counts.worstAnswerMs = Math.max(counts.worstAnswerMs, performance.now() - sentAtMs);
      }
      return response.status;
    } catch {
      return 'no answer';
    } finally {
      inFlight[api]!--;
    }
  }

  return {
    counts,
    /** Requests that an API has and hasn't answered. */
    inFlight: (api: number): number => inFlight[api]!,
    /** Resolves when the list is acknowledged. */
    send(key: string, values: readonly JsonValue[], firstApi: number): Promise<void> {
      const sending = untilAcknowledged(key, values, firstApi).finally(() => pending.delete(sending));
      pending.add(sending);
      return sending;
    },
    /** How many lists aren't acknowledged. */
    pending: (): number => pending.size,
    giveUp(): void {
      givenUp = true;
    },
  };
}

export type Clients = ReturnType<typeof createClients>;
