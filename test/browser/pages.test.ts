import type { Browser, Page } from 'playwright-core';
import { listen, type Listening } from '../../src/http/listen';
import { HAS_BROWSER, launchBrowser } from '../helpers/browser';
import { ourDocumentedApi } from '../helpers/documented-api';
import { testApp } from '../http/test-app';

const whereThereIsABrowser = HAS_BROWSER ? describe : describe.skip;

whereThereIsABrowser('In a browser,', () => {
  const { app, batcher } = testApp();
  let browser: Browser;
  let api: Listening;
  let page: Page;
  /** What the browser complains about, a breach of the Content-Security-Policy among others. */
  const complaints: string[] = [];
  const origins = new Set<string>();

  beforeAll(async () => {
    api = await listen(app, { host: '127.0.0.1', port: 0 });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await api.close({ graceMs: 0 });
  });
  beforeEach(async () => {
    page = await browser.newPage();
    page.on('console', (message) => {
      // The dashboard asks for what this API doesn't have yet, and bears it.
      if (message.type() !== 'log' && !message.text().startsWith('Failed to load resource'))
        complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => origins.add(new URL(request.url()).origin));
  });
  afterEach(async () => {
    await page.close();
    expect(complaints.splice(0)).toEqual([]);
    expect([...origins]).toEqual([api.url]);
  });

  test('the dashboard leads to the description, which shows every operation.', async () => {
    await page.goto(api.url);
    await page.click('a[href="/docs"]');
    await page.waitForSelector('.opblock');
    const { document } = await ourDocumentedApi();
    const expected = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    const ids = await page.locator('.opblock').evaluateAll((blocks) => blocks.map(({ id }) => id));
    expect(ids.map((id) => id.split('-').at(-1)).sort()).toEqual(expected.sort());
  });

  test('records can be sent from the description.', async () => {
    await page.goto(`${api.url}/docs`);
    const operation = page.locator('#operations-Records-addRecords');
    await operation.locator('.opblock-summary-control').click();
    await operation.getByText('Try it out').click();
    await operation.getByText('Execute').click();
    await operation.locator('.live-responses-table').getByText('202').first().waitFor();
    expect(batcher.accepted.map(({ values }) => values)).toEqual([[1, 2, { sku: 'a-1' }]]);
  });

  test('the description is dark where the system is, also when that changes.', async () => {
    await page.goto(`${api.url}/docs`);
    await page.waitForSelector('.opblock');
    for (const [colorScheme, root, background] of [
      ['dark', 'html.dark-mode', 'rgb(28, 32, 34)'],
      ['light', 'html:not(.dark-mode)', 'rgba(0, 0, 0, 0)'],
    ] as const) {
      await page.emulateMedia({ colorScheme });
      // Browsers tell of it later.
      await page.locator(root).waitFor({ state: 'attached' });
      const shown = await page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor');
      expect(shown).toBe(background);
    }
  });
});
