import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonValue } from '../../src/domain/json';
import { seededRandom } from './random';
import { nextList } from './records';

/** A client gives up on an answer, not on its records: it sends the same again under the same key. */
const ANSWER_WITHIN_MS = 15_000;

export interface LoadOptions {
  apiUrls: readonly string[];
  clients: number;
  /** Of all clients together. */
  recordsPerSecond: number;
  seed: number;
  /** One line per acknowledged record. */
  ledgerFile: string;
}

export interface Load {
  /** Records that were acknowledged so far. */
  acknowledged(): number;
  /** Requests of this API that have no answer yet. */
  inFlight(apiUrl: string): number;
  /** What no client may ever see; empty unless something is wrong. */
  surprises(): readonly string[];
  /** Requests that had to be sent again. */
  repeats(): number;
  pause(): void;
  resume(): void;
  /** Waits until every client has its 202, which needs the system to be up. */
  settle(): Promise<void>;
  /** Clients give up on what has no answer yet. */
  abandon(): void;
  end(): Promise<void>;
}

/** Several clients at a steady rate, each request with a key and repeated until it is acknowledged. */
export function startLoad(options: LoadOptions): Load {
  const random = seededRandom(options.seed);
  const ledger = createWriteStream(options.ledgerFile, { flags: 'a' });
  const flying = new Map<string, number>();
  const surprises: string[] = [];
  let [acknowledged, repeats, sending, nextN] = [0, 0, 0, 0];
  let [paused, ended] = [false, false];

  async function client(index: number): Promise<void> {
    while (!ended) {
      const list = nextList(random, nextN);
      nextN += list.length;
      if (paused) {
        await sleep(50);
        continue;
      }
      sending++;
      await sendUntilAcknowledged(index, list);
      sending--;
      await sleep((1000 * list.length * options.clients) / options.recordsPerSecond);
    }
  }

  async function sendUntilAcknowledged(index: number, list: JsonValue[]): Promise<void> {
    const key = randomUUID();
    for (let attempt = 0; !ended; attempt++) {
      const url = options.apiUrls[(index + attempt) % options.apiUrls.length]!;
      flying.set(url, (flying.get(url) ?? 0) + 1);
      const response = await fetch(`${url}/v1/records`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify(list),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      })
        .then(async (answer) => ({ status: answer.status, text: await answer.text() }))
        .catch(() => undefined);
      flying.set(url, (flying.get(url) ?? 1) - 1);
      if (response?.status === 202) {
        const { records } = JSON.parse(response.text) as {
          records: { recordId: string; value: JsonValue }[];
        };
        ledger.write(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
        acknowledged += records.length;
        return;
      }
      if (response !== undefined && ![429, 503].includes(response.status)) {
        surprises.push(`${response.status} ${response.text}`);
      }
      repeats++;
      await sleep(Math.min(2000, 100 * 2 ** Math.min(attempt, 5)));
    }
  }

  const clients = Array.from({ length: options.clients }, (_, index) => client(index));
  return {
    acknowledged: () => acknowledged,
    inFlight: (url) => flying.get(url) ?? 0,
    surprises: () => surprises,
    repeats: () => repeats,
    pause: () => void (paused = true),
    resume: () => void (paused = false),
    async settle() {
      while (sending > 0) await sleep(50);
    },
    abandon: () => void (ended = true),
    async end() {
      ended = true;
      await Promise.all(clients);
      await new Promise<void>((resolve) => ledger.end(resolve));
    },
  };
}
