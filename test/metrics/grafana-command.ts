import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { choosePorts } from '../../src/temporal/embedded/ports';
import { findPrometheus } from '../helpers/prometheus-binaries';

const ROOT = path.resolve(__dirname, '../..');

/** How long load runs at least, and how long data is waited for. */
const LOAD_MS = 45_000;
const PATIENCE_MS = 240_000;

interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[];
}

/**
 * Starts a keepapart of its own, whose saves fail now and then, and a Prometheus that scrapes it; sends records, and
 * requests that are refused, until every query of the dashboard has data.
 * @returns the exit code: 1 when a query has none in the end
 */
export async function grafanaCommand(): Promise<number> {
  const folder = await mkdtemp(path.join(tmpdir(), 'keepapart-grafana-'));
  const started: ChildProcess[] = [];
  try {
    const [http = 0, metrics = 0, prometheus = 0] = await choosePorts(
      ['HTTP_PORT', 'METRICS_PORT', 'Prometheus'].map((setting) => ({ port: 0, setting })),
    );
    started.push(startKeepapart(folder, http, metrics), await startPrometheus(folder, metrics, prometheus));
    await untilReady(`http://127.0.0.1:${metrics}/readyz`);
    await untilReady(`http://127.0.0.1:${prometheus}/-/ready`);
    const over = new AbortController();
    const load = sendUntil(over.signal, `http://127.0.0.1:${http}`);
    await sleep(LOAD_MS);
    const empty = await untilAllHaveData(`http://127.0.0.1:${prometheus}`);
    over.abort();
    await load;
    for (const { title, expr } of empty) console.error(`no data: ${title}: ${expr}`);
    return empty.length === 0 ? 0 : 1;
  } finally {
    for (const child of started.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  }
}

function startKeepapart(cwd: string, http: number, metrics: number): ChildProcess {
  return spawn(process.execPath, [path.join(ROOT, 'dist/src/cli/main.js'), 'serve'], {
    cwd,
    stdio: ['ignore', 'ignore', 'ignore'],
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      KEEPAPART_HTTP_PORT: String(http),
      KEEPAPART_METRICS_PORT: String(metrics),
      KEEPAPART_TCP_PORT: '0',
      KEEPAPART_TEMPORAL_PORT: '0',
      KEEPAPART_UI_PORT: '0',
      KEEPAPART_SAVE_FAILURE_RATE: '0.4',
      KEEPAPART_RETRY_INTERVAL_MS: '50',
    },
  });
}

async function startPrometheus(folder: string, scraped: number, port: number): Promise<ChildProcess> {
  const config = path.join(folder, 'prometheus.yml');
  await writeFile(
    config,
    JSON.stringify({
      global: { scrape_interval: '2s' },
      scrape_configs: [{ job_name: 'keepapart', static_configs: [{ targets: [`127.0.0.1:${scraped}`] }] }],
    }),
  );
  const flags = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${path.join(folder, 'prometheus')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  return spawn(findPrometheus().prometheus, flags, { cwd: folder, stdio: 'ignore' });
}

async function untilReady(url: string): Promise<void> {
  for (const endMs = Date.now() + PATIENCE_MS; Date.now() < endMs;) {
    if ((await fetch(url).catch(() => undefined))?.ok === true) return;
    await sleep(500);
  }
  throw new Error(`${url} is not ready`);
}

async function sendUntil(signal: AbortSignal, url: string): Promise<void> {
  for (let i = 0; !signal.aborted; i++) {
    const body = i % 10 === 0 ? 'no JSON' : JSON.stringify([1, 2, i, i + 1]);
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/v1/records`, { method: 'POST', headers, body }).catch(() => undefined);
    await answer?.text();
    await sleep(100);
  }
}

async function untilAllHaveData(prometheus: string): Promise<{ title: string; expr: string }[]> {
  const { panels } = JSON.parse(
    await readFile(path.join(ROOT, 'deploy/grafana/keepapart.json'), 'utf8'),
  ) as Dashboard;
  let empty = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })));
  for (const endMs = Date.now() + PATIENCE_MS; empty.length > 0 && Date.now() < endMs;) {
    const found = await Promise.all(empty.map(({ expr }) => resultOf(prometheus, expr)));
    for (const [i, { title }] of empty.entries())
      if (found[i] !== undefined) console.log(`${title}: ${found[i]}`);
    empty = empty.filter((_, i) => found[i] === undefined);
    if (empty.length > 0) await sleep(3000);
  }
  return empty;
}

/** The series that a query gives, in short; undefined when there is none with a number. */
async function resultOf(prometheus: string, expr: string): Promise<string | undefined> {
  const query = expr.replaceAll('$__rate_interval', '1m').replaceAll('$shard', '.*');
  const answer = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(query)}`);
  const { status, error, data } = (await answer.json()) as {
    status: string;
    error?: string;
    data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
  };
  if (status !== 'success') throw new Error(`${query}: ${error}`);
  const numbers = (data?.result ?? []).filter(({ value: [, value] }) => Number.isFinite(Number(value)));
  const [first] = numbers;
  return first && `${numbers.length} series, ${JSON.stringify(first.metric)} ${first.value[1]}`;
}
