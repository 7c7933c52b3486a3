import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { apiOf } from '../helpers/api';
import { startCommand, startSystem, temporaryFolder, type StartedCommand } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';
import { waitFor } from '../helpers/wait-for';

jest.setTimeout(300_000);

const RECEIVER = path.resolve(__dirname, '../../examples/http-receiver/receiver.py');
const SECRETS = [7, 8].map((byte) => `whsec_${Buffer.alloc(24, byte).toString('base64')}`);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const started: StartedCommand[] = [];
const receivers: ChildProcess[] = [];
beforeEach(async () => void (folder = await temporaryFolder()));
afterEach(async () => {
  for (const receiver of receivers.splice(0)) receiver.kill('SIGKILL');
  await Promise.all(started.splice(0).map((command) => command.killGroup()));
  await folder.remove();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function startReceiver(port: number): ChildProcess {
  const receiver = spawn('python3', [RECEIVER, String(port), path.join(folder.path, 'records.db')], {
    // It changes from the first secret to the second.
    env: { ...process.env, SECRETS: SECRETS[1] },
    stdio: 'ignore',
  });
  receivers.push(receiver);
  return receiver;
}

/** What the receiver has, as its database says. */
function receivedValues(): unknown[] {
  const code = `import json, sqlite3, sys
print(json.dumps([json.loads(v) for v, in sqlite3.connect(sys.argv[1]).execute("SELECT value FROM records")]))`;
  const output = execFileSync('python3', ['-c', code, path.join(folder.path, 'records.db')], {
    encoding: 'utf8',
  });
  return JSON.parse(output) as unknown[];
}

test('A receiver in Python that is killed and started again in the middle has each record once, and none used up an attempt.', async () => {
  const port = await freePort();
  const env = {
    TEMPORAL_ADDRESS: testServer().address,
    KEEPAPART_BATCHER_ID: path.basename(folder.path),
    KEEPAPART_TASK_QUEUE: path.basename(folder.path),
    KEEPAPART_OUTCOME_FORMAT: 'json',
    KEEPAPART_STORE: 'http',
    KEEPAPART_STORE_URL: `http://127.0.0.1:${port}/`,
    KEEPAPART_STORE_SECRETS: SECRETS.join(','),
    KEEPAPART_STORE_PRIVATE_ADDRESSES: 'allow',
  };
  const system = await startSystem('serve', { cwd: folder.path, env });
  started.push(system);
  const api = apiOf(system.apiUrl);
  const first = startReceiver(port);
  const values = Array.from({ length: 100 }, (_, i) => i + 10);
  await api.send(values.slice(0, 50));
  await waitFor('some records to be saved', async () => (await api.status()).total.counters.saved > 0);
  first.kill('SIGKILL');
  await once(first, 'exit');
  await api.send(values.slice(50));
  await waitFor('the store to be away', () =>
    Promise.resolve(/the store is away/.test(system.stdout() + system.stderr())),
  );
  startReceiver(port);
  const { counters } = await api.settled(100);
  expect(counters).toMatchObject({ saved: 100, rolledBack: 0 });
  expect(receivedValues().sort()).toEqual([...values].sort());

  const audit = startCommand(['audit'], { cwd: folder.path, env });
  started.push(audit);
  expect(await audit.ended).toBe(0);
  expect(await system.interrupt()).toBe(0);
});
