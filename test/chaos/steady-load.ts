import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../../src/domain/duration';
import type { Clients } from './clients';
import type { Random } from './random';
import { MEAN_LIST, makeList } from './values';

const CLIENTS = 4;

/** Several clients that together send so many records a second, whether or not they are answered. */
export function startSteadyLoad(
  clients: Clients,
  {
    random,
    ratePerSecond,
    slowMs,
    apis,
  }: { random: Random; ratePerSecond: number; slowMs: number; apis: number },
) {
  let stopped = false;
  const pauseMs = (CLIENTS * MEAN_LIST * SECOND) / ratePerSecond;
  const failures: unknown[] = [];

  async function run(client: number): Promise<void> {
    await sleep(random.next() * pauseMs);
    while (!stopped) {
      const list = makeList(random, slowMs);
      clients.send(random.uuid(), list, client % apis).catch((error: unknown) => failures.push(error));
      await sleep(random.next() * 2 * pauseMs);
    }
  }

  const running = Array.from({ length: CLIENTS }, (_, client) => run(client));
  return {
    /** Sends nothing new; what isn't acknowledged is still sent again. */
    async stop(): Promise<void> {
      stopped = true;
      await Promise.all(running);
      if (failures.length > 0) throw failures[0];
    },
  };
}
