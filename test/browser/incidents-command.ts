import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { waitFor } from '../helpers/wait-for';
import { launchBrowser } from '../helpers/browser';
import { LOOKS, openPage, startWatched, type WatchedSystem } from './watched-system';

interface Incident {
  name: string;
  /** What the page has to say. */
  says: RegExp;
  begin(system: WatchedSystem): Promise<unknown>;
  end(system: WatchedSystem): Promise<unknown>;
}

/** How long the page may take to say it, and to calm down after the incident before. */
const MOST_MS = 120_000;

const sku = (number: number) => ({ sku: `a-${number}` });

/** A busy machine may let a call fail. */
function patiently<T>(call: () => Promise<T>): Promise<T> {
  return waitFor('a call', call);
}

/** Sends so many, whether they are refused or not. */
async function fill({ url }: WatchedSystem, records: number): Promise<void> {
  for (let sent = 0; sent < records; sent += 50) {
    const values = Array.from({ length: 50 }, (_, index) => sku(sent + index));
    // Not by the client, which would repeat what is refused.
    await fetch(`${url}/v1/records`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(values),
    });
    await sleep(100);
  }
}

const INCIDENTS: readonly Incident[] = [
  {
    name: 'paused',
    says: /paused/i,
    begin: async (system) => {
      await patiently(() => system.client.pause({ by: 'Ann' }));
      await system.client.send(Array.from({ length: 40 }, (_, index) => sku(index)));
    },
    end: ({ client }) => patiently(() => client.resume({ by: 'Ann' })),
  },
  {
    name: 'dead-store',
    says: /store/i,
    begin: async (system) => {
      await system.breakStore(true);
      await system.client.send(Array.from({ length: 60 }, (_, index) => sku(index)));
    },
    end: (system) => system.breakStore(false),
  },
  {
    name: 'held-by-conflicts',
    says: /conflict/i,
    begin: ({ client }) => client.send(Array.from({ length: 10 }, () => sku(7))),
    end: () => Promise.resolve(),
  },
  {
    name: 'full-buffer',
    says: /full/i,
    begin: async (system) => {
      await system.breakStore(true);
      await fill(system, 2500);
    },
    end: (system) => system.breakStore(false),
  },
  {
    name: 'no-worker',
    says: /no worker/i,
    begin: (system) => system.killWorker(),
    end: (system) => system.startWorker(),
  },
];

/**
 * Plays incidents on a real keepapart and writes down what the page said and after how many seconds, with pictures of it in
 * two widths and both colour schemes.
 * @param folder where the pictures go
 * @param only names of incidents; default: all
 * @returns the exit code: 1 when the page missed one
 */
export async function incidentsCommand(folder: string, only: readonly string[]): Promise<number> {
  await mkdir(folder, { recursive: true });
  const browser = await launchBrowser();
  const system = await startWatched({
    KEEPAPART_CONFLICTS: '[{"distinct":"/sku"}]',
    ...{ KEEPAPART_CONFLICT_SCOPE: 'running', KEEPAPART_APART_MS: '3000' },
    ...{ KEEPAPART_MAX_BUFFERED_RECORDS: '1000', KEEPAPART_SAVE_ACTIVITY: 'batch' },
  });
  let missed = 0;
  try {
    await system.client.send(Array.from({ length: 60 }, (_, index) => sku(index)));
    const pages: [string, Page][] = [];
    for (const look of LOOKS) pages.push([look.name, await openPage(browser, system.url, look)]);
    const [[, first] = []] = pages;
    if (first === undefined) throw new TypeError('no page');
    for (const incident of INCIDENTS.filter(({ name }) => only.length === 0 || only.includes(name))) {
      await untilSaid(first, /^(?!.*(store|paused|conflict|full|no worker|No data)).*(Well|Idle|Ready)/i);
      const beganAtMs = performance.now();
      const begun = incident.begin(system);
      const said = await untilSaid(first, incident.says);
      await begun;
      if (said === undefined) missed++;
      const after = said === undefined ? 'never' : `after ${((said.atMs - beganAtMs) / 1000).toFixed(1)} s`;
      await sleep(4000);
      console.log(`${incident.name}: ${after}: ${said?.text ?? ''}\n  then: ${await sentenceOf(first)}`);
      for (const [look, page] of pages)
        await page.screenshot({ path: path.join(folder, `${incident.name}-${look}.png`), fullPage: true });
      await incident.end(system);
    }
  } finally {
    await browser.close();
    await system.stop();
  }
  return missed === 0 ? 0 : 1;
}

async function sentenceOf(page: Page): Promise<string> {
  const texts = await page.locator('.banner, .hero h1, .hero p').allInnerTexts();
  return texts.join(' | ').replaceAll(/\s+/g, ' ');
}

async function untilSaid(page: Page, wanted: RegExp): Promise<{ text: string; atMs: number } | undefined> {
  const untilMs = performance.now() + MOST_MS;
  while (performance.now() < untilMs) {
    const text = await sentenceOf(page);
    if (wanted.test(text)) return { text, atMs: performance.now() };
    await sleep(100);
  }
  console.error(`not said within ${MOST_MS / 1000} s: ${wanted}; instead: ${await sentenceOf(page)}`);
  return undefined;
}
