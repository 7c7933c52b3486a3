import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../../src/domain/duration';
import type { Clients } from './clients';
import type { Random } from './random';
import type { Way } from './sending';
import { MEAN_LIST, makeList } from './values';

const CLIENTS = 4;

/** Of a burst: far more batches than `SAVE_ACTIVITY=auto` saves record by record. What trickles is less. */
const BURST_RECORDS = 80;
const SHARE_IN_BURSTS = 0.75;

/** Of the lists. Who sends without a key doesn't send again what isn't answered. */
const WITHOUT_KEY = 1 / 3;
/** Over TCP there are no keys. */
const OVER_TCP = 0.2;
const STREAMS = 0.2;

export interface LoadOptions {
  random: Random;
  /** On average. */
  ratePerSecond: number;
  slowMs: number;
  apis: number;
}

/** Several clients that send a trickle of lists, and all at once now and then, whether or not they are answered. */
export function startLoad(clients: Clients, { random, ratePerSecond, slowMs, apis }: LoadOptions) {
  const stopping = new AbortController();
  const failures: unknown[] = [];
  const trickleMs = (CLIENTS * MEAN_LIST * SECOND) / (ratePerSecond * (1 - SHARE_IN_BURSTS));
  const burstMs = (BURST_RECORDS * SECOND) / (ratePerSecond * SHARE_IN_BURSTS);

  /** Around so long, or until there is to be no more. */
  async function pause(ms: number): Promise<void> {
    const { signal } = stopping;
    await sleep((0.5 + random.next()) * ms, undefined, { signal }).catch(() => undefined);
  }

  /** @returns how many records */
  function sendList(client: number): number {
    const list = makeList(random, slowMs);
    const chance = random.next();
    const way: Way = chance < OVER_TCP ? 'line' : chance < OVER_TCP + STREAMS ? 'stream' : 'list';
    // What tells a stream from every other is its first record.
    if (way === 'stream') list.unshift({ stream: random.uuid() });
    const key = way === 'line' || random.next() < WITHOUT_KEY ? undefined : random.uuid();
    clients.send(key, list, client % apis, way).catch((error: unknown) => failures.push(error));
    return list.length;
  }

  async function trickle(client: number): Promise<void> {
    await pause(trickleMs * random.next());
    while (!stopping.signal.aborted) {
      sendList(client);
      await pause(trickleMs);
    }
  }

  async function bursts(): Promise<void> {
    await pause(burstMs / 2);
    while (!stopping.signal.aborted) {
      let client = 0;
      for (let records = 0; records < BURST_RECORDS;) records += sendList(client++);
      await pause(burstMs);
    }
  }

  const running = [bursts(), ...Array.from({ length: CLIENTS }, (_, client) => trickle(client))];
  return {
    /** Sends nothing new; what isn't acknowledged is still sent again. */
    async stop(): Promise<void> {
      stopping.abort();
      await Promise.all(running);
      if (failures.length > 0) throw failures[0];
    },
  };
}
