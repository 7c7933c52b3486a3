import path from 'node:path';
import { choosePorts } from '../../src/temporal/embedded/ports';
import { apiOf } from '../helpers/api';
import { readBatchFiles } from '../helpers/audit';
import { leaveAll, lineClient } from '../helpers/line-client';
import { startSystem, temporaryFolder, type System } from '../helpers/system';
import { waitFor } from '../helpers/wait-for';

jest.setTimeout(180_000);

const SAVED = 'has been save info data: ';
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
/** 0 would turn the gateway off, so a free port is found before. */
let tcpPort: string;
const started: System[] = [];

beforeEach(async () => {
  folder = await temporaryFolder();
  tcpPort = String((await choosePorts([{ port: 0, setting: 'TCP_PORT' }]))[0]);
});
afterEach(async () => {
  leaveAll();
  await Promise.all(started.splice(0).map((system) => system.killGroup()));
  await folder.remove();
});

async function start(role: 'serve' | 'api' | 'temporal', env: Record<string, string> = {}): Promise<System> {
  const system = await startSystem(role, { cwd: folder.path, env });
  started.push(system);
  return system;
}

const connect = () => lineClient(Number(tcpPort));

test('Lists of the old protocol become files that keep 1 and 2 apart, beside those of HTTP.', async () => {
  const system = await start('serve', { KEEPAPART_TCP_PORT: tcpPort });
  expect(system.gatewayAddress).toBe(`127.0.0.1:${tcpPort}`);
  const api = apiOf(system.apiUrl);
  const [first, second] = [await connect(), await connect()];
  await Promise.all([
    first.ask("'[1,2,3,4,5]'", ']').then((reply) => expect(reply).toBe(`${SAVED}[1, 2, 3, 4, 5]`)),
    second.ask('["a"]', ']').then((reply) => expect(reply).toBe(`${SAVED}["a"]`)),
    api.send(['over HTTP']),
  ]);
  await api.settled(7);
  const files = [...(await readBatchFiles<string>(path.join(folder.path, 'data/out'))).values()];
  expect(files.flat().sort()).toEqual(
    [1, 2, 3, 4, 5, 'a', 'over HTTP'].map((value) => `save [${JSON.stringify(value)}] success`).sort(),
  );
  for (const lines of files)
    expect(lines.includes('save [1] success') && lines.includes('save [2] success')).toBe(false);
});

test('A reply means durable: kill -9 of everything right behind it loses nothing (G3, G4).', async () => {
  const env = { KEEPAPART_TCP_PORT: tcpPort, KEEPAPART_OUTCOME_FORMAT: 'json' };
  await start('serve', env);
  const values = Array.from({ length: 20 }, (_, i) => `record ${i}`);
  expect(await (await connect()).ask(JSON.stringify(values), ']')).toContain('"record 19"]');
  await started.pop()?.killGroup();

  const { apiUrl } = await start('serve', env);
  await apiOf(apiUrl).settled(20);
  const files = await readBatchFiles(path.join(folder.path, 'data/out'));
  const saved = [...files.values()].flat().map(({ value }) => value);
  expect(saved.sort()).toEqual(values.sort());
});

test('A process that is told to stop ends idle connections and leaves the port free.', async () => {
  const system = await start('serve', { KEEPAPART_TCP_PORT: tcpPort });
  const [idle, midway] = [await connect(), await connect()];
  await idle.ask('[1]', ']');
  await midway.ask('[2][3,', ']');
  const code = system.interrupt();
  expect(await idle.ended).toBe('');
  expect(await midway.ended).toMatch(/^error not-ready, repeat after 5 s: /);
  expect(await code).toBe(0);
  await expect(connect()).rejects.toThrow('ECONNREFUSED');
});

test('While Temporal is away one line says so and when to repeat; with 0 for a port there is no gateway.', async () => {
  const temporal = await start('temporal');
  const port = temporal.temporalAddress.split(':')[1]!;
  const env = { TEMPORAL_ADDRESS: temporal.temporalAddress };
  await start('api', { ...env, KEEPAPART_TCP_PORT: tcpPort });
  expect((await start('api', { ...env, KEEPAPART_TCP_PORT: '0' })).gatewayAddress).toBe('');
  const client = await connect();
  expect(await client.ask('[1]', ']')).toBe(`${SAVED}[1]`);

  expect(await temporal.interrupt()).toBe(0);
  expect(await client.ask('[2]', '\n')).toMatch(/^error temporal-unavailable, repeat after \d+ s: [^\n]+\n$/);
  await start('temporal', { KEEPAPART_TEMPORAL_PORT: port });
  await waitFor('a list to be taken', async () => (await client.ask('[3]', /[\]\n]$/)).startsWith(SAVED));
});
