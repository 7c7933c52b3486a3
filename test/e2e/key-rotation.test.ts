import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { apiOf } from '../helpers/api';
import { startCommand, startSystem, temporaryFolder, type StartedCommand } from '../helpers/system';
import { waitFor } from '../helpers/wait-for';

jest.setTimeout(600_000);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const started: StartedCommand[] = [];
beforeEach(async () => void (folder = await temporaryFolder()));
afterEach(async () => {
  await Promise.all(started.splice(0).map((command) => command.killGroup()));
  await folder.remove();
});

const newKey = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const [may, november] = [newKey('2026-05'), newKey('2026-11')];

async function start(role: 'temporal' | 'api' | 'worker', env: Record<string, string> = {}) {
  const system = await startSystem(role, { cwd: folder.path, env });
  started.push(system);
  return system;
}

async function run(args: readonly string[], env: Record<string, string>) {
  const command = startCommand(args, { cwd: folder.path, env });
  started.push(command);
  return { code: await command.ended, output: command.stdout() + command.stderr() };
}

/** Sends lists, one after another and each under a key of its own, again and again until it is accepted. */
function sendUntil(stopped: () => boolean, url: () => string) {
  const requests: string[] = [];
  const sending = (async () => {
    while (!stopped()) {
      const key = `list-${requests.length}`;
      for (let accepted = false; !accepted;) {
        accepted = await fetch(`${url()}/v1/records`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': key },
          body: JSON.stringify([1, 2, { list: requests.length }]),
        }).then(
          ({ status }) => status === 202,
          () => false,
        );
        await sleep(50);
      }
      requests.push(key);
    }
  })();
  return { requests, sending };
}

test('keys are introduced and changed in two phases while records come: none is lost, and all of before is readable', async () => {
  const { temporalAddress } = await start('temporal');
  const of = (keys: string): Record<string, string> => ({
    TEMPORAL_ADDRESS: temporalAddress,
    ...(keys !== '' && { KEEPAPART_ENCRYPTION_KEYS: keys }),
  });
  let worker = await start('worker', of(''));
  let api = await start('api', of(''));
  let done = false;
  const load = sendUntil(
    () => done,
    () => api.apiUrl,
  );
  const accepted = (more: number) => {
    const wanted = load.requests.length + more;
    return waitFor('further lists to be accepted', () => load.requests.length >= wanted);
  };
  await accepted(3);
  // Turned on; then phase 1, in which all know the new key; then phase 2, in which it encrypts.
  for (const keys of [may, `${may},${november}`, `${november},${may}`]) {
    const former = { worker, api };
    worker = await start('worker', of(keys));
    expect(await former.worker.interrupt()).toBe(0);
    api = await start('api', of(keys));
    expect(await former.api.interrupt()).toBe(0);
    await accepted(3);
  }
  done = true;
  await load.sending;

  const { requests } = load;
  await apiOf(api.apiUrl).settled(3 * requests.length);
  for (const requestId of [...requests.slice(0, 3), ...requests.slice(-3)])
    expect((await apiOf(api.apiUrl).request(requestId)).counts).toMatchObject({ saved: 3, rolled_back: 0 });
  const env = of(`${november},${may}`);
  const audit = await run(['audit', '--temporal'], env);
  expect(audit).toMatchObject({ code: 0 });
  expect(await run(['rescue'], env)).toMatchObject({
    code: 0,
    output: expect.stringContaining('out of reach'),
  });
  // Histories from before encryption, and under each key.
  const replay = await run(['replay', '--live', '--all'], env);
  expect(replay.code === 0 ? '' : replay.output).toBe('');
  // Without the old key, what it encrypted can't be read, and the message says so.
  const blind = await run(['replay', '--live', '--all'], of(november));
  expect(blind.code).not.toBe(0);
  expect(blind.output).toContain('2026-05');
});

test('a worker without the key fails tasks with a message that names it, and ends no batcher: with the key, all is saved', async () => {
  const { temporalAddress } = await start('temporal');
  const address = { TEMPORAL_ADDRESS: temporalAddress };
  const keys = { ...address, KEEPAPART_ENCRYPTION_KEYS: `${november},${may}` };
  const api = await start('api', keys);
  const blind = await start('worker', { ...address, KEEPAPART_ENCRYPTION_KEYS: may });
  await apiOf(api.apiUrl).send([1, 2, 3]);
  await waitFor('the worker to say which key it lacks', () =>
    (blind.stdout() + blind.stderr()).includes('2026-11'),
  );
  expect(blind.stdout() + blind.stderr()).not.toContain(may.slice(8));
  const status = await apiOf(api.apiUrl).call('GET', '/v1/status');
  expect(status.status).toBe(503);

  await blind.interrupt();
  await start('worker', keys);
  const total = await apiOf(api.apiUrl).settled(3);
  expect(total.counters).toMatchObject({ saved: 3, rolledBack: 0 });
});

test('a file of keys is read again while processes run, and what is wrong in it changes nothing', async () => {
  const file = path.join(folder.path, 'keys');
  writeFileSync(file, `${may}\n`);
  const system = await startSystem('serve', {
    cwd: folder.path,
    env: { KEEPAPART_ENCRYPTION_KEYS_FILE: file },
  });
  started.push(system);
  const api = apiOf(system.apiUrl);
  const { requestId } = await api.send([1]);
  await api.settled(1);
  const said = (text: string) =>
    waitFor(`the log to say ${text}`, () => (system.stdout() + system.stderr()).includes(text));
  writeFileSync(file, 'not a key');
  await said('those from before stay in force');
  writeFileSync(file, `${november}\n${may}\n`);
  await said('encryption keys were read again');
  const later = await api.send([2]);
  await api.settled(2);
  for (const id of [requestId, later.requestId])
    expect((await api.request(id)).counts).toMatchObject({ saved: 1 });
  expect(system.stdout() + system.stderr()).not.toMatch(/not a key/);
});
