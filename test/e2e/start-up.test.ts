import { createServer, type AddressInfo, type Server } from 'node:net';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startCommand, temporaryFolder } from '../helpers/system';

jest.setTimeout(120_000);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let taken: Server;
let takenPort: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  taken = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  takenPort = String((taken.address() as AddressInfo).port);
});
afterAll(async () => {
  await new Promise((resolve) => taken.close(resolve));
  await folder.remove();
});

/** Starts, expects it to fail by itself, and that nothing of it is left. */
async function failing(env: Record<string, string>, role = 'serve') {
  const command = startCommand([role], { cwd: folder.path, env });
  const code = await command.ended;
  expect(() => process.kill(-(command.child.pid ?? 0), 0)).toThrow('ESRCH');
  return { code, stderr: command.stderr() };
}

test.each(['HTTP_PORT', 'TCP_PORT', 'TEMPORAL_PORT', 'UI_PORT'])(
  'a taken %s is one clear message',
  async (setting) => {
    const { code, stderr } = await failing({ [`KEEPAPART_${setting}`]: takenPort });
    expect(code).toBe(1);
    expect(stderr).toContain(takenPort);
    expect(stderr).toContain(setting);
    expect(stderr.match(/\[port-in-use\]$/gm)).toHaveLength(1);
  },
);

test('A data folder that cannot be written is one clear message.', async () => {
  await writeFile(path.join(folder.path, 'a-file'), '');
  const { code, stderr } = await failing({ KEEPAPART_DATA_DIR: path.join(folder.path, 'a-file', 'data') });
  expect(code).toBe(1);
  expect(stderr).toContain('DATA_DIR');
  expect(stderr.match(/\[folder-not-writable\]$/gm)).toHaveLength(1);
});

test('A Temporal server that is not there is one clear message.', async () => {
  const { code, stderr } = await failing({ TEMPORAL_ADDRESS: `127.0.0.1:${takenPort}` }, 'worker');
  expect(code).toBe(1);
  expect(stderr).toContain(`127.0.0.1:${takenPort}`);
  expect(stderr.match(/\[temporal-unavailable\]$/gm)).toHaveLength(1);
});

test('Every problem of the configuration is told at once, with field, expected and received.', async () => {
  const { code, stderr } = await failing({
    KEEPAPART_MAX_BATCH_SIZE: 'five',
    KEEPAPART_CONFLICTS: '[{"pair":[1]}]',
    KEEPAPART_HTTP_HOST: '0.0.0.0',
  });
  expect(code).toBe(2);
  for (const name of ['KEEPAPART_MAX_BATCH_SIZE', 'KEEPAPART_CONFLICTS/0/pair', 'KEEPAPART_HTTP_HOST']) {
    expect(stderr).toMatch(new RegExp(`${name}: expected .+; received .+`));
  }
});

test('`keepapart config` prints what is in force and where it came from.', async () => {
  const command = startCommand(['config', '--max-batch-size', '3'], {
    cwd: folder.path,
    // The second is for commands that talk to an API; an operator's shell has it for all of them.
    env: { KEEPAPART_FLUSH_INTERVAL_MS: '250', KEEPAPART_API_KEY: 's3cret' },
  });
  expect(await command.ended).toBe(0);
  expect(command.stdout()).toMatch(/^MAX_BATCH_SIZE +3 +records +flag$/m);
  expect(command.stdout()).toMatch(/^FLUSH_INTERVAL_MS +250 +ms +environment$/m);
  expect(command.stdout()).toMatch(/^MAX_ATTEMPTS +3 +\S* *default$/m);
});
