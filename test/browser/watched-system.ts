import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { KeepapartClient } from '../../src/client';
import { choosePorts } from '../../src/temporal/embedded/ports';
import { waitFor } from '../helpers/wait-for';

const ROOT = path.resolve(__dirname, '../..');

/** A keepapart as its users have it, in processes of its own, for programs that look at its dashboard. */
export interface WatchedSystem {
  url: string;
  client: KeepapartClient;
  folder: string;
  /** The store throws as if it couldn't be reached, as long as this is on. */
  breakStore(isBroken: boolean): Promise<void>;
  startWorker(): Promise<void>;
  /** `kill -9`. */
  killWorker(): Promise<void>;
  /** Of the API and the worker that run. */
  pids(): number[];
  /** Ends all, and removes what they wrote. */
  stop(): Promise<void>;
}

/** A store that keeps nothing, takes a while, and is away while there is a file `store-is-away`. */
const STORE = `
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineStore } from ${JSON.stringify(path.join(ROOT, 'dist/src/store/index.js'))};
export default defineStore({
  async saveBatch(records, { batchId }) {
    if (existsSync('store-is-away'))
      throw Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' });
    await sleep(120 + (Number(batchId.slice(-1)) % 5) * 60);
    return records.map(({ value }) =>
      value?.sku === 'no-such-sku' ? { outcome: 'rejected', reason: 'unknown sku' } : 'saved');
  },
});
`;

/** @param env settings, with or without an own store */
export async function startWatched(
  env: Record<string, string> = {},
  store: 'own' | 'file' = 'own',
): Promise<WatchedSystem> {
  const folder = await mkdtemp(path.join(tmpdir(), 'keepapart-watched-'));
  await mkdir(path.join(folder, 'data'), { recursive: true });
  await writeFile(path.join(folder, 'store.mjs'), STORE);
  const [http = 0, temporal = 0, webUi = 0] = await choosePorts(
    ['HTTP_PORT', 'TEMPORAL_PORT', 'UI_PORT'].map((setting) => ({ port: 0, setting })),
  );
  const started: ChildProcess[] = [];
  const start = (role: string) => {
    const child = spawn(process.execPath, [path.join(ROOT, 'dist/src/cli/main.js'), role], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...{ PATH: process.env['PATH'], HOME: process.env['HOME'], KEEPAPART_LOG_LEVEL: 'fatal' },
        ...{ KEEPAPART_HTTP_PORT: String(http), KEEPAPART_TCP_PORT: '0' },
        ...{ KEEPAPART_TEMPORAL_PORT: String(temporal), KEEPAPART_UI_PORT: String(webUi) },
        ...(role !== 'temporal' && { TEMPORAL_ADDRESS: `127.0.0.1:${temporal}` }),
        ...(store === 'own' && { KEEPAPART_STORE: './store.mjs' }),
        ...env,
      },
    });
    started.push(child);
    return child;
  };
  const stop = async () => {
    for (const child of started.reverse()) await end(child, 'SIGKILL');
    await rm(folder, { recursive: true, force: true });
  };
  start('temporal');
  const url = `http://127.0.0.1:${http}`;
  let worker: ChildProcess | undefined;
  const client = new KeepapartClient({ url });
  const away = path.join(folder, 'store-is-away');
  const system: WatchedSystem = {
    ...{ url, client, folder },
    breakStore: (isBroken) => (isBroken ? writeFile(away, '') : rm(away, { force: true })),
    async startWorker() {
      worker = start('worker');
      await waitFor('the worker', () =>
        client.status().then(
          () => true,
          () => false,
        ),
      );
    },
    async killWorker() {
      if (worker) await end(worker, 'SIGKILL');
    },
    pids: () =>
      started
        .slice(1)
        .flatMap(({ pid, exitCode, signalCode }) =>
          pid !== undefined && exitCode === null && signalCode === null ? [pid] : [],
        ),
    stop,
  };
  try {
    await waitFor('the Web UI', () => answers(`http://127.0.0.1:${webUi}`));
    start('api');
    await waitFor('the API', () => answers(`${url}/readyz`));
    await system.startWorker();
    return system;
  } catch (error) {
    await stop();
    throw error;
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** A window. */
export interface Look {
  width: number;
  height: number;
  colorScheme: 'light' | 'dark';
}

export const LOOKS = [
  { name: '1280-light', width: 1280, height: 800, colorScheme: 'light' },
  { name: '1280-dark', width: 1280, height: 800, colorScheme: 'dark' },
  { name: '390-light', width: 390, height: 844, colorScheme: 'light' },
  { name: '390-dark', width: 390, height: 844, colorScheme: 'dark' },
] as const;

/** The page in a window of this look, open at the screen. */
export async function openPage(
  browser: Browser,
  url: string,
  { width, height, colorScheme }: Look,
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, locale: 'en-GB' });
  const page = await context.newPage();
  await page.goto(url);
  return page;
}
