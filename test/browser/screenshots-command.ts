import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { launchBrowser } from '../helpers/browser';
import { openPage, startWatched, type WatchedSystem } from './watched-system';

/** The pictures of README and docs: a name, what is shown, and what has to be there before it is taken. */
const PICTURES = [
  { name: 'now', screen: 'now', shows: /Well|Busy|Held up/, colorScheme: 'light' },
  { name: 'now-dark', screen: 'now', shows: /Well|Busy|Held up/, colorScheme: 'dark' },
  { name: 'conflicts', screen: 'conflicts', shows: /The buffer now/, colorScheme: 'light' },
  { name: 'batches', screen: 'batches', shows: /Batches/, colorScheme: 'dark' },
  { name: 'audit', screen: 'limits', shows: /Audit and limits/, colorScheme: 'light' },
] as const;

/** Long enough for plots to have something to show. */
const LOAD_MS = 75_000;
const SIZE = { width: 1280, height: 860 };

/**
 * Takes the pictures of README and docs from a real keepapart: an example on its way, then load with conflicts and rejected
 * records.
 * @param folder where they go
 */
export async function screenshotsCommand(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const browser = await launchBrowser();
  const system = await startWatched({
    KEEPAPART_CONFLICTS: '[{"pair":[1,2]},{"distinct":"/sku"},{"group":["red","green","blue"],"at":"/line"}]',
    ...{ KEEPAPART_FLUSH_INTERVAL_MS: '2000', KEEPAPART_MAX_IN_FLIGHT: '12' },
  });
  const over = new AbortController();
  try {
    const first = await openPage(browser, system.url, { ...SIZE, colorScheme: 'light' });
    await first.getByRole('button', { name: 'Send these four lists' }).click();
    await first.getByRole('heading', { name: 'Every record has an outcome' }).waitFor();
    await take(first, folder, 'first-minute');
    const load = sendUntil(over.signal, system);
    await sleep(LOAD_MS);
    await system.client.startAudit({ by: 'Ann' });
    for (const { name, screen, shows, colorScheme } of PICTURES) {
      const page = await openPage(browser, `${system.url}/#/${screen}`, { ...SIZE, colorScheme });
      await page.getByRole('heading', { name: shows }).first().waitFor();
      await page.getByText('Reading…').first().waitFor({ state: 'hidden' });
      if (name === 'audit') await page.getByText('nothing is damaged').waitFor({ timeout: 120_000 });
      await sleep(2500);
      await take(page, folder, name);
      await page.context().close();
    }
    over.abort();
    await load;
  } finally {
    over.abort();
    await browser.close();
    await system.stop();
  }
}

/** As WebP, which Playwright's own call can't make. */
async function take(page: Page, folder: string, name: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 82 });
  await writeFile(path.join(folder, `${name}.webp`), Buffer.from(data, 'base64'));
}

const LINES = ['red', 'green', 'blue', 'white'] as const;

async function sendUntil(signal: AbortSignal, { client }: WatchedSystem): Promise<void> {
  for (let round = 0; !signal.aborted; round++) {
    const values = Array.from({ length: 12 }, (_, index) => ({
      sku: round % 25 === 7 && index === 0 ? 'no-such-sku' : `a-${(round * 7 + index * index) % 40}`,
      line: LINES[(round + index) % LINES.length] ?? 'white',
    }));
    await client.send(values).catch(() => undefined);
    await sleep(300 + 250 * Math.sin(round / 12));
  }
}
