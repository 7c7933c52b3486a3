import { apiOf } from '../helpers/api';
import { startCommand, startSystem, temporaryFolder } from '../helpers/system';

jest.setTimeout(120_000);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => (folder = await temporaryFolder()));
afterAll(() => folder.remove());

/** Nobody listens there (discard), so whatever goes through it fails. */
const DEAD_PROXY = 'http://somebody:hunter2@127.0.0.1:9';

test('Proxies in the environment are not used between keepapart and the server on its own machine.', async () => {
  const proxies = { http_proxy: DEAD_PROXY, https_proxy: DEAD_PROXY, grpc_proxy: DEAD_PROXY };
  const system = await startSystem('serve', { cwd: folder.path, env: proxies });
  try {
    const api = apiOf(system.apiUrl);
    await api.send([1, 2, 3]);
    await api.settled(3);
    // Nor a server there that is named.
    const [, port = ''] = system.temporalAddress.split(':');
    const named = { ...proxies, TEMPORAL_ADDRESS: `localhost:${port}`, KEEPAPART_BATCHER_ID: 'other' };
    const second = await startSystem('api', { cwd: folder.path, env: named });
    expect((await fetch(`${second.apiUrl}/readyz`)).status).toBe(200);
    expect(await second.interrupt()).toBe(0);
    expect((await fetch(system.webUiUrl)).status).toBe(200);
  } finally {
    await system.killGroup();
  }
});

test('A server that is not reached through a proxy is one message that names both, without the password.', async () => {
  const env = { TEMPORAL_ADDRESS: 'temporal.example:7233', http_proxy: DEAD_PROXY };
  const command = startCommand(['api'], { cwd: folder.path, env });
  expect(await command.ended).toBe(1);
  expect(command.stderr()).toContain(
    'no Temporal server answers at temporal.example:7233, through the proxy 127.0.0.1:9 that http_proxy names',
  );
  expect(command.stderr()).not.toContain('hunter2');
});
