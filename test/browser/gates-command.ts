import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';

import { launchBrowser } from '../helpers/browser';
import { LOOKS, openPage, startWatched, type WatchedSystem } from './watched-system';

const SCREENS = ['now', 'batches', 'conflicts', 'find', 'dead-letters', 'workers', 'limits', 'activity'];
/** Nearly as many as a buffer may hold. */
const BUFFERED = 190_000;
const VIEWERS = 10;
const WATCHED_MS = 20_000;
/** Rounds of sending, in turn with everything on and with everything off. */
const ROUNDS = 6;
const ROUND_MS = 5000;

/** Measures what the dashboard and the metrics cost, and how soon they answer, and prints it as a table. */
export async function gatesCommand(): Promise<void> {
  const browser = await launchBrowser();
  const system = await startWatched({
    KEEPAPART_MAX_BUFFERED_RECORDS: '200000',
    KEEPAPART_MAX_BUFFERED_BYTES: '16777216',
  });
  try {
    await throughput(system);
    await viewers(system);
    await system.client.pause({ by: 'bench' });
    await system.client.stream(Array.from({ length: BUFFERED }, (_, index) => index % 100));
    const page = await openPage(browser, system.url, LOOKS[0]);
    const paint = await page.evaluate(
      `new Promise((resolve) =>
        new PerformanceObserver((list) => resolve(list.getEntriesByName('first-contentful-paint')[0].startTime))
          .observe({ type: 'paint', buffered: true }))`,
    );
    report('first paint', `${Math.round(Number(paint))} ms`);
    await screens(page, 'a worker');
    await scrapes(system, 'a worker');
    await system.killWorker();
    await screens(page, 'no worker');
    await scrapes(system, 'no worker');
  } finally {
    await browser.close();
    await system.stop();
  }
}

function report(what: string, figure: string): void {
  console.log(`${what.padEnd(48)} ${figure}`);
}

/** How soon each screen has something to say of itself: its content, or why there is none. */
async function screens(page: Page, withWhat: string): Promise<void> {
  for (const name of SCREENS) {
    const beganAtMs = performance.now();
    await page.evaluate(`location.hash = '#/${name}'`);
    const main = page.locator('main');
    await main.locator('h1').first().waitFor();
    const shownMs = performance.now() - beganAtMs;
    await page.getByText('Reading…').first().waitFor({ state: 'hidden', timeout: 60_000 });
    const wholeMs = performance.now() - beganAtMs;
    report(
      `${name}, ${BUFFERED / 1000}k buffered, ${withWhat}`,
      `${Math.round(shownMs)} ms, all of it ${Math.round(wholeMs)} ms`,
    );
  }
}

async function scrapes({ url }: WatchedSystem, withWhat: string): Promise<void> {
  const times: number[] = [];
  for (let scrape = 0; scrape < 3; scrape++) {
    await sleep(6000);
    const beganAtMs = performance.now();
    await (await fetch(`${url}/metrics`)).text();
    times.push(Math.round(performance.now() - beganAtMs));
  }
  report(`scrape, ${withWhat}`, `${times.join(', ')} ms`);
}

/** What ten viewers cost the API and the worker, over one that nobody looks at. */
async function viewers(system: WatchedSystem): Promise<void> {
  const shareOf = async (): Promise<number> => {
    const before = cpuSeconds(system.pids());
    await sleep(WATCHED_MS);
    return ((cpuSeconds(system.pids()) - before) / (WATCHED_MS / 1000)) * 100;
  };
  const without = await shareOf();
  const stop = watch(system);
  const withThem = await shareOf();
  stop();
  report(
    `${VIEWERS} viewers, CPU of API and worker`,
    `${withThem.toFixed(1)} % of a core; without ${without.toFixed(1)} %`,
  );
}

/** Ten that receive events. */
function watch({ client }: WatchedSystem): () => void {
  const over = new AbortController();
  for (let viewer = 0; viewer < VIEWERS; viewer++) void look(client.events({ signal: over.signal }));
  return () => over.abort();
}

/** Receives events until it is stopped. */
async function look(events: AsyncGenerator): Promise<void> {
  try {
    while ((await events.next()).done !== true);
  } catch {
    // Stopped, or the API is.
  }
}

/** Of processes and all their threads so far, in seconds. */
function cpuSeconds(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, each) => sum + each, 0) / 100;
}

/** Records accepted a second, with ten viewers and a scrape each five seconds, and without. */
async function throughput(system: WatchedSystem): Promise<void> {
  const rates = { on: [] as number[], off: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    const state = round % 2 === 0 ? 'off' : 'on';
    const stop = state === 'on' ? watch(system) : () => undefined;
    const scraping = state === 'on' ? fetch(`${system.url}/metrics`).then((answer) => answer.text()) : '';
    const untilMs = performance.now() + ROUND_MS;
    let accepted = 0;
    const send = async () => {
      while (performance.now() < untilMs)
        accepted += (await system.client.send([1, 2, 3, 4, 5].map((value) => value * 10))).accepted;
    };
    await Promise.all(Array.from({ length: 8 }, send));
    await scraping;
    stop();
    rates[state].push(Math.round(accepted / (ROUND_MS / 1000)));
  }
  report('accepted a second, nobody looks', rates.off.join(', '));
  report(`accepted a second, ${VIEWERS} viewers and scrapes`, rates.on.join(', '));
}
