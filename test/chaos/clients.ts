import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../../src/domain/duration';
import type { JsonValue } from '../../src/domain/json';
import { sendOnce, type Answer, type ApiAddress, type Way } from './sending';
import type { Uncertain } from './uncertain';

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5 * SECOND;

/** What a client is to know of the system. */
export interface ClientsOptions {
  /** A request that isn't answered goes to the next one. */
  apis: readonly ApiAddress[];
  /** Takes a line for each acknowledged record. */
  ledger: string;
  /** Takes a line for each list of which its client doesn't know all. */
  uncertain: string;
}

export interface ClientCounts {
  /** By how they were sent. */
  acknowledgedRequests: Record<Way, number>;
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

/** Whether it is certain that nothing was taken; of a stream, its beginning may have been when the buffer was full. */
function isNotTaken({ way }: Sending, told: Answer['told']): boolean {
  return told === 'no connection' || (told === 429 && way !== 'stream');
}

interface Sending {
  key: string | undefined;
  values: readonly JsonValue[];
  way: Way;
}

/**
 * Clients that write a list down only once it is acknowledged. Under a key of its own a list is sent until it is; without
 * one, only as long as it is certain that it wasn't taken. What is uncertain is written down as such.
 */
export function createClients({ apis, ledger, uncertain }: ClientsOptions) {
  const counts: ClientCounts = {
    acknowledgedRequests: { list: 0, stream: 0, line: 0 },
    acknowledgedRecords: 0,
    lostRequests: 0,
    retries: {},
    refused: [],
    worstMs: 0,
    worstAnswerMs: 0,
  };
  const pending = new Set<Promise<void>>();
  /** Keys of lists that were sent and aren't acknowledged. */
  const open = new Set<string>();
  const inFlight = apis.map(() => 0);
  const answered: { requestId: string; atMs: number }[] = [];

  async function untilAcknowledged(list: Sending, first: number): Promise<void> {
    const { key } = list;
    const sentAtMs = performance.now();
    for (let attempt = 0; ; attempt++) {
      const answer = await send(list, (first + attempt) % apis.length);
      const { told } = answer;
      if (told === 202) {
        counts.worstMs = Math.max(counts.worstMs, performance.now() - sentAtMs);
        acknowledge(answer.requestId ?? key, list);
        return;
      }
      if (told === 409) counts.refused.push(key ?? 'without a key');
      if (told === 409) return;
      if (told === 400 || told === 413) throw new Error(`a request of the load was refused with ${told}`);
      if (key === undefined && !isNotTaken(list, told)) {
        noteUncertain(list, answer);
        return;
      }
      counts.retries[told] = (counts.retries[told] ?? 0) + 1;
      await sleep(Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt));
    }
  }

  async function send({ key, values, way }: Sending, api: number): Promise<Answer> {
    inFlight[api]!++;
    if (key !== undefined) open.add(key);
    const sentAtMs = performance.now();
    const answer = await sendOnce(way, apis[api]!, key, values);
    inFlight[api]!--;
    if (answer.told === 202 && way === 'list')
      counts.worstAnswerMs = Math.max(counts.worstAnswerMs, performance.now() - sentAtMs);
    return answer;
  }

  function acknowledge(requestId: string | undefined, { key, values, way }: Sending): void {
    counts.acknowledgedRequests[way]++;
    counts.acknowledgedRecords += values.length;
    if (key !== undefined) open.delete(key);
    if (requestId === undefined) {
      note({ sent: 'acknowledged', values: [...values] });
      return;
    }
    answered.push({ requestId, atMs: performance.now() });
    enter(requestId, values);
  }

  function enter(requestId: string, values: readonly JsonValue[]): void {
    const lines = values.map((value, i) => JSON.stringify({ recordId: `${requestId}:${i}`, value }));
    if (lines.length > 0) appendFileSync(ledger, `${lines.join('\n')}\n`);
  }

  function noteUncertain({ values, way }: Sending, { requestId, accepted = 0 }: Answer): void {
    counts.lostRequests++;
    const all = [...values];
    if (way === 'stream' && requestId !== undefined) {
      counts.acknowledgedRecords += accepted;
      enter(requestId, values.slice(0, accepted));
      note({ sent: 'rest', requestId, from: accepted, values: all });
    } else note({ sent: way === 'stream' ? 'stream' : 'list', values: all });
  }

  function note(line: Uncertain): void {
    appendFileSync(uncertain, `${JSON.stringify(line)}\n`);
  }

  return {
    counts,
    /** Requests that an API has and hasn't answered. */
    inFlight: (api: number): number => inFlight[api]!,
    /** The id of the list that was acknowledged last. */
    lastAcknowledged: (): string | undefined => answered.at(-1)?.requestId,
    /** The ids of lists that were acknowledged within so long. */
    acknowledgedWithin: (ms: number): string[] =>
      answered.filter(({ atMs }) => performance.now() - atMs < ms).map(({ requestId }) => requestId),
    /** The keys of lists that were sent, and of which nobody knows yet whether they were taken. */
    openKeys: (): string[] => [...open],
    /** Resolves when the list is acknowledged, or lost. */
    send(
      key: string | undefined,
      values: readonly JsonValue[],
      firstApi: number,
      way: Way = 'list',
    ): Promise<void> {
      const sending = untilAcknowledged({ key, values, way }, firstApi).finally(() =>
        pending.delete(sending),
      );
      pending.add(sending);
      return sending;
    },
    /** How many lists aren't acknowledged. */
    pending: (): number => pending.size,
  };
}

export type Clients = ReturnType<typeof createClients>;
