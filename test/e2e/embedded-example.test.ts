import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { RequestView } from '../../src/contracts/api/answers/requests';
import type { StatusView } from '../../src/contracts/api/answers/status';
import { KeepapartClient } from '../../src/client';
import { readBatchFiles } from '../helpers/audit';
import { startCommand, temporaryFolder, type StartedCommand } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';

jest.setTimeout(300_000);

/* An Express app and a Worker that were there before keepapart, with keepapart in them. */
const EXAMPLE = path.resolve(__dirname, '../../examples/embedded');

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const processes: ChildProcess[] = [];
const commands: StartedCommand[] = [];
beforeEach(async () => void (folder = await temporaryFolder()));
afterEach(async () => {
  for (const child of processes.splice(0)) child.kill('SIGKILL');
  await Promise.all(commands.splice(0).map((command) => command.killGroup()));
  await folder.remove();
});

/** Starts a process of the example, and waits for the line by which it says that it is there. */
async function start(script: string, line: RegExp): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [path.join(EXAMPLE, script)], {
    cwd: folder.path,
    env: {
      PATH: process.env['PATH'],
      TEMPORAL_ADDRESS: testServer().address,
      NAME: path.basename(folder.path),
      PORT: '0',
      SAVED: path.join(folder.path, 'saved'),
      // What keepapart would read as settings, were it not embedded.
      KEEPAPART_MAX_BATCH_SIZE: 'none',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  processes.push(child);
  let output = '';
  return new Promise((resolve, reject) => {
    const take = (chunk: Buffer) => {
      output += chunk.toString();
      const [said] = line.exec(output) ?? [];
      if (said !== undefined) resolve({ child, said });
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code}: ${output}`)));
  });
}

async function stop(child: ChildProcess): Promise<unknown> {
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  return (await exit)[0];
}

test('keepapart in an Express app and beside a Worker that were there before: records, rights, limits, drain, dashboard and audit.', async () => {
  const worker = await start('worker.mjs', /the workers run/);
  const app = await start('app.mjs', /http:\S+(?=\/\n)/);
  const url = app.said;
  const [ann, bob] = ['ann', 'bob'].map((name) => new KeepapartClient({ url, apiKey: `token-of-${name}` }));

  expect((await fetch(`${url}/v1/status`)).status).toBe(401);
  const values = [7, 7, 8, 9].map((customer, n) => ({ customer, n }));
  const { requestId } = await bob!.send(values, { idempotencyKey: 'first' });
  expect(requestId).toBe('bob~first');
  const view: RequestView = await bob!.waitForOutcomes(requestId);
  expect(view.counts).toMatchObject({ saved: 4, rolled_back: 0 });
  const batches = [...(await readBatchFiles(path.join(folder.path, 'data/out'))).values()];
  expect(batches.flat()).toHaveLength(4);
  // The rule of the app's settings: one record of a customer in a batch.
  const [one, two] = view.records;
  expect(one?.batchId).not.toBe(two?.batchId);
  expect(readdirSync(path.join(folder.path, 'saved'))).toHaveLength(4);

  await expect(bob!.pause()).rejects.toMatchObject({ code: 'forbidden' });
  await ann!.changeLimits({ maxBatchSize: 2 });
  const status: StatusView = await ann!.status();
  expect(status.total.counters).toMatchObject({ saved: 4 });
  expect(await ann!.drain()).toMatchObject({ drained: true });

  const page = await (await fetch(`${url}/`)).text();
  const script = /<script type="module"[^>]* src="([^"]+)"/.exec(page)?.[1] ?? 'none';
  const loaded = await fetch(new URL(script, url));
  expect([loaded.status, loaded.headers.get('content-type')]).toEqual([
    200,
    expect.stringContaining('javascript'),
  ]);

  // What the app did before, it does still.
  const order = await fetch(new URL('/orders/4711', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"note":"thanks"}',
  });
  expect(await order.json()).toEqual({ result: 'order 4711 is confirmed', note: 'thanks' });
  expect(await (await fetch(new URL('/readyz', url))).json()).toEqual({ storeAwaySince: null });

  const audit = startCommand(['audit', '--temporal'], {
    cwd: folder.path,
    env: {
      TEMPORAL_ADDRESS: testServer().address,
      KEEPAPART_BATCHER_ID: `${path.basename(folder.path)}-keepapart`,
      KEEPAPART_TASK_QUEUE: `${path.basename(folder.path)}-keepapart`,
      KEEPAPART_CONFLICTS: '[{"distinct":"/customer"}]',
    },
  });
  commands.push(audit);
  expect({ code: await audit.ended, stderr: audit.stderr() }).toEqual({ code: 0, stderr: '' });

  expect([await stop(app.child), await stop(worker.child)]).toEqual([0, 0]);
});
