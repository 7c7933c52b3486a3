import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { AuditView } from '../../src/contracts/api/answers/audits';
import type { BatchSummary } from '../../src/contracts/api/answers/batches';
import type { RequestView } from '../../src/contracts/api/answers/requests';
import { KeepapartError } from '../../src/domain/errors';
import { isOfFailingExample } from '../../src/domain/records/failing-example';
import { recordIdOf } from '../../src/domain/records/record';
import { listen, type Listening } from '../../src/http/listen';
import { HAS_BROWSER, launchBrowser } from '../helpers/browser';
import type { FakeBatcherClient } from '../helpers/fake-batcher-client';
import { testApp, type TestApp } from '../http/test-app';
import { statusWith } from '../ui/status';
import { waitFor } from '../helpers/wait-for';

jest.setTimeout(180_000);

const whereThereIsABrowser = HAS_BROWSER ? describe : describe.skip;
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const SCREENS = [
  ...(['now', 'batches', 'conflicts', 'find', 'dead-letters', 'workers', 'limits', 'activity'] as const),
];
const KEY = 'of-somebody-who-reads';
const BATCH: BatchSummary = {
  batchId: 'batcher-0-00000001',
  batcher: 'batcher-0',
  state: 'completed',
  flushReason: 'age',
  requestIds: ['order-1'],
  startedAt: '2026-11-30T12:00:00.000Z',
  closedAt: '2026-11-30T12:00:01.000Z',
  saved: 1,
  rolledBack: 1,
  retries: 2,
  runId: 'run-1',
};

