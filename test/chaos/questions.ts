import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusView } from '../../src/contracts/api/answers/status';
import { SECOND } from '../../src/domain/duration';
import type { Clients } from './clients';

const PAUSE_MS = 200;
/** Who asks a busy system waits so many times as long as for the last answer, so as not to keep it busy. */
const PATIENCE = 2;
const ANSWER_LIMIT_MS = 20 * SECOND;

/** How often which question was answered how: `status 200` and the like. */
export type Answers = Record<string, number>;

/** Asks each API over and over for the status, and for the list that was acknowledged last, whatever is killed meanwhile. */
export function startQuestions(urls: readonly (() => string)[], clients: Clients) {
  const stopping = new AbortController();
  const { signal } = stopping;
  const answers: Answers = {};

  async function ask(what: string, url: string): Promise<void> {
    const told = await fetch(url, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) }).then(
      async (response) => {
        const { total } = (await response.json()) as Partial<StatusView>;
        if (total !== undefined && total.unaccounted !== 0) return `${response.status} with an uneven sum`;
        return response.status;
      },
      () => 'no answer',
    );
    const answer = `${what} ${told}`;
    answers[answer] = (answers[answer] ?? 0) + 1;
  }

  async function run(urlOf: () => string): Promise<void> {
    while (!signal.aborted) {
      const askedAtMs = performance.now();
      await ask('status', `${urlOf()}/v1/status`);
      const requestId = clients.lastAcknowledged();
      if (requestId !== undefined) await ask('request', `${urlOf()}/v1/requests/${requestId}`);
      const tookMs = performance.now() - askedAtMs;
      await sleep(Math.max(PAUSE_MS, PATIENCE * tookMs), undefined, { signal }).catch(() => undefined);
    }
  }

  const running = urls.map(run);
  return {
    answers,
    async stop(): Promise<void> {
      stopping.abort();
      await Promise.all(running);
    },
  };
}
