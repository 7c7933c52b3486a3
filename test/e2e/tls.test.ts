import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { connect } from 'node:tls';
import { selfSigned } from '../helpers/certificates';
import { freePort } from '../helpers/free-port';
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

const inFolder = (name: string) => path.join(folder.path, name);
const TLS = { KEEPAPART_TLS_CERT_FILE: 'cert.pem', KEEPAPART_TLS_KEY_FILE: 'key.pem' };

/** A new certificate of this name and its key, in the files of the settings. */
async function certify(name: string): Promise<void> {
  const pair = await selfSigned(name);
  for (const part of ['cert', 'key'] as const) {
    await writeFile(inFolder(`${part}.new`), pair[part]);
    await rename(inFolder(`${part}.new`), inFolder(`${part}.pem`));
  }
}

async function run(args: string[], env: Record<string, string>) {
  const command = startCommand(args, { cwd: folder.path, env });
  started.push(command);
  const code = await command.ended;
  return { code, stdout: command.stdout(), stderr: command.stderr() };
}

async function nameShownAt(url: string): Promise<string> {
  const { hostname: host, port } = new URL(url);
  const socket = connect({ host, port: Number(port), rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}

/** The exit code of the container's health check, which knows the process by its probe port. */
async function health(env: Record<string, string>): Promise<number> {
  const check = spawn(process.execPath, [path.resolve(__dirname, '../../deploy/health.js')], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: 'ignore',
  });
  const [code] = (await once(check, 'close')) as [number];
  return code;
}

test('With a certificate everything goes by HTTPS, and a renewed one is taken over while it runs.', async () => {
  await certify('before.example');
  const probe = { KEEPAPART_METRICS_PORT: String(await freePort()) };
  const system = await startSystem('serve', { cwd: folder.path, env: { ...TLS, ...probe } });
  started.push(system);
  expect(system.apiUrl).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  expect(system.stdout()).toContain(`curl -X POST ${system.apiUrl}/v1/records`);
  const port = new URL(system.apiUrl).port;

  const flags = ['dead-letters', '--http-port', port];
  const stranger = await run(flags, TLS);
  expect(stranger).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/not trusted .*NODE_EXTRA_CA_CERTS/),
  });
  const trusting = { ...TLS, NODE_EXTRA_CA_CERTS: inFolder('cert.pem') };
  expect(await run(flags, trusting)).toMatchObject({
    code: 0,
    stderr: '',
    stdout: 'There are no dead letters.\n',
  });
  expect(
    await run(['dead-letters', '--url', system.apiUrl], { NODE_EXTRA_CA_CERTS: inFolder('cert.pem') }),
  ).toMatchObject({ code: 0 });

  expect(await health(probe)).toBe(0);

  expect(await nameShownAt(system.apiUrl)).toBe('before.example');
  await certify('after.example');
  await waitFor('the new certificate', async () => (await nameShownAt(system.apiUrl)) === 'after.example');
  expect(await system.interrupt()).toBe(0);
  expect(await health(probe)).toBe(1);
});

test('Files that are of no use end the start before anything else runs, with the name of the setting.', async () => {
  await certify('a.example');
  const missing = await run(['serve'], { ...TLS, KEEPAPART_TLS_KEY_FILE: 'elsewhere.pem' });
  expect([missing.code, missing.stderr]).toEqual([
    2,
    "keepapart: TLS_KEY_FILE: elsewhere.pem can't be read (ENOENT). [invalid-config]\n",
  ]);
  await writeFile(inFolder('other.pem'), (await selfSigned('b.example')).key);
  const mismatched = await run(['api'], { ...TLS, KEEPAPART_TLS_KEY_FILE: 'other.pem' });
  expect(mismatched.code).toBe(2);
  expect(mismatched.stderr).toContain(
    'TLS_KEY_FILE: other.pem is not the key of the first certificate in cert.pem',
  );
  const alone = await run(['serve'], { KEEPAPART_TLS_CERT_FILE: 'cert.pem' });
  expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining('TLS_KEY_FILE as well')]);
});