whereThereIsABrowser('In a browser, the dashboard', () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let system: TestApp;
  let api: Listening;
  /** What the browser complains about: breaches of the policy, errors, what no one caught. */
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await launchBrowser(['--host-resolver-rules=MAP foreign.example 127.0.0.1']);
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    await context.close();
    await api.close({ graceMs: 0 });
    expect(complaints.splice(0)).toEqual([]);
  });

  async function start(overrides: Parameters<typeof testApp>[0] = {}): Promise<FakeBatcherClient> {
    system = testApp(overrides);
    api = await listen(system.app, { host: '127.0.0.1', port: 0 });
    context = await browser.newContext();
    page = await context.newPage();
    page.on('console', (message) => {
      // A refusal that the page expects and shows is logged by the browser all the same.
      if (message.type() !== 'log' && !message.text().startsWith('Failed to load resource'))
        complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    return system.batcher;
  }

  const open = (screen = '') => page.goto(`${api.url}/${screen === '' ? '' : `#/${screen}`}`);
  const heading = (name: string | RegExp) => page.getByRole('heading', { name }).first().waitFor();
  const button = (name: string | RegExp) => page.getByRole('button', { name });

  /** What axe finds wrong with the page as it is. */
  async function violations(): Promise<string[]> {
    await page.evaluate(AXE);
    return page.evaluate<string[]>(
      `axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ' ' + target)))`,
    );
  }

  function full(batcher: FakeBatcherClient): void {
    batcher.statusView = statusWith(
      {
        bufferedRecords: 7,
        oldestAgeMs: 400,
        inFlight: 2,
        inFlightRecords: 4,
        counters: { accepted: 31, saved: 19, rolledBack: 1 },
      },
      { overridden: { maxInFlight: { value: 50, configured: 20, by: 'Ann', atMs: 1 } } },
    );
    batcher.page = {
      batches: [BATCH, { ...BATCH, batchId: 'b-2', state: 'running', closedAt: null }],
      nextCursor: null,
    };
    batcher.letterPage = {
      deadLetters: [
        {
          recordId: 'order-1:1',
          requestId: 'order-1',
          value: '<img src=x onerror=alert(1)>',
          attempts: 3,
          error: 'no place for 2',
          rollbackError: null,
          at: '2026-11-30T12:00:01.000Z',
          batchId: BATCH.batchId,
          batcher: 'batcher-0',
          file: 'test_log.log',
          redriveOf: null,
          redrivenAs: null,
        },
      ],
      nextCursor: null,
    };
  }

  const TITLES: Record<(typeof SCREENS)[number], string | RegExp> = {
    now: /Well|Ready|Idle/,
    batches: 'Batches',
    conflicts: 'Conflicts',
    find: 'Find',
    'dead-letters': 'Dead letters',
    workers: 'Workers',
    limits: 'Audit and limits',
    activity: 'Activity',
  };

  test.each(['light', 'dark'] as const)(
    'opens every screen in %s colours, empty and full, without a complaint of browser or axe.',
    async (colorScheme) => {
      const batcher = await start();
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await open();
      for (const fill of [() => undefined, () => full(batcher)]) {
        fill();
        for (const screen of SCREENS) {
          await page.evaluate(`location.hash = '#/${screen}'`);
          await heading(TITLES[screen]);
          await page.getByText('Reading…').first().waitFor({ state: 'hidden' });
          expect([screen, await violations()]).toEqual([screen, []]);
        }
      }
    },
  );

  test('The dashboard shows values as text, whatever they contain.', async () => {
    full(await start());
    await open('dead-letters');
    await page.getByText('<img src=x onerror=alert(1)>').waitFor();
    expect(await page.locator('img').count()).toBe(0);
  });

  test('The dashboard offers to send four lists when nothing was sent, and shows their records in their batches.', async () => {
    const batcher = await start();
    const states: RequestView['records'][number]['state'][] = ['buffered', 'in_batch', 'saved'];
    const looks = new Map<string, number>();
    batcher.request = (requestId) => {
      const sent = batcher.accepted.find((request) => request.requestId === requestId);
      if (sent === undefined) return Promise.resolve(undefined);
      const look = looks.get(requestId) ?? 0;
      looks.set(requestId, look + 1);
      const state = states[Math.min(look, 2)] ?? 'saved';
      const records = sent.values.map((value, index) => ({
        recordId: recordIdOf(requestId, index),
        state,
        ...(state !== 'buffered' && { batchId: value === 2 ? 'batch-2' : 'batch-1', attempts: 1 }),
      }));
      const counts = { buffered: 0, in_batch: 0, saved: 0, rolled_back: 0, [state]: records.length };
      return Promise.resolve({ requestId, counts, records });
    };
    await open();
    await button('Send these four lists').click();
    await heading('Every record has an outcome');
    expect(batcher.accepted.map(({ values }) => values).sort()).toEqual([[1], [1, 2, 3, 4], [2], [5, 7, 8]]);
    const valuesOf = async (batch: string) =>
      (await page.locator('.station', { hasText: batch }).locator('.chip').allInnerTexts()).sort();
    expect(await valuesOf('batch-1')).toEqual(['1', '1', '3', '4', '5', '7', '8']);
    expect(await valuesOf('batch-2')).toEqual(['2', '2']);
    expect(await violations()).toEqual([]);
  });

  test('The dashboard pauses after a dialog has said in numbers what will happen, and not when it is cancelled.', async () => {
    const batcher = await start();
    full(batcher);
    await open();
    await button('Pause').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('7 records wait until somebody resumes').waitFor();
    expect(await violations()).toEqual([]);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await button('Pause').click();
    await dialog.getByLabel('Your name').fill('Ann');
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused').first().waitFor();
    expect(batcher.calls.filter((call) => call.startsWith('pause'))).toEqual(['pause(Ann)']);
  });

  test('The dashboard drains only when the word was typed.', async () => {
    const batcher = await start();
    full(batcher);
    await open();
    await button('Drain').click();
    const drain = page.getByRole('dialog').getByRole('button', { name: 'Drain' });
    expect(await drain.isDisabled()).toBe(true);
    await page.getByLabel('Type drain to go on').fill('drain');
    await drain.click();
    await page.getByText('Drained: everything has its outcome').waitFor();
    expect(batcher.calls).toContain('drain(anonymous, 30000)');
  });

  test('The dashboard is used by keyboard alone: screens, rows, dialogs, help.', async () => {
    full(await start());
    await open();
    await heading(/Well/);
    await page.keyboard.press('g');
    await page.keyboard.press('b');
    await page.getByRole('link', { name: BATCH.batchId }).waitFor();
    await page.keyboard.press('j');
    expect(await page.evaluate('document.activeElement.textContent')).toBe(BATCH.batchId);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('/');
    await page.locator('#find:focus').waitFor();
    await page.keyboard.type('b ?');
    expect(await page.locator('#find').inputValue()).toBe('b ?');
  });

  test('The dashboard answers whether two values may share a batch, with the rule that forbids it.', async () => {
    await start();
    await open('conflicts');
    await page.getByText('Never', { exact: true }).waitFor();
    await page.getByLabel('Another', { exact: true }).fill('3');
    await page.getByText('Yes', { exact: true }).waitFor();
    await page.getByLabel('Rules', { exact: true }).fill('[]');
    await page.getByRole('heading', { name: 'Then: 2 batches' }).waitFor();
  });

  test('The dashboard puts other rules in force after a word was typed, and says by whom.', async () => {
    const batcher = await start();
    await open('conflicts');
    await page.getByLabel('Rules', { exact: true }).fill('[{"pair":[7,8]}]');
    await button('Put these in force').click();
    await page.getByLabel('Type change to go on').fill('change');
    await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click();
    await page.getByText('In force, in every shard').waitFor();
    expect(batcher.calls).toContain(
      'changeLimits({"conflicts":[{"pair":[7,8]}],"maxBatchSize":5}, anonymous)',
    );
  });

  test('The dashboard sends a dead letter again after a dialog.', async () => {
    const batcher = await start();
    full(batcher);
    await open('dead-letters');
    await button('Redrive order-1:1').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Redrive 1' }).click();
    await page.getByText('0 dead letters sent again').waitFor();
    expect(batcher.calls).toContain('redrive({"records":["order-1:1"]}, anonymous)');
  });

  test('The dashboard keeps the last picture and says of when it is, while nothing answers, and goes on by itself.', async () => {
    const batcher = await start();
    full(batcher);
    await open();
    await heading(/Well/);
    batcher.failure = new KeepapartError('temporal-unavailable', 'No worker answers');
    await page.getByText(/As of \d\d:\d\d:\d\d\./).waitFor();
    await page.getByText('No worker answers').waitFor();
    await heading('Last known: Well');
    batcher.failure = undefined;
    await page.getByText('No worker answers').waitFor({ state: 'detached' });
    await page.getByRole('heading', { name: 'Well', exact: true }).waitFor();
  });

  test('The dashboard connects again by itself after the API was ended and started again, and says so meanwhile.', async () => {
    full(await start());
    await open();
    await heading(/Well/);
    const { port } = api;
    await api.close({ graceMs: 0 });
    await page.getByText(/The API (has stopped|can’t be reached)/).waitFor();
    await page.getByText(/As of \d\d:\d\d:\d\d\./).waitFor();
    api = await listen(system.app, { host: '127.0.0.1', port });
    await page.getByText(/As of/).first().waitFor({ state: 'detached' });
    await page.getByText('Live').first().waitFor();
  });

  test('The dashboard asks for the status once a second where events do not come through, and says so.', async () => {
    const batcher = await start();
    full(batcher);
    await page.route('**/v1/events*', (route) => route.fulfill({ status: 404, json: { code: 'not-found' } }));
    await open();
    await heading(/Well/);
    await page.getByText('Polling').first().waitFor();
    expect(batcher.overviews).toBe(0);
    expect(batcher.calls).toContain('status()');
  });

  test('The dashboard in ten pages at once asks each batcher once a second.', async () => {
    const batcher = await start();
    full(batcher);
    // Of ten people: one browser opens six connections to a host.
    const people = await Promise.all(Array.from({ length: 10 }, () => browser.newContext()));
    const pages = await Promise.all(people.map((each) => each.newPage()));
    await Promise.all(pages.map((each) => each.goto(api.url)));
    for (const each of pages) await each.getByRole('heading', { name: /Well/ }).first().waitFor();
    const [before, beganAtMs] = [batcher.overviews, Date.now()];
    await waitFor('five pictures', () => batcher.overviews >= before + 5);
    const seconds = (Date.now() - beganAtMs) / 1000;
    // Not fifty: the number of pictures goes by the time, not by the pages.
    expect(batcher.overviews - before).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
    expect(batcher.calls).not.toContain('status()');
    await Promise.all(people.map((each) => each.close()));
  });

  test('The dashboard says that no worker is there only when none is.', async () => {
    const batcher = await start();
    full(batcher);
    await open('workers');
    await page.getByText('17@host').waitFor();
    expect(await page.getByText('No worker').count()).toBe(0);
    batcher.workersView = { ...batcher.workersView, isServed: false, workers: [] };
    await heading('No worker');
    expect(await violations()).toEqual([]);
  });

  test('The dashboard shows who did what, and sends a whole group of dead letters again.', async () => {
    const batcher = await start();
    full(batcher);
    batcher.groupsView = {
      isWhole: true,
      groups: [{ ...batcher.groupsView.groups[0]!, error: 'no place for #', records: 1200 }],
    };
    await open('activity');
    await page.getByText('paused batches').waitFor();
    await open('dead-letters');
    await button('Redrive all 1,200…').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Redrive 1,200' }).click();
    await page.getByText('0 dead letters sent again').waitFor();
    expect(batcher.calls).toContain('redrive({"error":"no place for #"}, anonymous)');
  });

  test('The dashboard has a worker audit the files after a dialog, and shows progress, damage with links, and a clean end.', async () => {
    const batcher = await start();
    full(batcher);
    await open('limits');
    await page.getByText('None was made yet').waitFor();
    await button('Audit now').click();
    await page.getByLabel('Your name').fill('Ann');
    await page.getByRole('dialog').getByRole('button', { name: 'Audit' }).click();
    await page.getByText('No worker has begun it yet').waitFor();
    expect(batcher.calls).toContain('startAudit(Ann)');
    expect(await button('Audit now').isDisabled()).toBe(true);

    const [audit] = batcher.auditsView.audits;
    if (audit === undefined) throw new Error('no audit was started');
    const show = (changes: Partial<AuditView>) =>
      (batcher.auditsView = { audits: [{ ...audit, ...changes }] });
    show({ progress: { stage: 'files', done: 1200, of: 4000 } });
    await page.getByText('Reading files: 1,200 of 4,000').waitFor();
    const result = {
      ...{ clean: false, worker: '17@host', files: 4000, saved: 9, rolledBack: 1, batches: 2, running: 1 },
      ...{ filesLeftOut: 3, batchesLeftOut: false, silentBatchers: ['batcher-1'] },
      damage: [
        {
          ...{ title: 'Torn', guarantee: 'G10', count: 21 },
          places: [{ text: 'test_log_1.log: it is empty', find: 'test_log_1.log' }],
        },
      ],
    };
    const closedAt = audit.startedAt;
    show({ state: 'completed', closedAt, result });
    await heading('Torn: 21 G10');
    const place = page.getByRole('link', { name: 'test_log_1.log: it is empty' });
    expect(await place.getAttribute('href')).toBe('#/find/test_log_1.log');
    await page.getByText('and 20 more').waitFor();
    await page.getByText('No answer from batcher-1').waitFor();
    expect(await violations()).toEqual([]);
    show({ state: 'completed', closedAt, result: { ...result, clean: true, damage: [] } });
    await page.getByText('nothing is damaged').waitFor();
  });

  test('The dashboard offers saves that fail only where the API does, and sends the example under keys that say so.', async () => {
    await start();
    await open();
    await button('Send these four lists').waitFor();
    expect(await page.getByRole('switch').count()).toBe(0);
    await context.close();
    await api.close({ graceMs: 0 });

    const batcher = await start({ failingExample: true });
    await open();
    await page.getByLabel('Let 80 % of their saves fail').check();
    expect(await violations()).toEqual([]);
    await button('Send these four lists').click();
    await waitFor('the lists', () => batcher.accepted.length === 4);
    for (const { requestId } of batcher.accepted) expect(isOfFailingExample(`${requestId}:0`)).toBe(true);
  });

  test('The dashboard shows the buffer as classes of records against batches, and who is held until when.', async () => {
    const batcher = await start();
    full(batcher);
    await open('conflicts');
    await page.getByRole('table').filter({ hasText: 'Held by' }).waitFor();
    const matrix = page.getByRole('region', { name: 'Batches to be of batcher-0' });
    expect(await matrix.getByRole('row').allInnerTexts()).toEqual([
      expect.stringMatching(/^Records\s+All\s+1\s+2$/),
      expect.stringMatching(/^1\s+1\s+1\s*$/),
      expect.stringMatching(/^2\s+1\s+1$/),
    ]);
    await page.getByText('that batch has ended, then').waitFor();
    expect(await violations()).toEqual([]);
  });

  const apiKeys = [
    { name: 'reader', sha256: createHash('sha256').update(KEY).digest('hex'), rights: ['read'] as const },
  ];

  test('The dashboard asks for a key, refuses a wrong one, keeps a right one in the tab alone, and sets no cookie.', async () => {
    await start({ apiKeys });
    await open();
    await page.getByLabel('API key').fill('wrong');
    await button('Open the dashboard').click();
    await page.getByText('This key is not valid').waitFor();
    expect(await violations()).toEqual([]);
    await page.getByLabel('API key').fill(KEY);
    await button('Open the dashboard').click();
    await heading('Ready');
    await page.reload();
    await heading('Ready');
    expect(await context.cookies()).toEqual([]);
    expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain(KEY);
    await button('Forget key').click();
    await page.getByLabel('API key').waitFor();
  });

  test('The dashboard no longer offers what the key was refused.', async () => {
    const batcher = await start({ apiKeys });
    full(batcher);
    // Its rights were changed after the page had asked for them.
    await page.route('**/v1/me', (route) =>
      route.fulfill({ json: { name: 'reader', rights: ['read', 'operate'] } }),
    );
    await open();
    await page.getByLabel('API key').fill(KEY);
    await button('Open the dashboard').click();
    await button('Pause').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await page.getByText('This needs the right "operate"').waitFor();
    expect(await button('Pause').count()).toBe(0);
    expect(batcher.calls.filter((call) => call.startsWith('pause'))).toEqual([]);
  });

  test('The dashboard offers from the start only what the key may do.', async () => {
    full(await start({ apiKeys }));
    await open();
    await page.getByLabel('API key').fill(KEY);
    await button('Open the dashboard').click();
    await page.getByText('reader ·').waitFor();
    await heading(/Well/);
    for (const name of ['Pause', 'Flush', 'Drain']) expect(await button(name).count()).toBe(0);
  });

  test('The dashboard shows what the buffer waits for.', async () => {
    const batcher = await start();
    full(batcher);
    const waits = [
      { for: 'slot' as const, text: 'a batch to close', records: 6 },
      { for: 'age' as const, text: 'enough records to fill its batch', records: 1 },
    ];
    const json = { shards: [{ shard: 0, batcher: 'batcher-0', bufferedRecords: 7, waits, rules: [] }] };
    batcher.waitsView = json;
    await open();
    await heading('What records wait for');
    expect(await page.locator('li[data-wait]').allInnerTexts()).toEqual([
      '6 86 % a batch to close',
      '1 14 % enough records to fill its batch',
    ]);
    expect(await violations()).toEqual([]);
  });

  test('The dashboard can’t be framed or asked by a page of another origin (G11).', async () => {
    const batcher = await start();
    const foreign: Server = createServer((_req, res) =>
      res.setHeader('Content-Type', 'text/html').end('<p>hello'),
    );
    await new Promise<void>((listening) => foreign.listen(0, '127.0.0.1', listening));
    try {
      await page.goto(`http://foreign.example:${(foreign.address() as AddressInfo).port}/`);
      const seen = await page.evaluate<string>(`(async () => {
        const ask = (path, options) => fetch('${api.url}' + path, options).then((answer) => answer.type + ' ' + answer.status, String);
        const frame = document.createElement('iframe');
        frame.src = '${api.url}/';
        document.body.append(frame);
        await new Promise((loaded) => (frame.onload = loaded));
        let framed = 'refused';
        try { framed = frame.contentDocument === null ? 'refused' : 'framed ' + frame.contentDocument.title } catch {}
        return [await ask('/v1/status'), await ask('/v1/events'), await ask('/v1/pause', { method: 'POST', mode: 'no-cors' }), framed].join('; ');
      })()`);
      expect(seen).toBe(
        'TypeError: Failed to fetch; TypeError: Failed to fetch; TypeError: Failed to fetch; refused',
      );
      expect(batcher.calls.filter((call) => call.startsWith('pause'))).toEqual([]);
      // The browser reports what it refused.
      expect(complaints.splice(0).join()).toMatch(/CORS|frame-ancestors|Framing/);
    } finally {
      foreign.close();
    }
  });
});
