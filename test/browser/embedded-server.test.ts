import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import type { Browser, Page } from 'playwright-core';
import { HAS_BROWSER, launchBrowser } from '../helpers/browser';
import { descendants, listeningPorts } from '../helpers/listening-ports';
import { startSystem, temporaryFolder, type System } from '../helpers/system';

jest.setTimeout(180_000);

const whereThereIsABrowser = HAS_BROWSER ? describe : describe.skip;
const SECRET = 'a-value-that-only-its-owner-may-read';
const VICTIM = 'victim';
const WORKFLOWS = '/api/v1/namespaces/default/workflows';

whereThereIsABrowser('With the embedded server running,', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let system: System;
  let connection: Connection;
  let client: Client;
  let foreign: Server;
  let foreignUrl: string;
  let browser: Browser;
  let page: Page;
  /** Every port that is open while the server runs, on the address that a page would look at. */
  let ports: number[];

  beforeAll(async () => {
    folder = await temporaryFolder();
    system = await startSystem('temporal', { cwd: folder.path });
    const pid = system.child.pid ?? 0;
    const open = [pid, ...descendants(pid)].flatMap(listeningPorts);
    ports = open.filter(({ host }) => host === '127.0.0.1' || host === '0.0.0.0').map(({ port }) => port);
    connection = await Connection.connect({ address: system.temporalAddress });
    client = new Client({ connection });
    await client.workflow.start('batcher', { workflowId: VICTIM, taskQueue: 'none', args: [SECRET] });

    foreign = createServer((_req, res) => res.setHeader('Content-Type', 'text/html').end('<p>hello'));
    await new Promise<void>((listening) => foreign.listen(0, '127.0.0.1', listening));
    foreignUrl = `http://foreign.example:${(foreign.address() as AddressInfo).port}/`;
    // What an attacker's name server does once the page is there: the name leads to the visitor's own machine.
    browser = await launchBrowser([
      '--host-resolver-rules=MAP foreign.example 127.0.0.1, MAP rebound.example 127.0.0.1',
    ]);
  });
  afterAll(async () => {
    await browser.close();
    foreign.close();
    await connection.close();
    await system.killGroup();
    await folder.remove();
  });
  beforeEach(async () => (page = await browser.newPage()));
  afterEach(() => page.close());

  const state = async () => (await client.workflow.getHandle(VICTIM).describe()).status.name;

  /** What a page can do once it is at its own origin: all of it as text, for what leaks. */
  const attack = (target: string): Promise<string> =>
    page.evaluate(`(async () => {
      const seen = [];
      const ask = async (path, options) => {
        try {
          const answer = await fetch(${JSON.stringify(target)} + path, options);
          seen.push(answer.status + ' ' + (await answer.text()));
        } catch (error) {
          seen.push(String(error));
        }
      };
      const listing = ${JSON.stringify(WORKFLOWS)};
      const token = /_csrf=([^;]+)/.exec(document.cookie)?.[1] ?? '';
      await ask(listing);
      await ask(listing + '/${VICTIM}/history');
      for (const headers of [{}, { 'Content-Type': 'application/json', 'X-CSRF-Token': token }, { Authorization: 'Bearer x' }])
        await ask(listing + '/${VICTIM}/terminate', { method: 'POST', body: '{}', headers });
      await ask(listing + '/${VICTIM}/terminate', { method: 'POST', body: '{}', mode: 'no-cors' });
      return seen.join('\\n');
    })()`);

  /** What must not be in anything that a page reads, also as Temporal's APIs encode it. */
  const leaks = (text: string): boolean =>
    [SECRET, VICTIM, Buffer.from(JSON.stringify(SECRET)).toString('base64')].some((part) =>
      text.includes(part),
    );

  test('a page of another origin can neither read from nor change anything on any of the open ports (G11)', async () => {
    expect(ports.length).toBeGreaterThan(3);
    await page.goto(foreignUrl);
    for (const port of ports) expect(leaks(await attack(`http://127.0.0.1:${port}`))).toBe(false);
    expect(await state()).toBe('RUNNING');
  });

  test('nor can a page whose own name was pointed at this machine (G11)', async () => {
    for (const port of ports) {
      const url = `http://rebound.example:${port}`;
      // Ports that don't speak HTTP show an error page, from which nothing can be asked.
      const answers = await page.goto(url).then(
        () => true,
        () => false,
      );
      if (answers) expect([port, leaks(await attack(url))]).toEqual([port, false]);
    }
    expect(await state()).toBe('RUNNING');
  });

  test("people see and change their workflows in Temporal's Web UI, as localhost and by address", async () => {
    for (const url of [system.webUiUrl, system.webUiUrl.replace('127.0.0.1', 'localhost')]) {
      await page.goto(url);
      await page.getByText(VICTIM).first().waitFor();
    }
    expect(await attack(new URL(page.url()).origin)).toContain(VICTIM);
    expect(await state()).toBe('TERMINATED');
  });
});
