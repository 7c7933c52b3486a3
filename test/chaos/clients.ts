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
  /** Takes a line for each list without a key of which nobody knows whether it was taken: its values. */
  lost: string;
}

export interface ClientCounts {
  acknowledgedRequests: number;
  acknowledgedRecords: number;
  /** Lists without a key whose answer was lost. */
  lostRequests: number;
  /** Answers, and requests without any, that made a client send the same once more. */
  retries: Record<string, number>;
  /** 409: a key that only ever had one body was said to have another. */
  refused: string[];
  /** From the first sending to the acknowledgement, with all repeats, and of the answer alone. */
  worstMs: number;
  worstAnswerMs: number;
}

interface Answer {
  /** The status, or why there is none. */
  told: number | 'no answer' | 'no connection';
  requestId?: string;
}

/** These say that nothing was taken. */
const NOT_TAKEN: readonly Answer['told'][] = [429, 'no connection'];

/**
 * Clients that write a list down only once it is acknowledged. Under a key of its own a list is sent until it is; without
 * one, only as long as it is certain that it wasn't taken.
 */
export function createClients({ urls, ledger, lost }: ClientsOptions) {
  const counts: ClientCounts = {
    acknowledgedRequests: 0,
    acknowledgedRecords: 0,
    lostRequests: 0,
    retries: {},
    refused: [],
    worstMs: 0,
    worstAnswerMs: 0,
  };
  const pending = new Set<Promise<void>>();
  const inFlight = urls.map(() => 0);
  let lastAcknowledged: string | undefined;

  async function untilAcknowledged(
    key: string | undefined,
    values: readonly JsonValue[],
    first: number,
  ): Promise<void> {
    const sentAtMs = performance.now();
    for (let attempt = 0; ; attempt++) {
      const { told, requestId = key } = await sendOnce(key, values, (first + attempt) % urls.length);
      if (told === 202) {
        counts.worstMs = Math.max(counts.worstMs, performance.now() - sentAtMs);
        acknowledge(requestId ?? '', values);
        return;
      }
      if (told === 409) counts.refused.push(key ?? 'without a key');
      if (told === 409) return;
      if (told === 400 || told === 413) throw new Error(`a request of the load was refused with ${told}`);
      if (key === undefined && !NOT_TAKEN.includes(told)) {
        counts.lostRequests++;
        appendFileSync(lost, `${JSON.stringify(values)}\n`);
        return;
      }
      counts.retries[told] = (counts.retries[told] ?? 0) + 1;
      await sleep(Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt));
    }
  }

  function acknowledge(requestId: string, values: readonly JsonValue[]): void {
    lastAcknowledged = requestId;
    counts.acknowledgedRequests++;
    counts.acknowledgedRecords += values.length;
    appendFileSync(
      ledger,
      values.map((value, i) => `${JSON.stringify({ recordId: `${requestId}:${i}`, value })}\n`).join(''),
    );
  }

  async function sendOnce(
    key: string | undefined,
    values: readonly JsonValue[],
    api: number,
  ): Promise<Answer> {
    inFlight[api]!++;
    const sentAtMs = performance.now();
    try {
      const response = await fetch(`${urls[api]!()}/v1/records`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(key !== undefined && { 'idempotency-key': `"${key}"` }),
        },
        body: JSON.stringify(values),
        signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      });
      const answer = (await response.json()) as { requestId?: string };
      if (response.status !== 202) return { told: response.status };
      counts.worstAnswerMs = Math.max(counts.worstAnswerMs, performance.now() - sentAtMs);
      return { told: 202, ...answer };
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
      return { told: code === 'ECONNREFUSED' ? 'no connection' : 'no answer' };
    } finally {
      inFlight[api]!--;
    }
  }

  return {
    counts,
    /** Requests that an API has and hasn't answered. */
    inFlight: (api: number): number => inFlight[api]!,
    /** The id of the list that was acknowledged last. */
    lastAcknowledged: (): string | undefined => lastAcknowledged,
    /** Resolves when the list is acknowledged, or lost. */
    send(key: string | undefined, values: readonly JsonValue[], firstApi: number): Promise<void> {
      const sending = untilAcknowledged(key, values, firstApi).finally(() => pending.delete(sending));
      pending.add(sending);
      return sending;
    },
    /** How many lists aren't acknowledged. */
    pending: (): number => pending.size,
  };
}

export type Clients = ReturnType<typeof createClients>;
