import path from 'node:path';
import { apiOf } from '../helpers/api';
import { readBatchFiles } from '../helpers/audit';
import { startCommand, startSystem, temporaryFolder, type StartedCommand } from '../helpers/system';
import { waitFor } from '../helpers/wait-for';

jest.setTimeout(180_000);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const started: StartedCommand[] = [];

beforeEach(async () => (folder = await temporaryFolder()));
afterEach(async () => {
  await Promise.all(started.splice(0).map((command) => command.killGroup()));
  await folder.remove();
});

async function start(role: 'api' | 'worker' | 'temporal', env: Record<string, string> = {}) {
  const system = await startSystem(role, { cwd: folder.path, env });
  started.push(system);
  return system;
}

test('Temporal, API and worker start one by one; what came before the worker is saved when it comes (G3).', async () => {
  const { temporalAddress, webUiUrl } = await start('temporal');
  expect((await fetch(webUiUrl)).status).toBe(200);
  const env = { TEMPORAL_ADDRESS: temporalAddress };
  const apiSystem = await start('api', env);
  const api = apiOf(apiSystem.apiUrl);
  const { records } = await api.send([1, 2, 3]);
  expect(records).toHaveLength(3);

  const worker = await start('worker', env);
  await api.settled(3);
  const files = await readBatchFiles<string>(path.join(folder.path, 'data/out'));
  expect([...files.values()].flat().sort()).toEqual([1, 2, 3].map((value) => `save [${value}] success`));

  expect(await worker.interrupt()).toBe(0);
  expect(await apiSystem.interrupt()).toBe(0);
});

test('The API says when Temporal is away, and is ready again when it is back.', async () => {
  const temporal = await start('temporal', { KEEPAPART_DATA_DIR: 'data' });
  const port = temporal.temporalAddress.split(':')[1]!;
  const api = apiOf((await start('api', { TEMPORAL_ADDRESS: temporal.temporalAddress })).apiUrl);
  expect((await api.call('GET', '/readyz')).status).toBe(200);

  expect(await temporal.interrupt()).toBe(0);
  // Each takes as long as Temporal is waited for.
  const [refused, readiness] = await Promise.all([
    api.call('POST', '/v1/records', [1]),
    api.call('GET', '/readyz'),
  ]);
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).not.toBeNull();
  expect(await refused.json()).toMatchObject({ type: 'urn:keepapart:error:temporal-unavailable' });
  expect(readiness.status).toBe(503);
  expect((await api.call('GET', '/healthz')).status).toBe(200);

  await start('temporal', { KEEPAPART_TEMPORAL_PORT: port });
  await waitFor('readiness', async () => (await api.call('GET', '/readyz')).status === 200);
  await api.send([1]);
});

test('An embedded server that is killed ends the process, with a message and nothing left behind.', async () => {
  const system = await startSystem('serve', { cwd: folder.path });
  started.push(system);
  const { pid } = await waitFor('the server to be listed', () => serverOf(system.temporalAddress));
  process.kill(pid, 'SIGKILL');
  expect(await system.ended).toBe(1);
  expect(system.stderr()).toContain('[temporal-unavailable]');
});

test('The demo runs on the system that is there, and leaves its records alone.', async () => {
  const system = await startSystem('serve', { cwd: folder.path });
  started.push(system);
  const [temporalPort = '', uiPort = ''] = [system.temporalAddress, new URL(system.webUiUrl).host].map(
    (host) => host.split(':')[1],
  );
  const env = { KEEPAPART_TEMPORAL_PORT: temporalPort, KEEPAPART_UI_PORT: uiPort };
  const demo = startCommand(['demo'], { cwd: folder.path, env });
  started.push(demo);
  expect(await demo.ended).toBe(0);
  expect(demo.stderr()).toContain(system.temporalAddress);
  const link = /http:\S+\/history/.exec(demo.stdout())?.[0] ?? '';
  expect((await fetch(link)).status).toBe(200);
  expect(await readBatchFiles(path.join(folder.path, 'data/out'))).toEqual(new Map());
  expect((await apiOf(system.apiUrl).status()).total.counters.accepted).toBe(0);
});

test('The demo starts a system of its own, follows every record to its end and shows the files.', async () => {
  const demo = startCommand(['demo'], { cwd: folder.path });
  started.push(demo);
  expect(await demo.ended).toBe(0);
  const files = await readBatchFiles<string>(path.join(folder.path, 'data/demo/out'));
  expect([...files.values()].flat()).toHaveLength(9);
  for (const [name, lines] of files) {
    expect(demo.stdout()).toContain(name);
    for (const line of lines) expect(demo.stdout()).toContain(JSON.stringify(line));
  }
  expect(demo.stdout()).toMatch(/\/namespaces\/default\/workflows\/demo-0-\d{8}\/[\w-]+\/history/);
});

/** The process that listens at this address, by its command line. */
async function serverOf(address: string): Promise<{ pid: number } | undefined> {
  const { readdir, readFile } = await import('node:fs/promises');
  const port = address.split(':')[1]!;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (words.includes('start-dev') && words.join(' ').includes(port)) return { pid: Number(pid) };
  }
  return undefined;
}
