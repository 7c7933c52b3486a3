import { once } from 'node:events';
import { get, Agent } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { listen, type Listening, type TlsPair } from '../../src/http/listen';
import { selfSigned } from '../helpers/certificates';
import { sendRaw } from '../helpers/raw-http';
import { testApp } from './test-app';

const HOST = '127.0.0.1';
let first: TlsPair;
let second: TlsPair;
let api: Listening;

beforeAll(async () => {
  [first, second] = await Promise.all([selfSigned('first.example'), selfSigned('second.example')]);
});
beforeEach(async () => {
  api = await listen(testApp({ tls: true }).app, { host: HOST, port: 0, tls: first });
});
afterEach(() => api.close({ graceMs: 0 }));

async function call(path: string, agent?: Agent): Promise<IncomingMessage & { text: string }> {
  const sent = get(api.url + path, { ca: [first.cert, second.cert], agent: agent ?? false });
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return Object.assign(response, { text: await text(response) });
}

/** Whom the certificate that a new connection is shown names. */
async function nameShown(options: object = {}): Promise<string> {
  const socket = connect({ host: HOST, port: api.port, rejectUnauthorized: false, ...options });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}

test('The URL is https, and whoever trusts the certificate is answered there.', async () => {
  expect(api.url).toBe(`https://127.0.0.1:${api.port}`);
  const response = await call('/healthz');
  expect([response.statusCode, response.text]).toEqual([200, '{"status":"ok"}']);
});

test('Browsers are told to come by TLS alone, and only where it is TLS that they came by.', async () => {
  expect((await call('/healthz')).headers['strict-transport-security']).toBe('max-age=31536000');
  const plain = await listen(testApp().app, { host: HOST, port: 0 });
  const { headers } = await fetch(`${plain.url}/healthz`);
  await plain.close({ graceMs: 0 });
  expect(headers.get('strict-transport-security')).toBeNull();
});

test('The dashboard comes by https too.', async () => {
  expect((await call('/')).text).toContain('<title>keepapart</title>');
});

test('TLS 1.2 is the oldest that is spoken.', async () => {
  expect(await nameShown({ maxVersion: 'TLSv1.2' })).toBe('first.example');
  const old = connect({
    host: HOST,
    port: api.port,
    rejectUnauthorized: false,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    // Without it today's OpenSSL doesn't even offer it.
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  const [error] = (await once(old, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toMatch(/ALERT_PROTOCOL_VERSION/);
});

test('Plain HTTP is not answered.', async () => {
  expect(await sendRaw(api.port, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')).toEqual([]);
});

test('What is no HTTP inside of TLS is refused with problem details, as without it.', async () => {
  const socket = connect({ host: HOST, port: api.port, ca: first.cert });
  socket.write('hello\r\n\r\n');
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 [^]*"code":"malformed-request"/);
});

test('A new certificate is shown to new connections; the open ones go on.', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const before: Socket = (await call('/healthz', agent)).socket;
  api.renewCertificate(second);
  expect(await nameShown()).toBe('second.example');
  expect((await call('/healthz', agent)).socket).toBe(before);
  agent.destroy();
});

test('A connection that never says what it wants is cut.', async () => {
  const timeouts = { headersMs: 50 };
  const impatient = await listen(testApp().app, { host: HOST, port: 0, tls: first, timeouts });
  const silent = connectTcp(impatient.port, HOST);
  expect(await text(silent)).toBe('');
  await impatient.close({ graceMs: 60_000 });
});

test('A connection that never says what it wants does not hold the closing up.', async () => {
  // Beyond the limit of this test: only the closing itself can cut it in time.
  const timeouts = { headersMs: 30_000 };
  const patient = await listen(testApp().app, { host: HOST, port: 0, tls: first, timeouts });
  const waiting = connectTcp(patient.port, HOST);
  await once(waiting, 'connect');
  // Through a whole handshake of another one, so that the server has the first one too.
  await nameShown({ port: patient.port });
  await patient.close({ graceMs: 0 });
  expect(await text(waiting)).toBe('');
}, 10_000);
