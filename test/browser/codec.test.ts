import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import type { BatchPage } from '../../src/contracts/api/answers/batches';
import { apiOf } from '../helpers/api';
import { HAS_BROWSER, launchBrowser } from '../helpers/browser';
import { freePort } from '../helpers/free-port';
import { startSystem, temporaryFolder, type System } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';
import { waitFor } from '../helpers/wait-for';

jest.setTimeout(300_000);

const CANARY = 'canary-of-a-record';

describe('An encrypted batch is readable in', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let system: System;
  let batch: { batchId: string; runId: string };
  let codec: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const [http, ui] = [String(await freePort()), String(await freePort())];
    codec = `http://127.0.0.1:${http}/codec`;
    system = await startSystem('serve', {
      cwd: folder.path,
      env: {
        KEEPAPART_HTTP_PORT: http,
        KEEPAPART_UI_PORT: ui,
        KEEPAPART_ENCRYPTION_KEYS: `2026-11:${randomBytes(32).toString('base64')}`,
        KEEPAPART_CODEC_ORIGINS: `http://127.0.0.1:${ui}`,
      },
    });
    const api = apiOf(system.apiUrl);
    await api.send([CANARY]);
    await api.settled(1);
    const found = await waitFor('the batch to be listed', async () => {
      const { batches } = await api.get<BatchPage>('/v1/batches');
      return batches[0];
    });
    batch = { batchId: found.batchId, runId: found.runId };
  });
  afterAll(async () => {
    await system.killGroup();
    await folder.remove();
  });

  const show = async (further: readonly string[]) => {
    const of = ['--address', system.temporalAddress, '--workflow-id', batch.batchId, '--output', 'json'];
    const args = ['workflow', 'show', ...of, ...further];
    const { stdout } = await promisify(execFile)(testServer().binary, args, { maxBuffer: 1e8 });
    const inBase64 = [...stdout.matchAll(/"data": *"([^"]*)"/g)];
    return inBase64.map(([, base64 = '']) => Buffer.from(base64, 'base64').toString('latin1')).join('\n');
  };

  test('temporal workflow show, with the codec endpoint and not without', async () => {
    expect(await show([])).not.toContain(CANARY);
    expect(await show(['--codec-endpoint', codec])).toContain(CANARY);
  });

  const whereThereIsABrowser = HAS_BROWSER ? test : test.skip;
  whereThereIsABrowser("the embedded server's Web UI, which asks the API from its own origin", async () => {
    let browser: Browser | undefined;
    try {
      browser = await launchBrowser();
      const page = await browser.newPage();
      await page.goto(`${system.webUiUrl}/${batch.batchId}/${batch.runId}/history`);
      await page.getByText(CANARY).first().waitFor({ timeout: 120_000 });
      expect(system.stdout() + system.stderr()).toContain('payloads are decoded for a caller');
    } finally {
      await browser?.close();
    }
  });
});
